/*
 * arm64, pages of 4 and of 16 KiB.
 *
 * The direct map lies above the start of the kernel map, and begins with the
 * first byte of memory.  There is no format for full dumps that FreeBSD can
 * read back; ours are ELF cores with the tables of the kernel half in memory.
 */
#include "tests/gen/gen.h"

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

#define X_UP_TO_18                                                             \
	"x0=volatile x1=volatile x2=volatile x3=volatile x4=volatile "         \
	"x5=volatile x6=volatile x7=volatile x8=volatile x9=volatile "         \
	"x10=volatile x11=volatile x12=volatile x13=volatile x14=volatile "    \
	"x15=volatile x16=volatile x17=volatile x18=volatile "
#define X_FROM_19 "x19 x20 x21 x22 x23 x24 x25 x26 x27 x28 x29=fp "

/* What releases before 14.0 saved. */
static void
arm64_old_abi(struct abi *abi)
{
	abi->pcb_text = X_UP_TO_18 X_FROM_19 "pc=pc @256 sp=sp";
	abi->pcb_len = 1376;
	abi->frame_text = "sp=sp lr elr=pc spsr:4=seg " X_UP_TO_18 X_FROM_19;
	abi->frame_len = 272;
	abi->why.off = 28;
	abi->why.len = 4;
}

static const char *
arm64_adjust(struct gen *g)
{
	struct gen_layout *lay = &g->g_lay;
	bool minidump = g->g_spec.gs_format == GEN_MINIDUMP;

	lay->gl_dump_avail = g->g_spec.gs_version >= 2;
	lay->gl_kva_len =
	    gen_round_up(4 * GB + 2 * g->g_spec.gs_mem_len, 32 * MB);
	if (g->g_spec.gs_version == 1)
		lay->gl_dmapbase = 0xfffffd0000000000;
	if (g->g_spec.gs_osreldate < 1400084)
		arm64_old_abi(&g->g_abi);
	if (!arm64_is_16k(g))
		return (NULL);
	if (!minidump || g->g_spec.gs_version < 3)
		return ("16 KiB pages need a minidump of version 3");
	lay->gl_page_shift = g->g_geom.gt_shift[0] = 14;
	lay->gl_big_shift = 25;
	lay->gl_giga_shift = 0;
	lay->gl_extra[0] = 1;
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

const struct arch arch_arm64 = {
	.ga_name = "arm64",
	.ga_machine = 183,
	.ga_max_version = 3,
	.ga_flags = GEN_PAGE_16K,
	.ga_full = true,
	.ga_root_table = "pagetable_l0_ttbr1", /* a page of the image */
	.ga_hdr = { HDR_KERNBASE, HDR_DMAPPHYS, HDR_DMAPBASE, HDR_DMAPEND,
		HDR_AVAIL, HDR_EXTRA_0 },
	.ga_lay = {
		.gl_page_shift = 12,
		.gl_ptr_len = 8,
		.gl_kernbase = KERNEL_BASE,
		.gl_kernbase_sym = KERNEL_BASE,
		.gl_kva_min = 80 * MB,
		.gl_kva_max = UINT64_MAX,
		.gl_kmem_va = KERNEL_BASE + 64 * MB,
		.gl_image_va = KERNEL_BASE,
		.gl_dmapbase = 0xffffa00000000000,
		.gl_dmapend = 0xffffff0000000000,
		.gl_dmapphys = RAM_BASE,
		.gl_ram_base = RAM_BASE,
		.gl_pa_end = RAM_BASE + 512 * GB,
		.gl_big_shift = 21,
		.gl_giga_shift = 30,
	},
	.ga_minidump = {
		.gt_nlevels = 1,
		.gt_shift = { 12 },
		.gt_entry_len = 8,
	},
	.ga_fulldump = {
		.gt_nlevels = 4,
		.gt_shift = { 39, 30, 21, 12 },
		.gt_base = KERNEL_BASE,
		.gt_nentries = 512,
		.gt_root_in_memory = true,
		.gt_entry_len = 8,
	},
	.ga_abi = {
		.off = PROC_OFFSETS_64(1316, 1408),
		.maxcpus = 256,
		.hz = 1000,
		.pcb_text = X_FROM_19 "pc=pc sp=sp",
		.pcb_len = 1248,
		.frame_text = "sp=sp lr elr=pc spsr=seg @48 " X_UP_TO_18 X_FROM_19,
		.frame_len = 288,
		.kern_cs = 0x60000205,
		.user_cs = 0x60000200,
		.trap = "handle_el1h_sync",
		.syscall = "handle_el0_sync",
		.number = "x8",
		.why = { 32, 8, 0x56000000 },
		.fp_past_frame = true,
		.stop = "handle_el1h_irq",
		/* stp x29, x30, [sp, #-16]!; mov x29, sp */
		.prologue = "\xfd\x7b\xbf\xa9\xfd\x03\x00\x91",
		.prologue_len = 8,
	},
	.ga_adjust = arm64_adjust,
	.ga_leaf = arm64_leaf,
	.ga_table = arm64_table,
};
