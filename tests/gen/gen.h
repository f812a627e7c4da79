/*
 * The generator from inside.  dumpgen.h tells the model.
 *
 * gen_create() runs through these steps, and each file owns one of them:
 *
 *	layout    arch_*.c   where the machine keeps what; regs.c
 *	phys      phys.c     segments, present pages, what lies over their words
 *	kimage    kimage.c   the kernel's image and arena, symbols, stores
 *	kdata     kdata.c    the kernel's variables; msgbuf.c, module.c
 *	proc      proc.c     processes and threads; stack.c
 *	kmap      kmap.c     the kernel map
 *	tables    tables.c   page tables that say what the map says
 *
 * After that nothing changes: the writers (minidump.c, elfcore.c, kernfile.c)
 * and the oracle (read.c) only look.
 */
#ifndef GEN_GEN_H
#define GEN_GEN_H

#include <assert.h>
#include <stdio.h>

#include "tests/gen/dumpgen.h"
#include "tests/gen/random.h"

#define GEN_MAX_LEVELS	 4
#define GEN_MAX_SEGS	 32
#define GEN_MAX_CPUS	 64
#define GEN_PRSTATUS_LEN 336 /* bytes: amd64's struct elf_prstatus */
#define GEN_MAX_MODS	 4
#define GEN_NVNETS	 3
#define GEN_MAX_HDR	 6

#define MB ((uint64_t)1 << 20)
#define GB ((uint64_t)1 << 30)

#define GEN_PROT_ALL (GEN_PROT_READ | GEN_PROT_WRITE | GEN_PROT_EXECUTE)

struct arch;

/* Where the machine keeps what. */
struct gen_layout {
	unsigned gl_page_shift;
	unsigned gl_ptr_len; /* bytes in a pointer and in a long */
	bool gl_big_endian;
	bool gl_dump_avail;	  /* the minidump has the section */
	uint64_t gl_kernbase;	  /* the header's */
	uint64_t gl_kernbase_sym; /* the symbol's */
	uint64_t gl_kva_len;	  /* bytes from kernbase that the tables span */
	uint64_t gl_kva_min;	  /* what the spec may say instead */
	uint64_t gl_kva_max;	  /* 0: nothing */
	uint64_t gl_kmem_va;	  /* room for the arena and random mappings */
	uint64_t gl_kmem_len;
	uint64_t gl_image_va;
	uint64_t gl_image_pa; /* 0 until placed, if anywhere will do */
	uint64_t gl_dmapbase;
	uint64_t gl_dmapend;
	uint64_t gl_dmapphys;
	uint64_t gl_ram_base;  /* start of the first segment */
	uint64_t gl_pa_end;    /* no physical address is this high */
	unsigned gl_mid_shift; /* page sizes besides the smallest, or 0 */
	unsigned gl_big_shift;
	unsigned gl_giga_shift;
	unsigned gl_prot_always; /* permissions that cannot be taken away */
	/* What leafs that are spelt out as smaller ones allow; 0: as before. */
	unsigned gl_prot_expanded;
	uint32_t gl_extra[2]; /* the minidump header's HDR_EXTRA fields */
};

/* The fields of a minidump's header after the first four: bytes. */
enum hdr_field {
	HDR_END,
	HDR_KERNBASE, /* a pointer, and the next three */
	HDR_DMAPBASE,
	HDR_DMAPEND,
	HDR_DMAPPHYS,
	HDR_AVAIL, /* 4, and the next two */
	HDR_EXTRA_0,
	HDR_EXTRA_1,
};

/* The shape of the page tables; gt_shift of the root comes first. */
struct geometry {
	unsigned gt_nlevels;
	unsigned gt_shift[GEN_MAX_LEVELS];
	unsigned gt_entry_len;
	uint64_t gt_base;     /* va of the root's entry 0 */
	uint64_t gt_nentries; /* of the root */
	bool gt_root_in_memory;
};

/* One run of equal leaf mappings. */
struct kmap_run {
	uint64_t gm_va;
	uint64_t gm_pa;
	uint64_t gm_len;
	uint8_t gm_shift; /* log2 of what one leaf maps */
	uint8_t gm_prot;
	bool gm_dmap; /* part of the direct map of a full dump */
};

struct kmap {
	struct kmap_run *runs;
	size_t nruns;
	size_t maxruns;
	uint64_t next; /* offset into kmem of the first free address */
};

