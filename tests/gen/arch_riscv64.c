/*
 * riscv64 with Sv39 addresses: the direct map lies above the kernel map.
 */
#include <string.h>

#include "tests/gen/gen.h"

#define MB ((uint64_t)1 << 20)
#define GB ((uint64_t)1 << 30)

#define KERNEL_BASE 0xffffffc000000000
#define RAM_BASE    0x80000000

#define PTE_V	 0x001
#define PTE_R	 0x002
#define PTE_W	 0x004
#define PTE_X	 0x008
#define PTE_G	 0x020
#define PTE_A	 0x040
#define PTE_D	 0x080
#define PTE_SOFT 0xe000000000000300 /* 8-9; PBMT and N */

static const char *
riscv64_layout(struct gen *g)
{
	struct layout *lay = &g->g_lay;

	lay->gl_page_shift = 12;
	lay->gl_ptr_len = 8;
	lay->gl_dump_avail = g->g_spec.gs_version >= 2;
	lay->gl_kernbase = lay->gl_kernbase_sym = KERNEL_BASE;
	lay->gl_image_va = KERNEL_BASE;
	lay->gl_kva_len = 4 * GB + 2 * g->g_spec.gs_mem_len;
	lay->gl_kva_len = gen_round_up(lay->gl_kva_len, 2 * MB);
	if (g->g_spec.gs_kva_len != 0)
		lay->gl_kva_len = g->g_spec.gs_kva_len;
	if (lay->gl_kva_len < 48 * MB || lay->gl_kva_len > 64 * GB)
		return ("kernel map too small or too large");
	lay->gl_kmem_va = KERNEL_BASE + 32 * MB;
	lay->gl_kmem_len = lay->gl_kva_len - 32 * MB;
	lay->gl_dmapbase = 0xffffffd000000000;
	lay->gl_dmapend = 0xfffffff000000000;
	lay->gl_dmapphys = lay->gl_ram_base = RAM_BASE;
	lay->gl_pa_end = RAM_BASE + 128 * GB;
	lay->gl_big_shift = 21;
	lay->gl_giga_shift = 30;
	g->g_geom = (struct geometry){
		.gt_nlevels = 1,
		.gt_shift = { 12 },
		.gt_entry_len = 8,
	};
	return (NULL);
}

static uint64_t
riscv64_leaf(const struct gen *g, const struct leaf *leaf)
{
	uint64_t e = leaf->pa >> 12 << 10 | PTE_V | PTE_R | PTE_A | PTE_G;

	(void)g;
	if ((leaf->prot & GEN_PROT_WRITE) != 0)
		e |= PTE_W | PTE_D;
	if ((leaf->prot & GEN_PROT_EXECUTE) != 0)
		e |= PTE_X;
	return (e | (leaf->bits & PTE_SOFT));
}

static void
riscv64_header(const struct gen *g, uint8_t *page)
{
	strcpy((char *)page, "minidump FreeBSD/riscv");
	gen_put(g, page + 40, 8, g->g_lay.gl_kernbase);
	gen_put(g, page + 48, 8, g->g_lay.gl_dmapphys);
	gen_put(g, page + 56, 8, g->g_lay.gl_dmapbase);
	gen_put(g, page + 64, 8, g->g_lay.gl_dmapend);
	gen_put(g, page + 72, 4, g->g_sec.avail_len);
}

static void
riscv64_root(struct gen *g)
{
	kimage_label(g, "kernbase", SEC_ABS, g->g_lay.gl_kernbase_sym, 0);
}

/* clang-format off */
#define R8(name, off) { name, off, 8, REG_ANY }
#define SAVED(off)                                                      \
	{ "fp", off, 8, REG_FP }, R8("s1", (off) + 8),                  \
	R8("s2", (off) + 16), R8("s3", (off) + 24),                     \
	R8("s4", (off) + 32), R8("s5", (off) + 40),                     \
	R8("s6", (off) + 48), R8("s7", (off) + 56),                     \
	R8("s8", (off) + 64), R8("s9", (off) + 72),                     \
	R8("s10", (off) + 80), R8("s11", (off) + 88)
#define TEMPORARY(off)                                                  \
	R8("t0", off), R8("t1", (off) + 8), R8("t2", (off) + 16),       \
	R8("t3", (off) + 24), R8("t4", (off) + 32),                     \
	R8("t5", (off) + 40), R8("t6", (off) + 48)
#define ARGUMENTS(off)                                                  \
	R8("a0", off), R8("a1", (off) + 8), R8("a2", (off) + 16),       \
	R8("a3", (off) + 24), R8("a4", (off) + 32),                     \
	R8("a5", (off) + 40), R8("a6", (off) + 48), R8("a7", (off) + 56)
/* clang-format on */

static const struct reg riscv64_pcb[] = {
	{ "pc", 0, 8, REG_PC },
	{ "sp", 8, 8, REG_SP },
	R8("gp", 16),
	R8("tp", 24),
	SAVED(32),
	{ NULL, 0, 0, REG_ANY },
};

static const struct reg riscv64_pcb_old[] = {
	{ "pc", 0, 8, REG_PC },
	{ "sp", 8, 8, REG_SP },
	R8("gp", 16),
	R8("tp", 24),
	TEMPORARY(32),
	SAVED(88),
	ARGUMENTS(184),
	{ NULL, 0, 0, REG_ANY },
};

static const struct reg riscv64_frame[] = {
	R8("ra", 0),
	{ "sp", 8, 8, REG_SP },
	R8("gp", 16),
	R8("tp", 24),
	TEMPORARY(32),
	SAVED(88),
	ARGUMENTS(184),
	{ "sepc", 248, 8, REG_PC },
	{ "sstatus", 256, 8, REG_CODE_SEG },
	{ NULL, 0, 0, REG_ANY },
};

static void
riscv64_abi(const struct gen *g, struct abi *abi)
{
	/* addi sp, sp, -16; sd ra, 8(sp); sd s0, 0(sp); addi s0, sp, 16 */
	static const uint8_t prologue[] = { 0x13, 0x01, 0x01, 0xff, 0x23, 0x34,
		0x11, 0x00, 0x23, 0x30, 0x81, 0x00, 0x13, 0x04, 0x01, 0x01 };
	bool old = g->g_spec.gs_osreldate < 1400000;

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
		.maxcpus = 16,
		.hz = 100,
		.pcb = old ? riscv64_pcb_old : riscv64_pcb,
		.pcb_len = old ? 792 : 664,
		.frame = riscv64_frame,
		.frame_len = 280,
		.kern_frame_len = 280,
		.kern_cs = 0x100,
		.user_cs = 0,
		.fp_past_record = true,
		.trap = "cpu_exception_handler_supervisor",
		.syscall = "cpu_exception_handler_user",
		.number = "t0",
		.why = { 272, 8, 8 },
		.stop = "cpu_exception_handler_supervisor",
		.fork_has_frame = true,
		.prologue = prologue,
		.prologue_len = sizeof(prologue),
	};
}

const struct arch arch_riscv64 = {
	.ga_name = "riscv64",
	.ga_machine = 243,
	.ga_max_version = 2,
	.ga_layout = riscv64_layout,
	.ga_leaf = riscv64_leaf,
	.ga_header = riscv64_header,
	.ga_abi = riscv64_abi,
	.ga_root = riscv64_root,
};
