/*
 * arm64, pages of 4 and of 16 KiB.
 *
 * The direct map lies above the start of the kernel map, and begins with the
 * first byte of memory.  There is no format for full dumps that FreeBSD can
 * read back; ours are ELF cores with the tables of the kernel half in memory.
 */
#include <string.h>

#include "tests/gen/gen.h"

#define MB ((uint64_t)1 << 20)
#define GB ((uint64_t)1 << 30)

#define KERNEL_BASE 0xffff000000000000
#define RAM_BASE    0x40000000

#define DESC_BLOCK 0x1
#define DESC_TABLE 0x3 /* and a page, in the last level */
#define ATTR_AF	   0x400
#define ATTR_SH	   0x300
#define ATTR_IDX   0x01c
#define ATTR_RO	   0x080
#define ATTR_PXN   0x0020000000000000
#define ATTR_UXN   0x0040000000000000
#define ATTR_SOFT  0x0788000000000000 /* 51 (dirty modifier) and 55-58 */

static bool
arm64_is_16k(const struct gen *g)
{
	return ((g->g_spec.gs_flags & GEN_PAGE_16K) != 0);
}

static void
arm64_geometry(struct gen *g)
{
	if (g->g_spec.gs_format == GEN_FULL)
		g->g_geom = (struct geometry){
			.gt_nlevels = 4,
			.gt_shift = { 39, 30, 21, 12 },
			.gt_base = KERNEL_BASE,
			.gt_nentries = 512,
			.gt_root_in_memory = true,
		};
	else
		g->g_geom = (struct geometry){
			.gt_nlevels = 1,
			.gt_shift = { g->g_lay.gl_page_shift },
		};
	g->g_geom.gt_entry_len = 8;
}

static const char *
arm64_layout(struct gen *g)
{
	struct layout *lay = &g->g_lay;
	bool minidump = g->g_spec.gs_format == GEN_MINIDUMP;

	if (arm64_is_16k(g) && (!minidump || g->g_spec.gs_version < 3))
		return ("16 KiB pages need a minidump of version 3");
	lay->gl_page_shift = arm64_is_16k(g) ? 14 : 12;
	lay->gl_ptr_len = 8;
	lay->gl_dump_avail = g->g_spec.gs_version >= 2;
	lay->gl_kernbase = lay->gl_kernbase_sym = KERNEL_BASE;
	lay->gl_image_va = KERNEL_BASE;
	lay->gl_kva_len = 4 * GB + 2 * g->g_spec.gs_mem_len;
	lay->gl_kva_len = gen_round_up(lay->gl_kva_len, 32 * MB);
	if (g->g_spec.gs_kva_len != 0)
		lay->gl_kva_len = g->g_spec.gs_kva_len;
	lay->gl_kmem_va = KERNEL_BASE + 64 * MB;
	lay->gl_kmem_len = lay->gl_kva_len - 64 * MB;
	lay->gl_dmapbase =
	    g->g_spec.gs_version == 1 ? 0xfffffd0000000000 : 0xffffa00000000000;
	lay->gl_dmapend = 0xffffff0000000000;
	lay->gl_dmapphys = lay->gl_ram_base = RAM_BASE;
	lay->gl_pa_end = RAM_BASE + 512 * GB;
	lay->gl_big_shift = arm64_is_16k(g) ? 25 : 21;
	lay->gl_giga_shift = arm64_is_16k(g) ? 0 : 30;
	arm64_geometry(g);
	if (lay->gl_kva_len < 80 * MB)
		return ("kernel map too small");
	return (NULL);
}

static uint64_t
arm64_leaf(const struct gen *g, const struct leaf *leaf)
{
	uint64_t e = leaf->pa | ATTR_AF | ATTR_SH;

	e |= leaf->entry_shift == g->g_lay.gl_page_shift ? DESC_TABLE :
							   DESC_BLOCK;
	if ((leaf->prot & GEN_PROT_WRITE) == 0)
		e |= ATTR_RO;
	if ((leaf->prot & GEN_PROT_EXECUTE) == 0)
		e |= ATTR_PXN | ATTR_UXN;
	return (e | (leaf->bits & (ATTR_SOFT | ATTR_IDX)));
}

static uint64_t
arm64_table(const struct gen *g, unsigned level, uint64_t pa)
{
	(void)level;
	if ((g->g_spec.gs_flags & GEN_HIGH_BITS) != 0)
		pa |= ATTR_SOFT;
	return (pa | DESC_TABLE);
}

