/*
 * i386, with two and with three levels of page tables.
 *
 * Version 1 comes from a kernel at 0xc0000000, its image loaded 3 GB lower.
 * Version 2 comes from one with an address space of its own, whose image is
 * identity mapped.  Full dumps can be of either.
 */
#include "tests/gen/gen.h"

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

static const struct geometry pae_fulldump = {
	.gt_nlevels = 3,
	.gt_shift = { 30, 21, 12 },
	.gt_nentries = 4,
	.gt_root_in_memory = true,
};

static const char *
i386_adjust(struct gen *g)
{
	struct gen_layout *lay = &g->g_lay;
	bool minidump = g->g_spec.gs_format == GEN_MINIDUMP;

	lay->gl_dump_avail = g->g_spec.gs_version >= 2;
	if (i386_identity(g)) {
		lay->gl_kernbase = 8 * MB;
		lay->gl_kva_len = 472 * MB;
		lay->gl_image_va = lay->gl_image_pa = 12 * MB;
	}
	lay->gl_kernbase_sym = lay->gl_kernbase;
	lay->gl_kmem_va = lay->gl_image_va + 8 * MB;
	lay->gl_kva_max = 4 * GB - lay->gl_kernbase;
	if (minidump)
		lay->gl_prot_expanded = GEN_PROT_ALL;
	/* Newer kernels pass the frame by reference: push %esp. */
	if (g->g_spec.gs_version >= 2)
		g->g_abi.trap_gap = g->g_abi.syscall_gap = 4;
	if (!i386_pae(g))
		return (NULL);
	lay->gl_extra[0] = 1;
	lay->gl_pa_end = 64 * GB;
	lay->gl_big_shift = 21;
	lay->gl_prot_always = 0;
	if (!minidump)
		g->g_geom = pae_fulldump;
	g->g_geom.gt_entry_len = 8;
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

/*
 * A kernel with an address space of its own serves both page-table formats, as
 * FreeBSD's do since 13: it has both symbols, and one of them stays 0.
 */
static void
i386_root(struct gen *g)
{
	uint64_t root = g->g_tables.root_pa;

	if (i386_pae(g) || i386_identity(g))
		kimage_ptr(g, "IdlePDPT", SEC_DATA, i386_pae(g) ? root : 0);
	if (!i386_pae(g))
		kimage_ptr(g, i386_identity(g) ? "IdlePTD_nopae" : "IdlePTD",
		    SEC_DATA, root);
}

const struct arch arch_i386 = {
	.ga_name = "i386",
	.ga_machine = 3,
	.ga_max_version = 2,
	.ga_flags = GEN_PAE | GEN_IDENTITY,
	.ga_full = true,
	.ga_hdr = { HDR_KERNBASE, HDR_EXTRA_0, HDR_AVAIL },
	.ga_lay = {
		.gl_page_shift = 12,
		.gl_ptr_len = 4,
		.gl_kernbase = 3 * GB,
		.gl_kva_len = GB - 4 * MB,
		.gl_kva_min = 28 * MB,
		.gl_image_va = 3 * GB + 4 * MB,
		.gl_image_pa = 4 * MB,
		.gl_pa_end = 4 * GB,
		.gl_big_shift = 22,
		.gl_prot_always = GEN_PROT_EXECUTE,
	},
	.ga_minidump = {
		.gt_nlevels = 1,
		.gt_shift = { 12 },
		.gt_entry_len = 4,
	},
	.ga_fulldump = {
		.gt_nlevels = 2,
		.gt_shift = { 22, 12 },
		.gt_nentries = 1024,
		.gt_root_in_memory = true,
		.gt_entry_len = 4,
	},
	.ga_abi = {
		.off = PROC_OFFSETS_32,
		.maxcpus = 32,
		.hz = 100,
		.pcb_text = "edi esi ebp=fp esp=sp ebx eip=pc",
		.pcb_len = 192,
		/* esp is there for a trap from user mode only. */
		.frame_text = "@12 edi esi ebp=fp @28 ebx edx ecx eax "
			      "@52 eip=pc cs=seg eflags esp=sp",
		.frame_len = 72,
		.kern_frame_len = 64,
		.kern_cs = 0x20,
		.user_cs = 0x33,
		.trap = "calltrap",
		.syscall = "Xint0x80_syscall",
		.number = "eax",
		.stop = "Xcpustop",
		.fork_gap = 12,
		.prologue = "\x55\x89\xe5", /* push %ebp; mov */
		.prologue_len = 3,
	},
	.ga_adjust = i386_adjust,
	.ga_leaf = i386_leaf,
	.ga_table = i386_table,
	.ga_root = i386_root,
};
