/*
 * amd64, three generations of it.
 *
 *	version 1   kernel map in the top 2 GB, page-table entries in the file
 *	version 2   512 GB of kernel map, page-directory entries
 *	version 3   2047 GB, and a direct map at another place
 *	full dump   as version 3, with the page tables in memory
 */
#include <string.h>

#include "tests/gen/gen.h"

#define MB ((uint64_t)1 << 20)
#define GB ((uint64_t)1 << 30)

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

/* The top 2 GB, or what twice the mapped pages need. */
static void
amd64_layout_v1(struct gen *g)
{
	struct layout *lay = &g->g_lay;
	uint64_t len = 2 * GB;

	while (len < 2 * g->g_spec.gs_mem_len && len < 512 * GB)
		len *= 2;
	if (g->g_spec.gs_kva_len != 0)
		len = g->g_spec.gs_kva_len;
	lay->gl_kernbase = -len;
	lay->gl_kva_len = len;
	lay->gl_kmem_va = len > 2 * GB ? -len : KERNEL_BASE + 16 * MB;
	lay->gl_kmem_len = len > 2 * GB ? len - 2 * GB : -lay->gl_kmem_va;
	lay->gl_dmapbase = 0xffffff0000000000;
	lay->gl_dmapend = 0xffffff8000000000;
	lay->gl_prot_expanded = GEN_PROT_ALL;
	g->g_geom = (struct geometry){
		.gt_nlevels = 1,
		.gt_shift = { 12 },
	};
}

static void
amd64_layout_v2(struct gen *g)
{
	struct layout *lay = &g->g_lay;

	lay->gl_kernbase = 0xffffff8000000000;
	lay->gl_kva_len = 512 * GB;
	lay->gl_dmapbase = 0xfffffe0000000000;
	lay->gl_dmapend = 0xffffff0000000000;
	g->g_geom = (struct geometry){
		.gt_nlevels = 2,
		.gt_shift = { 21, 12 },
	};
}

static void
amd64_layout_v3(struct gen *g)
{
	struct layout *lay = &g->g_lay;

	lay->gl_kernbase = 0xfffffe0000000000;
	lay->gl_kva_len = 2047 * GB;
	lay->gl_dmapbase = 0xfffff80000000000;
	lay->gl_dmapend = 0xfffffc0000000000;
	lay->gl_dump_avail = true;
	g->g_geom = (struct geometry){
		.gt_nlevels = 2,
		.gt_shift = { 21, 12 },
	};
	if (g->g_spec.gs_format == GEN_FULL)
		g->g_geom = (struct geometry){
			.gt_nlevels = 4,
			.gt_shift = { 39, 30, 21, 12 },
			.gt_base = 0xffff000000000000,
			.gt_nentries = 512,
			.gt_root_in_memory = true,
		};
}

