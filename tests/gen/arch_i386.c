/*
 * i386, with two and with three levels of page tables.
 *
 * Version 1 comes from a kernel at 0xc0000000, its image loaded 3 GB lower.
 * Version 2 comes from one with an address space of its own, whose image is
 * identity mapped.  Full dumps can be of either.
 */
#include <string.h>

#include "tests/gen/gen.h"

#define MB ((uint64_t)1 << 20)
#define GB ((uint64_t)1 << 30)

#define PTE_V	  0x001
#define PTE_RW	  0x002
#define PTE_A	  0x020
#define PTE_M	  0x040
#define PTE_PS	  0x080
#define PTE_G	  0x100
#define PTE_AVAIL 0xe00
#define PTE_PSPAT 0x1000
#define PAE_SOFT  0x7ff0000000000000 /* 52-62 */
#define PAE_NX	  0x8000000000000000

static bool
i386_pae(const struct gen *g)
{
	return ((g->g_spec.gs_flags & GEN_PAE) != 0);
}

static bool
i386_identity(const struct gen *g)
{
	if (g->g_spec.gs_format == GEN_MINIDUMP && g->g_spec.gs_version == 2)
		return (true);
	return ((g->g_spec.gs_flags & GEN_IDENTITY) != 0);
}

static void
i386_geometry(struct gen *g)
{
	if (g->g_spec.gs_format == GEN_MINIDUMP)
		g->g_geom = (struct geometry){
			.gt_nlevels = 1,
			.gt_shift = { 12 },
		};
	else if (i386_pae(g))
		g->g_geom = (struct geometry){
			.gt_nlevels = 3,
			.gt_shift = { 30, 21, 12 },
			.gt_nentries = 4,
			.gt_root_in_memory = true,
		};
	else
		g->g_geom = (struct geometry){
			.gt_nlevels = 2,
			.gt_shift = { 22, 12 },
			.gt_nentries = 1024,
			.gt_root_in_memory = true,
		};
	g->g_geom.gt_entry_len = i386_pae(g) ? 8 : 4;
}

static const char *
i386_layout(struct gen *g)
{
	struct layout *lay = &g->g_lay;
	uint64_t end;

	lay->gl_page_shift = 12;
	lay->gl_ptr_len = 4;
	lay->gl_dump_avail = g->g_spec.gs_version >= 2;
	if (i386_identity(g)) {
		lay->gl_kernbase = 8 * MB;
		lay->gl_kva_len = 472 * MB;
		lay->gl_image_va = lay->gl_image_pa = 12 * MB;
	} else {
		lay->gl_kernbase = 3 * GB;
		lay->gl_kva_len = GB - 4 * MB;
		lay->gl_image_va = 3 * GB + 4 * MB;
		lay->gl_image_pa = 4 * MB;
	}
	if (g->g_spec.gs_kva_len != 0)
		lay->gl_kva_len = g->g_spec.gs_kva_len;
	end = lay->gl_kernbase + lay->gl_kva_len;
	lay->gl_kernbase_sym = lay->gl_kernbase;
	lay->gl_kmem_va = lay->gl_image_va + 8 * MB;
	if (end > 4 * GB || lay->gl_kmem_va + 16 * MB > end)
		return ("kernel map too small or too large");
	lay->gl_kmem_len = end - lay->gl_kmem_va;
	lay->gl_pa_end = i386_pae(g) ? 64 * GB : 4 * GB;
	lay->gl_big_shift = i386_pae(g) ? 21 : 22;
	if (!i386_pae(g))
		lay->gl_prot_always = GEN_PROT_EXECUTE;
	if (g->g_spec.gs_format == GEN_MINIDUMP)
		lay->gl_prot_expanded = GEN_PROT_ALL;
	i386_geometry(g);
	return (NULL);
}

static uint64_t
i386_leaf(const struct gen *g, const struct leaf *leaf)
{
	uint64_t e = leaf->pa | PTE_V | PTE_A;

	if (g->g_geom.gt_nlevels == 1 && leaf->page_shift > leaf->entry_shift)
		return (e | PTE_RW | PTE_M);
	if ((leaf->prot & GEN_PROT_WRITE) != 0)
		e |= PTE_RW | PTE_M;
	if (leaf->entry_shift > 12)
		e |= PTE_PS | (leaf->bits & PTE_PSPAT);
	e |= PTE_G | (leaf->bits & PTE_AVAIL);
	if (!i386_pae(g))
		return (e);
	if ((leaf->prot & GEN_PROT_EXECUTE) == 0)
		e |= PAE_NX;
	return (e | (leaf->bits & PAE_SOFT));
}

