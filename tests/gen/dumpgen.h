/*
 * dumpgen: makes kernel dumps of which every byte is known.
 *
 * The generator is the oracle for the readers, so it shares nothing with
 * them: it encodes each format from the description of the format alone.
 *
 * What a generated machine is made of:
 *
 *   physical memory   segments with holes between them.  A page is present
 *                     (it is in the dump) or absent.  A present page holds
 *                     gen_word(seed, pa) in each 8 bytes, little-endian on
 *                     every machine; page tables and the kernel's own data
 *                     lie over that.
 *   kernel map        the kernel's image, an arena for its data, then
 *                     mappings at random: small pages in runs and singles,
 *                     2 MB and 1 GB pages, holes, pages that are absent from
 *                     the dump, addresses that are no memory at all.
 *   direct map        where the machine has one.  Present pages that only it
 *                     reaches are part of every dump.
 *   kernel            symbols, processes, threads with stacks, CPUs, modules
 *                     and a message buffer, as a debugger looks for them.
 *
 * All of it follows from the spec and its seed: the same spec makes the same
 * bytes.  A minidump holds the present pages.  A full ELF dump holds all of
 * every segment, with zeros where a page is not "present".
 *
 * A host that has no memory left ends the program, through err(3).
 */
#ifndef DUMPGEN_H
#define DUMPGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gen;

enum gen_format {
	GEN_MINIDUMP,
	GEN_FULL,
};

/* gs_flags */
#define GEN_PAE		0x0001	/* i386: three-level page tables */
#define GEN_BIG_ENDIAN	0x0002	/* arm: a big-endian kernel */
#define GEN_PAGE_16K	0x0004	/* arm64 version 3: 16 KiB pages */
#define GEN_RELOCATED	0x0008	/* amd64 full: kernel not loaded at 2 MB */
#define GEN_DUMP_DELTA	0x0010	/* amd64 full: load address in the headers */
#define GEN_IDENTITY	0x0020	/* i386: kernel image at va = pa */
#define GEN_UNALIGNED	0x0040	/* segment bounds inside pages */
#define GEN_ALIASES	0x0080	/* some pages are mapped twice */
#define GEN_LOSE_TABLES 0x0100	/* amd64: some page-table pages are absent */
#define GEN_PLAIN	0x0200	/* small pages, all of them present */
#define GEN_WRAPPED	0x0400	/* the message buffer has wrapped */
#define GEN_HIGH_BITS	0x0800	/* software bits set in page-table entries */
#define GEN_ODD_TABLES	0x1000	/* arm: tables end inside a page, then pages */
#define GEN_ROUNDED	0x2000	/* ... but the pages start at the next one */
#define GEN_LIVE	0x4000	/* no panic, and no CPU was stopped */
#define GEN_QEMU	0x8000	/* amd64 full: QEMU's core of its mappings */
#define GEN_STRIPPED	0x10000 /* the kernel's file has .dynsym alone */
#define GEN_NO_LIST	0x20000 /* the kernel has no allproc */

struct gen_seg {
	uint64_t start;
	uint64_t end;
};

/* What to make.  A zero in any field but the first asks for the default. */
struct gen_spec {
	const char *gs_arch; /* amd64, i386, arm64, riscv64, arm */
	enum gen_format gs_format;
	unsigned gs_version; /* of a minidump; default: the newest */
	unsigned gs_flags;
	uint64_t gs_seed;
	uint64_t gs_mem_len;	 /* bytes of present pages */
	uint64_t gs_phys_len;	 /* bytes of physical memory */
	uint64_t gs_kva_len;	 /* bytes that the page tables span */
	unsigned gs_map_percent; /* of present pages, in the kernel map */
	unsigned gs_big_percent; /* besides: in large pages, all present */
	unsigned gs_run_max;	 /* pages in one run of small mappings */
	uint32_t gs_msgbuf_len;	 /* bytes of the ring */
	unsigned gs_nprocs;	 /* 0: a kernel without processes */
	unsigned gs_recursion;	 /* frames of two functions, on the stack of the
				    thread that crashed */
	unsigned gs_ncpus;
	unsigned gs_osreldate;	       /* __FreeBSD_version */
	const struct gen_seg *gs_segs; /* default: random ones */
	unsigned gs_nsegs;
};

/* The i'th architecture, from 0; false past the last. */
struct gen_arch_info {
	const char *name;
	unsigned max_version; /* of minidumps, from 1 */
	unsigned flags;	      /* of gs_flags, those that are its own */
	bool full;	      /* there are full dumps of it */
};
bool gen_arch_info(unsigned i, struct gen_arch_info *);

/* Every kind of dump there is, for tests that go through them all. */
struct gen_variant {
	const char *gv_name;
	const char *gv_arch;
	enum gen_format gv_format;
	unsigned gv_version;
	unsigned gv_flags;
};
const struct gen_variant *gen_variants(unsigned *n);
const struct gen_variant *gen_variant_find(const char *name); /* or NULL */
struct gen_spec gen_variant_spec(const struct gen_variant *, uint64_t seed);

/* NULL, and a text in *why, when the spec asks for what cannot be. */
struct gen *gen_create(const struct gen_spec *spec, const char **why);
void gen_destroy(struct gen *);

/* Write the dump, or the kernel's ELF file.  0, or -1 with errno. */
int gen_write_core(struct gen *, const char *path);
int gen_write_kernel(struct gen *, const char *path);

/* The 8 bytes at pa (a multiple of 8) of a page that nothing overlays. */
static inline uint64_t
gen_word(uint64_t seed, uint64_t pa)
{
	uint64_t x;

	x = ((pa >> 3) + seed * 0xd1342543de82ef95) * 0x9e3779b97f4a7c15;
	return (x ^ (x >> 32));
}

