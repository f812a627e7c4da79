/*
 * amd64, three generations of it.
 *
 *	version 1   kernel map in the top 2 GB, page-table entries in the file
 *	version 2   512 GB of kernel map, page-directory entries
 *	version 3   2047 GB, and a direct map at another place
 *	full dump   as version 3, with the page tables in memory
 */
#include "tests/gen/gen.h"

#define KERNEL_BASE 0xffffffff80000000 /* the image is 2 MB above it */

#define PTE_V	  0x001
#define PTE_RW	  0x002
#define PTE_A	  0x020
#define PTE_M	  0x040
#define PTE_PS	  0x080
#define PTE_G	  0x100
#define PTE_SOFT  0x7ff0000000000e00 /* 9-11 and 52-62 */
#define PTE_PSPAT 0x1000
#define PTE_NX	  0x8000000000000000

/* What each version of the minidump comes from; full dumps as the last. */
static const struct {
	uint64_t kernbase, kva_len, dmapbase, dmapend;
	bool dump_avail;
	struct geometry geom;
} generations[] = {
	{
	    .dmapbase = 0xffffff0000000000,
	    .dmapend = 0xffffff8000000000,
	    .geom = { .gt_nlevels = 1, .gt_shift = { 12 } },
	},
	{
	    .kernbase = 0xffffff8000000000,
	    .kva_len = 512 * GB,
	    .dmapbase = 0xfffffe0000000000,
	    .dmapend = 0xffffff0000000000,
	    .geom = { .gt_nlevels = 2, .gt_shift = { 21, 12 } },
	},
	{
	    .kernbase = 0xfffffe0000000000,
	    .kva_len = 2047 * GB,
	    .dmapbase = 0xfffff80000000000,
	    .dmapend = 0xfffffc0000000000,
	    .dump_avail = true,
	    .geom = { .gt_nlevels = 2, .gt_shift = { 21, 12 } },
	},
};

/* The top 2 GB, or what twice the mapped pages need. */
static void
amd64_kva_v1(struct gen *g)
{
	struct gen_layout *lay = &g->g_lay;
	uint64_t len = 2 * GB;

	while (len < 2 * g->g_spec.gs_mem_len && len < 512 * GB)
		len *= 2;
	if (g->g_spec.gs_kva_len != 0)
		len = g->g_spec.gs_kva_len;
	lay->gl_kernbase = -len;
	lay->gl_kva_len = len;
	lay->gl_kmem_va = len > 2 * GB ? -len : KERNEL_BASE + 16 * MB;
	lay->gl_kmem_len = len > 2 * GB ? len - 2 * GB : -lay->gl_kmem_va;
	lay->gl_prot_expanded = GEN_PROT_ALL;
}

static const char *
amd64_adjust(struct gen *g)
{
	struct gen_layout *lay = &g->g_lay;
	bool full = g->g_spec.gs_format == GEN_FULL;
	unsigned gen = full ? 2 : g->g_spec.gs_version - 1;

	lay->gl_kernbase = lay->gl_kmem_va = generations[gen].kernbase;
	lay->gl_kva_len = generations[gen].kva_len;
	lay->gl_kmem_len = KERNEL_BASE - lay->gl_kernbase;
	lay->gl_dmapbase = generations[gen].dmapbase;
	lay->gl_dmapend = generations[gen].dmapend;
	lay->gl_dump_avail = generations[gen].dump_avail;
	lay->gl_pa_end = full ? 64 * GB : lay->gl_dmapend - lay->gl_dmapbase;
	if (full && (g->g_spec.gs_flags & GEN_RELOCATED) != 0)
		lay->gl_image_pa = 0;
	if (!full)
		g->g_geom = generations[gen].geom;
	g->g_geom.gt_entry_len = 8;
	if (gen == 0)
		amd64_kva_v1(g);
	return (NULL);
}