/* An entry to encode. */
struct leaf {
	uint64_t va;
	uint64_t pa;
	unsigned entry_shift; /* log2 of what the entry itself covers */
	unsigned page_shift;  /* log2 of the page it is a piece of */
	unsigned prot;
	uint64_t bits; /* random; 0 for no software bits */
};

struct phys {
	struct gen_seg segs[GEN_MAX_SEGS];
	uint64_t first[GEN_MAX_SEGS + 1]; /* number of a segment's first page */
	unsigned nsegs;
	uint64_t npages;
	uint64_t npresent;
	uint64_t *present; /* bitmaps by page number */
	uint64_t *taken;   /* present or absent for good */
	uint64_t *rank;	   /* present pages before each word of the bitmap */
	uint8_t **over;	   /* what replaces a page's words, or NULL */
	uint64_t *kmap_va; /* by number among the present pages */
};

struct tables {
	uint8_t *root;
	size_t root_len;
	uint64_t root_pa;  /* when it is in memory */
	uint64_t *pages;   /* physical addresses of the tables below the root */
	uint64_t *page_va; /* the first address that each of them maps */
	size_t npages;
	size_t maxpages;
	uint8_t *lost; /* by entry of the root: its table is absent */
};

enum section {
	SEC_ABS,
	SEC_TEXT,
	SEC_RODATA,
	SEC_DATA,
	SEC_BSS,
	SEC_NSECTIONS,
};

struct symbol {
	const char *sy_name;
	uint64_t sy_va;
	uint64_t sy_len;
	enum section sy_section;
	bool sy_local;
};

struct kimage {
	uint64_t len;
	uint64_t sec_va[SEC_NSECTIONS];
	uint64_t sec_len[SEC_NSECTIONS];
	uint64_t sec_used[SEC_NSECTIONS];
	struct symbol *syms;
	size_t nsyms;
	size_t maxsyms;
	uint64_t arena_va; /* the kernel's data in the kernel map */
	uint64_t arena_len;
	uint64_t arena_used;
	uint64_t *arena_pa; /* of each page */
	uint64_t heap_pa;   /* and, contiguous, in the direct map */
	uint64_t heap_len;
	uint64_t heap_used;
};

/* A register in a saved context. */
enum reg_role {
	REG_ANY,
	REG_PC,
	REG_SP,
	REG_FP,
	REG_CODE_SEG,
	REG_VOLATILE, /* not kept for a thread that was switched out */
};

struct reg {
	char name[12];
	unsigned off;
	unsigned len;
	enum reg_role role;
};

/* Where the fields of struct proc and struct thread lie. */
struct proc_offsets {
	unsigned p_pid, p_comm, p_list, p_hash, p_threads, proc_len;
	unsigned td_tid, td_name, td_oncpu, td_pcb, td_plist, thread_len;
};

/*
 * One kernel's: every machine has the same but for what struct thread has of
 * its own.  Each generated kernel moves them by chance.
 */
#define PROC_OFFSETS_64(oncpu, thread)                                         \
	{                                                                      \
		.p_threads = 16, .p_pid = 196, .p_hash = 200, .p_comm = 984,   \
		.proc_len = 1320, .td_plist = 16, .td_tid = 160,               \
		.td_name = 700, .td_pcb = 1080, .td_oncpu = (oncpu),           \
		.thread_len = (thread)                                         \
	}
#define PROC_OFFSETS_32                                                        \
	{                                                                      \
		.p_threads = 8, .p_pid = 120, .p_hash = 124, .p_comm = 640,    \
		.proc_len = 880, .td_plist = 8, .td_tid = 80, .td_name = 460,  \
		.td_pcb = 704, .td_oncpu = 844, .thread_len = 960              \
	}

/* How the debugger sees this machine. */
struct abi {
	struct proc_offsets off;
	unsigned maxcpus;
	int hz;
	const char *pcb_text; /* registers: see regs.c */
	unsigned pcb_len;
	const char *prstatus_text; /* of a hypervisor's core; or NULL */
	const char *frame_text;	   /* trap frame */
	unsigned frame_len;
	unsigned kern_frame_len; /* of one from kernel mode; 0: the same */
	/* What the texts say; the last is followed by one without a name. */
	struct reg pcb[GEN_MAX_REGS];
	struct reg prstatus[GEN_MAX_REGS];
	struct reg frame[GEN_MAX_REGS];
	uint64_t kern_cs;
	uint64_t user_cs;
	bool fp_past_record; /* the frame pointer points past its record */
	/* Handlers, and what lies between their sp and the trap frame. */
	const char *trap, *syscall, *stop;
	unsigned trap_gap, syscall_gap, stop_gap, fork_gap;
	const char *prologue; /* of every function */
	unsigned prologue_len;
	/* In a trap frame, of a system call: the number, and what says so. */
	const char *number; /* register */
	struct {
		unsigned off, len; /* len 0: nothing does */
		uint64_t value;
	} why;
	bool fp_past_frame; /* handlers point fp to the end of the trap frame */
};