/* Fill buf with the words of [pa, pa + len), any alignment. */
void gen_fill(uint64_t seed, uint64_t pa, void *buf, size_t len);

/* Facts about the file. */
struct gen_facts {
	unsigned page_size;
	unsigned version;
	uint64_t file_len;
	uint64_t npages;   /* pages in the dump */
	uint64_t ntables;  /* of these, page-table pages */
	uint64_t kernbase; /* of the header */
	uint64_t dmapbase; /* direct map; both 0 where there is none */
	uint64_t dmapend;
	uint64_t dmapphys;
	uint64_t kernel_pa;  /* where the kernel's image was loaded */
	uint64_t msgbuf_off; /* sections of a minidump, in file order */
	uint64_t msgbuf_len; /* lengths as the header gives them */
	uint64_t avail_off;
	uint64_t avail_len;
	uint64_t bitmap_off;
	uint64_t bitmap_len;
	uint64_t pmap_off;
	uint64_t pmap_len;
	uint64_t pages_off;
	unsigned nsegs;
	const struct gen_seg *segs;
};
void gen_facts(const struct gen *, struct gen_facts *);

/* What a read of kernel memory comes to. */
enum gen_result {
	GEN_OK,
	GEN_UNMAPPED,	   /* no mapping there */
	GEN_NOT_DUMPED,	   /* mapped, but the page is not in the dump */
	GEN_TABLE_MISSING, /* its page-table page is not in the dump */
};

/*
 * The len bytes of kernel memory at va that a correct reader must return.
 * *got is how many there are before the first that it must refuse, and the
 * result says why it must.
 */
enum gen_result gen_read(const struct gen *, uint64_t va, void *buf, size_t len,
    size_t *got);

/* The same for physical memory. */
enum gen_result gen_read_phys(const struct gen *, uint64_t pa, void *buf,
    size_t len, size_t *got);

#define GEN_PROT_READ	 1
#define GEN_PROT_WRITE	 2
#define GEN_PROT_EXECUTE 4

/* A piece of the kernel map, alike all through, in ascending order of va. */
struct gen_mapping {
	uint64_t va;
	uint64_t pa;
	uint64_t len;
	uint64_t leaf_len; /* bytes that one entry maps */
	unsigned prot;
	enum gen_result state;
};
/* The callback goes on by returning true. */
typedef bool gen_mapping_cb(const struct gen_mapping *, void *);
bool gen_foreach_mapping(const struct gen *, gen_mapping_cb *, void *);

/* The mapping of the page at va alone; false when there is none. */
bool gen_mapping_at(const struct gen *, uint64_t va, struct gen_mapping *);

/* A page of the dump, in ascending order of pa. */
struct gen_page {
	uint64_t pa;
	uint64_t off;	  /* into the file */
	uint64_t kmap_va; /* lowest address in the kernel map, or 0 */
	uint64_t dmap_va; /* address in the direct map, or 0 */
};
typedef bool gen_page_cb(const struct gen_page *, void *);
bool gen_foreach_page(const struct gen *, gen_page_cb *, void *);

/* Where the file keeps the page at pa; false when it does not. */
bool gen_page_off(const struct gen *, uint64_t pa, uint64_t *off);

/* Physical addresses of the page tables in memory, the root first if it is. */
size_t gen_tables(const struct gen *, const uint64_t **pas);

/* A symbol of the kernel; false when it has none of that name. */
bool gen_symbol(const struct gen *, const char *name, uint64_t *va);

/* The text of the message buffer, oldest first. */
const char *gen_msgbuf_text(const struct gen *, size_t *len);

#define GEN_MAX_REGS   40
#define GEN_MAX_FRAMES 32 /* without a recursion */

enum gen_thread_state {
	GEN_CRASHED,
	GEN_RUNNING,   /* stopped on its CPU */
	GEN_STOPPED,   /* switched out */
	GEN_UNSTOPPED, /* on a CPU that did not stop */
	GEN_DUMPING,   /* wrote the dump without a panic */
};

struct gen_frame {
	uint64_t pc;
	const char *symbol;
	uint64_t offset;
};

struct gen_thread {
	int pid;
	int tid;
	int cpu; /* -1 when on none */
	enum gen_thread_state state;
	char comm[20];
	char name[20];
	char display_name[80];
	unsigned nregs;
	struct gen_reg {
		const char *name; /* gdb's */
		unsigned len;	  /* bytes */
		uint64_t value;
		bool optional; /* perhaps stale: may be left out */
	} regs[GEN_MAX_REGS];
	unsigned nframes;
	struct gen_frame *frames;
	uint64_t user_pc; /* where user mode was left for a system call, or 0 */
	uint64_t user_sp;
	int syscall;		  /* its number */
	const char *syscall_name; /* NULL if user_pc is 0 */
};

struct gen_module {
	char name[32];
	char path[64];
	int id;
	int refs;
	uint64_t address;
	uint64_t size;
};

/* In the order of the kernel's lists.  Belong to the gen. */
const struct gen_thread *gen_threads(const struct gen *, unsigned *n);
const struct gen_module *gen_modules(const struct gen *, unsigned *n);

/* Per-CPU variable "gen_value" of each CPU; its symbol is pcpu_entry_... */
uint32_t gen_dpcpu_value(const struct gen *, unsigned cpu);
unsigned gen_ncpus(const struct gen *);
const char *gen_panicstr(const struct gen *);
const char *gen_version(const struct gen *);

/* Write all that is expected as JSON.  0, or -1 with errno. */
int gen_write_json(const struct gen *, const char *path);

#endif /* DUMPGEN_H */
