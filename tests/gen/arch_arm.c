/*
 * 32-bit arm of either byte order.  There is no direct map, and a mapping is
 * a page of 4 or of 64 KiB or a section of 1 MiB.
 */
#include <string.h>

#include "tests/gen/gen.h"

#define MB ((uint64_t)1 << 20)
#define GB ((uint64_t)1 << 30)

#define RAM_BASE 0x80000000

/* Its 0x5d800 bytes of tables were seen in a dump of FreeBSD 14. */
#define ODD_KVA_LEN (374 * MB)

#define L2_LARGE    0x1
#define L2_SMALL    0x2
#define L2_NX	    0x1 /* of a small page */
#define L2_LARGE_NX 0x8000
#define L2_CB	    0x00c
#define L2_AP	    0x010
#define L2_RO	    0x280
#define L2_SOFT	    0xd40

static const char *
arm_layout(struct gen *g)
{
	struct layout *lay = &g->g_lay;

	lay->gl_page_shift = 12;
	lay->gl_ptr_len = 4;
	lay->gl_big_endian = (g->g_spec.gs_flags & GEN_BIG_ENDIAN) != 0;
	lay->gl_dump_avail = g->g_spec.gs_version >= 2;
	lay->gl_kernbase = lay->gl_kernbase_sym = 3 * GB;
	lay->gl_image_va = 3 * GB;
	lay->gl_kva_len = 512 * MB;
	if ((g->g_spec.gs_flags & GEN_ODD_TABLES) != 0)
		lay->gl_kva_len = ODD_KVA_LEN;
	if (g->g_spec.gs_kva_len != 0)
		lay->gl_kva_len = g->g_spec.gs_kva_len;
	if (lay->gl_kva_len < 32 * MB || lay->gl_kva_len > GB - 4 * MB)
		return ("kernel map too small or too large");
	lay->gl_kmem_va = 3 * GB + 16 * MB;
	lay->gl_kmem_len = lay->gl_kva_len - 16 * MB;
	lay->gl_ram_base = RAM_BASE;
	lay->gl_pa_end = 4 * GB;
	lay->gl_mid_shift = 16;
	lay->gl_big_shift = 20;
	g->g_geom = (struct geometry){
		.gt_nlevels = 1,
		.gt_shift = { 12 },
		.gt_entry_len = 4,
	};
	return (NULL);
}

/* Every 4 KiB of a large page holds the same descriptor. */
static uint64_t
arm_leaf(const struct gen *g, const struct leaf *leaf)
{
	uint64_t e = L2_CB | L2_AP | (leaf->bits & L2_SOFT);

	(void)g;
	if ((leaf->prot & GEN_PROT_WRITE) == 0)
		e |= L2_RO;
	if (leaf->page_shift == 16)
		return (e | (leaf->pa & ~(uint64_t)0xffff) | L2_LARGE |
		    L2_LARGE_NX);
	if ((leaf->prot & GEN_PROT_EXECUTE) == 0)
		e |= L2_NX;
	return (e | leaf->pa | L2_SMALL);
}

static void
arm_header(const struct gen *g, uint8_t *page)
{
	bool old = g->g_spec.gs_version == 1;

	strcpy((char *)page, "minidump FreeBSD/arm");
	gen_put(g, page + 40, 4, g->g_lay.gl_kernbase);
	gen_put(g, page + 44, 4, old ? 6 : 7); /* architecture */
	gen_put(g, page + 48, 4, old ? 0 : 2); /* MMU format: unknown, V6 */
	gen_put(g, page + 52, 4, g->g_sec.avail_len);
}

static void
arm_root(struct gen *g)
{
	kimage_label(g, "kernbase", SEC_ABS, g->g_lay.gl_kernbase_sym, 0);
	kimage_label(g, "physaddr", SEC_ABS, g->g_lay.gl_image_pa, 0);
}

static const struct reg arm_pcb[] = {
	{ "r4", 0, 4, REG_ANY },
	{ "r5", 4, 4, REG_ANY },
	{ "r6", 8, 4, REG_ANY },
	{ "r7", 12, 4, REG_ANY },
	{ "r8", 16, 4, REG_ANY },
	{ "r9", 20, 4, REG_ANY },
	{ "r10", 24, 4, REG_ANY },
	{ "r11", 28, 4, REG_FP },
	{ "r12", 32, 4, REG_ANY },
	{ "sp", 36, 4, REG_SP },
	{ "lr", 40, 4, REG_ANY },
	{ "pc", 44, 4, REG_PC },
	{ NULL, 0, 0, REG_ANY },
};

static const struct reg arm_frame[] = {
	{ "spsr", 0, 4, REG_CODE_SEG },
	{ "r0", 4, 4, REG_ANY },
	{ "r1", 8, 4, REG_ANY },
	{ "r2", 12, 4, REG_ANY },
	{ "r3", 16, 4, REG_ANY },
	{ "r4", 20, 4, REG_ANY },
	{ "r5", 24, 4, REG_ANY },
	{ "r6", 28, 4, REG_ANY },
	{ "r7", 32, 4, REG_ANY },
	{ "r8", 36, 4, REG_ANY },
	{ "r9", 40, 4, REG_ANY },
	{ "r10", 44, 4, REG_ANY },
	{ "r11", 48, 4, REG_FP },
	{ "r12", 52, 4, REG_ANY },
	{ "usr_sp", 56, 4, REG_SP },
	{ "usr_lr", 60, 4, REG_ANY },
	{ "svc_sp", 64, 4, REG_SP },
	{ "svc_lr", 68, 4, REG_ANY },
	{ "pc", 72, 4, REG_PC },
	{ NULL, 0, 0, REG_ANY },
};

static void
arm_abi(const struct gen *g, struct abi *abi)
{
	/* push {r11, lr}; mov r11, sp */
	static const uint8_t push_mov[] = { 0x00, 0x48, 0x2d, 0xe9, 0x0d, 0xb0,
		0xa0, 0xe1 };
	static const uint8_t push_mov_be[] = { 0xe9, 0x2d, 0x48, 0x00, 0xe1,
		0xa0, 0xb0, 0x0d };

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
		.maxcpus = 8,
		.hz = 1000,
		.pcb = arm_pcb,
		.pcb_len = 144,
		.frame = arm_frame,
		.frame_len = 76,
		.kern_frame_len = 76,
		.kern_cs = 0x13,
		.user_cs = 0x10,
		.trap = "data_abort_entry",
		.syscall = "swi_entry",
		.number = "r7",
		.stop = "irq_entry",
		.fork_has_frame = true,
		.prologue = g->g_lay.gl_big_endian ? push_mov_be : push_mov,
		.prologue_len = sizeof(push_mov),
	};
}

const struct arch arch_arm = {
	.ga_name = "arm",
	.ga_machine = 40,
	.ga_max_version = 2,
	.ga_flags = GEN_BIG_ENDIAN | GEN_ODD_TABLES | GEN_ROUNDED,
	.ga_layout = arm_layout,
	.ga_leaf = arm_leaf,
	.ga_header = arm_header,
	.ga_abi = arm_abi,
	.ga_root = arm_root,
};