static const char *
amd64_layout(struct gen *g)
{
	struct layout *lay = &g->g_lay;
	bool full = g->g_spec.gs_format == GEN_FULL;
	bool moved = full && (g->g_spec.gs_flags & GEN_RELOCATED) != 0;

	if (g->g_spec.gs_version == 1 && !full)
		amd64_layout_v1(g);
	else if (g->g_spec.gs_version == 2 && !full)
		amd64_layout_v2(g);
	else
		amd64_layout_v3(g);
	if (lay->gl_kmem_va == 0) {
		lay->gl_kmem_va = lay->gl_kernbase;
		lay->gl_kmem_len = KERNEL_BASE - lay->gl_kernbase;
	}
	lay->gl_page_shift = 12;
	lay->gl_ptr_len = 8;
	lay->gl_kernbase_sym = KERNEL_BASE;
	lay->gl_image_va = KERNEL_BASE + 2 * MB;
	lay->gl_image_pa = moved ? 0 : 2 * MB;
	lay->gl_pa_end = full ? 64 * GB : lay->gl_dmapend - lay->gl_dmapbase;
	lay->gl_big_shift = 21;
	lay->gl_giga_shift = 30;
	g->g_geom.gt_entry_len = 8;
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

static void
amd64_header(const struct gen *g, uint8_t *page)
{
	strcpy((char *)page, "minidump FreeBSD/amd64");
	gen_put(g, page + 40, 8, g->g_lay.gl_kernbase);
	gen_put(g, page + 48, 8, g->g_lay.gl_dmapbase);
	gen_put(g, page + 56, 8, g->g_lay.gl_dmapend);
	gen_put(g, page + 64, 4, g->g_sec.avail_len);
}

/*
 * What pmap leaves behind: the root, and for a relocatable kernel its place.
 * A hypervisor knows the root better than the kernel.
 */
static void
amd64_root(struct gen *g)
{
	bool wrong = (g->g_spec.gs_flags & GEN_QEMU) != 0;

	kimage_label(g, "kernbase", SEC_ABS, KERNEL_BASE, 0);
	kimage_ptr(g, "KPML4phys", SEC_DATA,
	    wrong ? 0x1000 : g->g_tables.root_pa);
	if ((g->g_spec.gs_flags & GEN_RELOCATED) != 0)
		kimage_ptr(g, "kernphys", SEC_DATA, g->g_lay.gl_image_pa);
}

static const struct reg amd64_pcb[] = {
	{ "r15", 0, 8, REG_ANY },
	{ "r14", 8, 8, REG_ANY },
	{ "r13", 16, 8, REG_ANY },
	{ "r12", 24, 8, REG_ANY },
	{ "rbp", 32, 8, REG_FP },
	{ "rsp", 40, 8, REG_SP },
	{ "rbx", 48, 8, REG_ANY },
	{ "rip", 56, 8, REG_PC },
	{ NULL, 0, 0, REG_ANY },
};

/* Linux's struct elf_prstatus: pr_reg is at 112. */
static const struct reg amd64_prstatus[] = {
	{ "r15", 112, 8, REG_ANY },
	{ "r14", 120, 8, REG_ANY },
	{ "r13", 128, 8, REG_ANY },
	{ "r12", 136, 8, REG_ANY },
	{ "rbp", 144, 8, REG_FP },
	{ "rbx", 152, 8, REG_ANY },
	{ "r11", 160, 8, REG_ANY },
	{ "r10", 168, 8, REG_ANY },
	{ "r9", 176, 8, REG_ANY },
	{ "r8", 184, 8, REG_ANY },
	{ "rax", 192, 8, REG_ANY },
	{ "rcx", 200, 8, REG_ANY },
	{ "rdx", 208, 8, REG_ANY },
	{ "rsi", 216, 8, REG_ANY },
	{ "rdi", 224, 8, REG_ANY },
	{ "rip", 240, 8, REG_PC },
	{ "cs", 248, 4, REG_CODE_SEG },
	{ "eflags", 256, 4, REG_ANY },
	{ "rsp", 264, 8, REG_SP },
	{ "ss", 272, 4, REG_ANY },
	{ "ds", 296, 4, REG_ANY },
	{ "es", 304, 4, REG_ANY },
	{ "fs", 312, 4, REG_ANY },
	{ "gs", 320, 4, REG_ANY },
	{ NULL, 0, 0, REG_ANY },
};

static const struct reg amd64_frame[] = {
	{ "rdi", 0, 8, REG_ANY },
	{ "rsi", 8, 8, REG_ANY },
	{ "rdx", 16, 8, REG_ANY },
	{ "rcx", 24, 8, REG_ANY },
	{ "r8", 32, 8, REG_ANY },
	{ "r9", 40, 8, REG_ANY },
	{ "rax", 48, 8, REG_ANY },
	{ "rbx", 56, 8, REG_ANY },
	{ "rbp", 64, 8, REG_FP },
	{ "r10", 72, 8, REG_ANY },
	{ "r11", 80, 8, REG_ANY },
	{ "r12", 88, 8, REG_ANY },
	{ "r13", 96, 8, REG_ANY },
	{ "r14", 104, 8, REG_ANY },
	{ "r15", 112, 8, REG_ANY },
	{ "rip", 152, 8, REG_PC },
	{ "cs", 160, 8, REG_CODE_SEG },
	{ "rflags", 168, 8, REG_ANY },
	{ "rsp", 176, 8, REG_SP },
	{ NULL, 0, 0, REG_ANY },
};

static void
amd64_abi(const struct gen *g, struct abi *abi)
{
	static const uint8_t push_rbp_mov[] = { 0x55, 0x48, 0x89, 0xe5 };

	(void)g;
	*abi = (struct abi){
		.p_threads = 16,
		.p_pid = 196,
		.p_hash = 200,
		.p_comm = 984,
		.proc_len = 1320,
		.td_plist = 16,
		.td_tid = 160,
		.td_name = 700,
		.td_pcb = 1080,
		.td_oncpu = 1724,
		.thread_len = 1856,
		.maxcpus = 256,
		.hz = 100,
		.pcb = amd64_pcb,
		.pcb_len = 320,
		.prstatus = amd64_prstatus,
		.frame = amd64_frame,
		.frame_len = 192,
		.kern_frame_len = 192,
		.kern_cs = 0x20,
		.user_cs = 0x43,
		.trap = "calltrap",
		.syscall = "fast_syscall_common",
		.number = "rax",
		.stop = "Xcpustop",
		.fork_has_frame = true,
		.prologue = push_rbp_mov,
		.prologue_len = sizeof(push_rbp_mov),
	};
}

const struct arch arch_amd64 = {
	.ga_name = "amd64",
	.ga_machine = 62,
	.ga_max_version = 3,
	.ga_flags = GEN_RELOCATED | GEN_DUMP_DELTA | GEN_LOSE_TABLES | GEN_QEMU,
	.ga_full = true,
	.ga_layout = amd64_layout,
	.ga_leaf = amd64_leaf,
	.ga_table = amd64_table,
	.ga_header = amd64_header,
	.ga_abi = amd64_abi,
	.ga_root = amd64_root,
};