/* The four entries of the page-directory-pointer table hold V alone. */
static uint64_t
i386_table(const struct gen *g, unsigned level, uint64_t pa)
{
	if (i386_pae(g) && level == 0)
		return (pa | PTE_V);
	return (pa | PTE_V | PTE_RW | PTE_A);
}

static void
i386_header(const struct gen *g, uint8_t *page)
{
	strcpy((char *)page, "minidump FreeBSD/i386");
	gen_put(g, page + 40, 4, g->g_lay.gl_kernbase);
	gen_put(g, page + 44, 4, i386_pae(g));
	gen_put(g, page + 48, 4, g->g_sec.avail_len);
}

/*
 * A kernel with an address space of its own serves both page-table formats, as
 * FreeBSD's do since 13: it has both symbols, and one of them stays 0.
 */
static void
i386_root(struct gen *g)
{
	uint64_t root = g->g_tables.root_pa;

	kimage_label(g, "kernbase", SEC_ABS, g->g_lay.gl_kernbase_sym, 0);
	if (i386_pae(g) || i386_identity(g))
		kimage_ptr(g, "IdlePDPT", SEC_DATA, i386_pae(g) ? root : 0);
	if (!i386_pae(g))
		kimage_ptr(g, i386_identity(g) ? "IdlePTD_nopae" : "IdlePTD",
		    SEC_DATA, root);
}

static const struct reg i386_pcb[] = {
	{ "edi", 0, 4, REG_ANY },
	{ "esi", 4, 4, REG_ANY },
	{ "ebp", 8, 4, REG_FP },
	{ "esp", 12, 4, REG_SP },
	{ "ebx", 16, 4, REG_ANY },
	{ "eip", 20, 4, REG_PC },
	{ NULL, 0, 0, REG_ANY },
};

/* esp is there for a trap from user mode only. */
static const struct reg i386_frame[] = {
	{ "edi", 12, 4, REG_ANY },
	{ "esi", 16, 4, REG_ANY },
	{ "ebp", 20, 4, REG_FP },
	{ "ebx", 28, 4, REG_ANY },
	{ "edx", 32, 4, REG_ANY },
	{ "ecx", 36, 4, REG_ANY },
	{ "eax", 40, 4, REG_ANY },
	{ "eip", 52, 4, REG_PC },
	{ "cs", 56, 4, REG_CODE_SEG },
	{ "eflags", 60, 4, REG_ANY },
	{ "esp", 64, 4, REG_SP },
	{ NULL, 0, 0, REG_ANY },
};

static void
i386_abi(const struct gen *g, struct abi *abi)
{
	static const uint8_t push_ebp_mov[] = { 0x55, 0x89, 0xe5 };

	*abi = (struct abi){
		.p_threads = 8,
		.p_pid = 120,
		.p_hash = 124,
		.p_comm = 640,
		.proc_len = 880,
		.td_plist = 8,
		.td_tid = 80,
		.td_name = 460,
		.td_pcb = 704,
		.td_oncpu = 844,
		.thread_len = 960,
		.maxcpus = 32,
		.hz = 100,
		.pcb = i386_pcb,
		.pcb_len = 192,
		.frame = i386_frame,
		.frame_len = 72,
		.kern_frame_len = 64,
		.kern_cs = 0x20,
		.user_cs = 0x33,
		.trap = "calltrap",
		.syscall = "Xint0x80_syscall",
		.number = "eax",
		.stop = "Xcpustop",
		.fork_gap = 12,
		.fork_has_frame = true,
		.prologue = push_ebp_mov,
		.prologue_len = sizeof(push_ebp_mov),
	};
	/* Newer kernels pass the frame by reference: push %esp. */
	if (g->g_spec.gs_version >= 2)
		abi->trap_gap = abi->syscall_gap = 4;
}

const struct arch arch_i386 = {
	.ga_name = "i386",
	.ga_machine = 3,
	.ga_max_version = 2,
	.ga_flags = GEN_PAE | GEN_IDENTITY,
	.ga_full = true,
	.ga_layout = i386_layout,
	.ga_leaf = i386_leaf,
	.ga_table = i386_table,
	.ga_header = i386_header,
	.ga_abi = i386_abi,
	.ga_root = i386_root,
};