static void
arm64_header(const struct gen *g, uint8_t *page)
{
	strcpy((char *)page, "minidump FreeBSD/arm64");
	gen_put(g, page + 40, 8, g->g_lay.gl_kernbase);
	gen_put(g, page + 48, 8, g->g_lay.gl_dmapphys);
	gen_put(g, page + 56, 8, g->g_lay.gl_dmapbase);
	gen_put(g, page + 64, 8, g->g_lay.gl_dmapend);
	gen_put(g, page + 72, 4, g->g_sec.avail_len);
	if (g->g_spec.gs_version >= 3)
		gen_put(g, page + 76, 4, arm64_is_16k(g));
}

/* The top table itself is a page of the image. */
static void
arm64_root(struct gen *g)
{
	kimage_label(g, "kernbase", SEC_ABS, KERNEL_BASE, 0);
}

/* clang-format off */
#define X(n, off) { "x" #n, (off) + 8 * (n), 8, REG_ANY }
#define V(n, off) { "x" #n, (off) + 8 * (n), 8, REG_VOLATILE }
#define X_UP_TO_18(off)                                                 \
	V(0, off), V(1, off), V(2, off), V(3, off), V(4, off),          \
	V(5, off), V(6, off), V(7, off), V(8, off), V(9, off),          \
	V(10, off), V(11, off), V(12, off), V(13, off), V(14, off),     \
	V(15, off), V(16, off), V(17, off), V(18, off)
#define X_FROM_19(off)                                                  \
	X(19, off), X(20, off), X(21, off), X(22, off), X(23, off),     \
	X(24, off), X(25, off), X(26, off), X(27, off), X(28, off),     \
	{ "x29", (off) + 8 * 29, 8, REG_FP }
/* clang-format on */

static const struct reg arm64_pcb_old[] = {
	X_UP_TO_18(0),
	X_FROM_19(0),
	{ "pc", 240, 8, REG_PC },
	{ "sp", 256, 8, REG_SP },
	{ NULL, 0, 0, REG_ANY },
};

static const struct reg arm64_pcb[] = {
	X_FROM_19(-8 * 19),
	{ "pc", 88, 8, REG_PC },
	{ "sp", 96, 8, REG_SP },
	{ NULL, 0, 0, REG_ANY },
};

static const struct reg arm64_frame_old[] = {
	{ "sp", 0, 8, REG_SP },
	{ "lr", 8, 8, REG_ANY },
	{ "elr", 16, 8, REG_PC },
	{ "spsr", 24, 4, REG_CODE_SEG },
	X_UP_TO_18(32),
	X_FROM_19(32),
	{ NULL, 0, 0, REG_ANY },
};

static const struct reg arm64_frame[] = {
	{ "sp", 0, 8, REG_SP },
	{ "lr", 8, 8, REG_ANY },
	{ "elr", 16, 8, REG_PC },
	{ "spsr", 24, 8, REG_CODE_SEG },
	X_UP_TO_18(48),
	X_FROM_19(48),
	{ NULL, 0, 0, REG_ANY },
};

static void
arm64_abi(const struct gen *g, struct abi *abi)
{
	/* stp x29, x30, [sp, #-16]!; mov x29, sp */
	static const uint8_t stp_mov[] = { 0xfd, 0x7b, 0xbf, 0xa9, 0xfd, 0x03,
		0x00, 0x91 };
	bool old = g->g_spec.gs_osreldate < 1400084;

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
		.td_oncpu = 1316,
		.thread_len = 1408,
		.maxcpus = 256,
		.hz = 1000,
		.pcb = old ? arm64_pcb_old : arm64_pcb,
		.pcb_len = old ? 1376 : 1248,
		.frame = old ? arm64_frame_old : arm64_frame,
		.frame_len = old ? 272 : 288,
		.kern_frame_len = old ? 272 : 288,
		.kern_cs = 0x60000205,
		.user_cs = 0x60000200,
		.trap = "handle_el1h_sync",
		.syscall = "handle_el0_sync",
		.number = "x8",
		.why = { old ? 28 : 32, old ? 4 : 8, 0x56000000 },
		.fp_past_frame = true,
		.stop = "handle_el1h_irq",
		.fork_has_frame = true,
		.prologue = stp_mov,
		.prologue_len = sizeof(stp_mov),
	};
}

const struct arch arch_arm64 = {
	.ga_name = "arm64",
	.ga_machine = 183,
	.ga_max_version = 3,
	.ga_flags = GEN_PAGE_16K,
	.ga_full = true,
	.ga_root_table = "pagetable_l0_ttbr1",
	.ga_layout = arm64_layout,
	.ga_leaf = arm64_leaf,
	.ga_table = arm64_table,
	.ga_header = arm64_header,
	.ga_abi = arm64_abi,
	.ga_root = arm64_root,
};