struct arch {
	const char *ga_name;
	const char *ga_hdr_name; /* in a minidump's header; NULL: the same */
	uint16_t ga_machine;	 /* ELF e_machine */
	unsigned ga_max_version;
	unsigned ga_flags; /* of gs_flags, those that mean something */
	bool ga_full;
	const char *ga_root_table; /* symbol of the root, if in the image */
	struct gen_layout ga_lay;
	struct geometry ga_minidump; /* the shape of the tables there */
	struct geometry ga_fulldump;
	struct abi ga_abi;
	enum hdr_field ga_hdr[GEN_MAX_HDR];
	/* What the spec changes in them.  NULL, or why there is no such. */
	const char *(*ga_adjust)(struct gen *);
	uint64_t (*ga_leaf)(const struct gen *, const struct leaf *);
	uint64_t (*ga_table)(const struct gen *, unsigned level, uint64_t pa);
	/* Add the symbols that address translation looks for; or NULL. */
	void (*ga_root)(struct gen *);
};

extern const struct arch arch_amd64, arch_i386, arch_arm64, arch_riscv64,
    arch_arm;

/* Sections of a minidump. */
struct sections {
	uint64_t msgbuf_off, msgbuf_len;
	uint64_t avail_off, avail_len;
	uint64_t bitmap_off, bitmap_len;
	uint64_t pmap_off, pmap_len;
	uint64_t pages_off, file_len;
};

struct gen {
	struct gen_spec g_spec; /* with the defaults filled in */
	const struct arch *g_arch;
	struct rng g_rng;
	struct gen_layout g_lay;
	struct geometry g_geom;
	struct abi g_abi;
	struct phys g_phys;
	struct kimage g_image;
	struct kmap g_kmap;
	struct tables g_tables;
	struct sections g_sec;
	/* The kernel that a debugger would see. */
	uint8_t *g_ring;       /* the message buffer, gs_msgbuf_len bytes */
	uint8_t g_msgbuf[128]; /* struct msgbuf, in the kernel's layout */
	size_t g_msgbuf_len;
	uint64_t g_ring_va;
	char *g_text; /* the message buffer unrolled */
	size_t g_text_len;
	char g_version[160];
	char g_panicstr[80];
	uint32_t g_dpcpu[GEN_MAX_CPUS];
	uint64_t g_pcpu[GEN_MAX_CPUS]; /* struct pcpu of each CPU */
	uint8_t g_prstatus[GEN_MAX_CPUS][GEN_PRSTATUS_LEN];
	uint32_t g_vnet[GEN_NVNETS];
	struct gen_thread *g_threads;
	unsigned g_nthreads;
	unsigned g_maxthreads;
	uint64_t g_sysent; /* struct sysentvec of all processes */
	struct gen_module g_mods[GEN_MAX_MODS];
	unsigned g_nmods;
};

/* Of a stack, for each frame of a recursion: more than stack.c needs. */
#define GEN_FRAME_ROOM 96

/* gen.c */
void *gen_zalloc(size_t n, size_t len);
void *gen_grow(void *p, size_t *max, size_t len);
void gen_put(const struct gen *, void *p, unsigned len, uint64_t value);
uint64_t gen_get(const struct gen *, const void *p, unsigned len);

static inline uint64_t
gen_page_size(const struct gen *g)
{
	return ((uint64_t)1 << g->g_lay.gl_page_shift);
}

static inline uint64_t
gen_trunc_page(const struct gen *g, uint64_t x)
{
	return (x & ~(gen_page_size(g) - 1));
}

static inline uint64_t
gen_round_page(const struct gen *g, uint64_t x)
{
	return (gen_trunc_page(g, x + gen_page_size(g) - 1));
}

static inline uint64_t
gen_round_up(uint64_t x, uint64_t align)
{
	return ((x + align - 1) / align * align);
}