static uint64_t
amd64_leaf(const struct gen *g, const struct leaf *leaf)
{
	uint64_t e = leaf->pa | PTE_V | PTE_A;

	/* Spelt out by the dump writer, with flags of its own. */
	if (g->g_geom.gt_nlevels == 1 && leaf->page_shift > leaf->entry_shift)
		return (e | PTE_RW | PTE_M);
	if ((leaf->prot & GEN_PROT_WRITE) != 0)
		e |= PTE_RW | PTE_M;
	if ((leaf->prot & GEN_PROT_EXECUTE) == 0)
		e |= PTE_NX;
	if (leaf->entry_shift > 12)
		e |= PTE_PS | (leaf->bits & PTE_PSPAT);
	return (e | PTE_G | (leaf->bits & PTE_SOFT));
}

static uint64_t
amd64_table(const struct gen *g, unsigned level, uint64_t pa)
{
	uint64_t bits;

	(void)level;
	bits = (g->g_spec.gs_flags & GEN_HIGH_BITS) != 0 ? PTE_SOFT : 0;
	return (pa | bits | PTE_V | PTE_RW | PTE_A);
}

/*
 * What pmap leaves behind: the root, and for a relocatable kernel its place.
 * A hypervisor knows the root better than the kernel.
 */
static void
amd64_root(struct gen *g)
{
	bool wrong = (g->g_spec.gs_flags & GEN_QEMU) != 0;

	kimage_ptr(g, "KPML4phys", SEC_DATA,
	    wrong ? 0x1000 : g->g_tables.root_pa);
	if ((g->g_spec.gs_flags & GEN_RELOCATED) != 0)
		kimage_ptr(g, "kernphys", SEC_DATA, g->g_lay.gl_image_pa);
}

const struct arch arch_amd64 = {
	.ga_name = "amd64",
	.ga_machine = 62,
	.ga_max_version = 3,
	.ga_flags = GEN_RELOCATED | GEN_DUMP_DELTA | GEN_LOSE_TABLES | GEN_QEMU,
	.ga_full = true,
	.ga_hdr = { HDR_KERNBASE, HDR_DMAPBASE, HDR_DMAPEND, HDR_AVAIL },
	.ga_lay = {
		.gl_page_shift = 12,
		.gl_ptr_len = 8,
		.gl_kernbase_sym = KERNEL_BASE,
		.gl_image_va = KERNEL_BASE + 2 * MB,
		.gl_image_pa = 2 * MB,
		.gl_big_shift = 21,
		.gl_giga_shift = 30,
	},
	.ga_fulldump = {
		.gt_nlevels = 4,
		.gt_shift = { 39, 30, 21, 12 },
		.gt_base = 0xffff000000000000,
		.gt_nentries = 512,
		.gt_root_in_memory = true,
	},
	.ga_abi = {
		.off = PROC_OFFSETS_64(1724, 1856),
		.maxcpus = 256,
		.hz = 100,
		.pcb_text = "r15 r14 r13 r12 rbp=fp rsp=sp rbx rip=pc",
		.pcb_len = 320,
		/* Linux's struct elf_prstatus: pr_reg is at 112. */
		.prstatus_text =
		    "@112 r15 r14 r13 r12 rbp=fp rbx r11 r10 r9 r8 rax rcx rdx "
		    "rsi rdi @240 rip=pc cs:4=seg eflags:4 rsp=sp ss:4 "
		    "@296 ds:4 es:4 fs:4 gs:4",
		.frame_text =
		    "rdi rsi rdx rcx r8 r9 rax rbx rbp=fp r10 r11 r12 r13 r14 "
		    "r15 @152 rip=pc cs=seg rflags rsp=sp",
		.frame_len = 192,
		.kern_cs = 0x20,
		.user_cs = 0x43,
		.trap = "calltrap",
		.syscall = "fast_syscall_common",
		.number = "rax",
		.stop = "Xcpustop",
		.prologue = "\x55\x48\x89\xe5", /* push %rbp; mov */
		.prologue_len = 4,
	},
	.ga_adjust = amd64_adjust,
	.ga_leaf = amd64_leaf,
	.ga_table = amd64_table,
	.ga_root = amd64_root,
};
