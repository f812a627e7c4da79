/*
 * riscv64 with Sv39 addresses: the direct map lies above the kernel map.
 */
#include "tests/gen/gen.h"

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

#define SAVED	  "fp=fp s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 "
#define TEMPORARY "t0 t1 t2 t3 t4 t5 t6 "
#define ARGUMENTS "a0 a1 a2 a3 a4 a5 a6 a7 "

static const char *
riscv64_adjust(struct gen *g)
{
	g->g_lay.gl_dump_avail = g->g_spec.gs_version >= 2;
	g->g_lay.gl_kva_len =
	    gen_round_up(4 * GB + 2 * g->g_spec.gs_mem_len, 2 * MB);
	if (g->g_spec.gs_osreldate < 1400000) {
		g->g_abi.pcb_text =
		    "pc=pc sp=sp gp tp " TEMPORARY SAVED ARGUMENTS;
		g->g_abi.pcb_len = 792;
	}
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

const struct arch arch_riscv64 = {
	.ga_name = "riscv64",
	.ga_hdr_name = "riscv",
	.ga_machine = 243,
	.ga_max_version = 2,
	.ga_hdr = { HDR_KERNBASE, HDR_DMAPPHYS, HDR_DMAPBASE, HDR_DMAPEND,
		HDR_AVAIL },
	.ga_lay = {
		.gl_page_shift = 12,
		.gl_ptr_len = 8,
		.gl_kernbase = KERNEL_BASE,
		.gl_kernbase_sym = KERNEL_BASE,
		.gl_kva_min = 48 * MB,
		.gl_kva_max = 64 * GB,
		.gl_kmem_va = KERNEL_BASE + 32 * MB,
		.gl_image_va = KERNEL_BASE,
		.gl_dmapbase = 0xffffffd000000000,
		.gl_dmapend = 0xfffffff000000000,
		.gl_dmapphys = RAM_BASE,
		.gl_ram_base = RAM_BASE,
		.gl_pa_end = RAM_BASE + 128 * GB,
		.gl_big_shift = 21,
		.gl_giga_shift = 30,
	},
	.ga_minidump = {
		.gt_nlevels = 1,
		.gt_shift = { 12 },
		.gt_entry_len = 8,
	},
	.ga_abi = {
		.off = PROC_OFFSETS_64(1316, 1408),
		.maxcpus = 16,
		.hz = 100,
		.pcb_text = "pc=pc sp=sp gp tp " SAVED,
		.pcb_len = 664,
		.frame_text = "ra sp=sp gp tp " TEMPORARY SAVED ARGUMENTS
			      "sepc=pc sstatus=seg",
		.frame_len = 280,
		.kern_cs = 0x100,
		.user_cs = 0,
		.fp_past_record = true,
		.trap = "cpu_exception_handler_supervisor",
		.syscall = "cpu_exception_handler_user",
		.number = "t0",
		.why = { 272, 8, 8 },
		.stop = "cpu_exception_handler_supervisor",
		/* addi sp, sp, -16; sd ra, 8(sp); sd s0, 0(sp); addi s0, sp, 16 */
		.prologue = "\x13\x01\x01\xff\x23\x34\x11\x00"
			    "\x23\x30\x81\x00\x13\x04\x01\x01",
		.prologue_len = 16,
	},
	.ga_adjust = riscv64_adjust,
	.ga_leaf = riscv64_leaf,
};