/* phys.c */
const char *phys_init(struct gen *);
void phys_fini(struct gen *);
bool phys_number(const struct gen *, uint64_t pa, uint64_t *n);
uint64_t phys_addr(const struct gen *, uint64_t n);
bool phys_is_ram(const struct gen *, uint64_t pa, uint64_t len);
bool phys_is_present(const struct gen *, uint64_t n);
bool phys_is_taken(const struct gen *, uint64_t n);
bool phys_is_dumped(const struct gen *, uint64_t pa, uint64_t *n);
void phys_take(struct gen *, uint64_t n);   /* present, and spoken for */
void phys_forget(struct gen *, uint64_t n); /* absent, and spoken for */
uint64_t phys_take_any(struct gen *);	    /* returns its address */
uint64_t phys_take_run(struct gen *, uint64_t npages, uint64_t align);
void phys_show(struct gen *, uint64_t pa, uint64_t len);
bool phys_find_absent(struct gen *, uint64_t *pa);
void phys_fill(struct gen *, uint64_t npresent);
uint8_t *phys_over(struct gen *, uint64_t pa);
void phys_freeze(struct gen *);
uint64_t phys_rank(const struct gen *, uint64_t n);
void phys_copy(const struct gen *, uint64_t pa, void *buf, size_t len);

/* regs.c */
/* Where a thread stopped. */
struct context {
	uint64_t pc, sp, fp;
};
void regs_parse(struct reg regs[GEN_MAX_REGS], const char *text,
    unsigned word_len);
uint64_t regs_value(struct gen *, const struct reg *, const struct context *,
    uint64_t cs);

/* kimage.c */
const char *kimage_init(struct gen *);
void kimage_fini(struct gen *);
uint64_t kimage_symbol(struct gen *, const char *name, enum section, size_t len,
    size_t align);
void kimage_label(struct gen *, const char *name, enum section, uint64_t va,
    size_t len);
void kimage_int(struct gen *, const char *name, enum section, int value);
void kimage_ptr(struct gen *, const char *name, enum section, uint64_t value);
void kimage_string(struct gen *, const char *name, enum section, const char *);
const struct symbol *kimage_find(const struct gen *, const char *name);
const struct symbol *kimage_function(const struct gen *, uint64_t pc);
uint64_t kimage_alloc(struct gen *, size_t len, size_t align);
uint64_t kimage_alloc_arena(struct gen *, size_t len, size_t align);
uint8_t *kimage_bytes(struct gen *, uint64_t va);
void kimage_store(struct gen *, uint64_t va, const void *buf, size_t len);
void kimage_poke(struct gen *, uint64_t va, unsigned len, uint64_t value);
void kimage_poke_ptr(struct gen *, uint64_t va, uint64_t value);

/* kdata.c, msgbuf.c, module.c, proc.c, stack.c */
void kdata_init(struct gen *);
void msgbuf_init(struct gen *);
void msgbuf_fini(struct gen *);
void module_init(struct gen *);
void proc_init(struct gen *);
void proc_fini(struct gen *);

/* A function on a stack, and how control left it. */
enum call {
	CALL_PLAIN,   /* it called the function before it */
	CALL_TRAP,    /* handler of a trap from kernel mode */
	CALL_SYSCALL, /* handler of a trap from user mode */
	CALL_FORK,    /* where a new thread starts */
};
struct call_site {
	const char *function;
	enum call call;
	unsigned again; /* stands where the frame so far outwards does; or 0 */
};
void stack_init_syscalls(struct gen *);
void stack_build(struct gen *, struct gen_thread *, uint64_t top,
    const struct call_site *, unsigned n, struct context *);

/* kmap.c */
void kmap_init(struct gen *);
void kmap_fini(struct gen *);
void kmap_add(struct gen *, const struct kmap_run *);
uint64_t kmap_reserve(struct gen *, uint64_t len, uint64_t align);
void kmap_plan(struct gen *);
void kmap_sort(struct gen *);
const struct kmap_run *kmap_find(const struct gen *, uint64_t va);

/* tables.c */
void tables_init(struct gen *);
void tables_fini(struct gen *);
void tables_build(struct gen *);
void tables_lose(struct gen *);
bool tables_lost(const struct gen *, uint64_t va);

/* minidump.c, elfcore.c */
void minidump_plan(struct gen *);
int minidump_write(struct gen *, int fd);
void elfcore_plan(struct gen *);
int elfcore_write(struct gen *, int fd);
uint64_t elfcore_seg_off(const struct gen *, unsigned seg);

/* read.c */
void read_index(struct gen *);

/* out.c: all that is zero becomes a hole */
int out_bytes(int fd, uint64_t off, const void *buf, size_t len);

#endif /* GEN_GEN_H */
