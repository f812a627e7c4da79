/*
 * 32-bit arm of either byte order.  There is no direct map, and a mapping is
 * a page of 4 or of 64 KiB or a section of 1 MiB.
 */
#include "tests/gen/gen.h"

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
arm_adjust(struct gen *g)
{
	struct gen_layout *lay = &g->g_lay;

	lay->gl_dump_avail = g->g_spec.gs_version >= 2;
	if ((g->g_spec.gs_flags & GEN_ODD_TABLES) != 0)
		lay->gl_kva_len = ODD_KVA_LEN;
	if (g->g_spec.gs_version == 1) {
		lay->gl_extra[0] = 6;
		lay->gl_extra[1] = 0;
	}
	if ((g->g_spec.gs_flags & GEN_BIG_ENDIAN) != 0) {
		lay->gl_big_endian = true;
		g->g_abi.prologue = "\xe9\x2d\x48\x00\xe1\xa0\xb0\x0d";
	}
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
arm_root(struct gen *g)
{
	kimage_label(g, "physaddr", SEC_ABS, g->g_lay.gl_image_pa, 0);
}

const struct arch arch_arm = {
	.ga_name = "arm",
	.ga_machine = 40,
	.ga_max_version = 2,
	.ga_flags = GEN_BIG_ENDIAN | GEN_ODD_TABLES | GEN_ROUNDED,
	.ga_hdr = { HDR_KERNBASE, HDR_EXTRA_0, HDR_EXTRA_1, HDR_AVAIL },
	.ga_lay = {
		.gl_page_shift = 12,
		.gl_ptr_len = 4,
		.gl_kernbase = 3 * GB,
		.gl_kernbase_sym = 3 * GB,
		.gl_kva_len = 512 * MB,
		.gl_kva_min = 32 * MB,
		.gl_kva_max = GB - 4 * MB,
		.gl_kmem_va = 3 * GB + 16 * MB,
		.gl_image_va = 3 * GB,
		.gl_ram_base = RAM_BASE,
		.gl_pa_end = 4 * GB,
		.gl_mid_shift = 16,
		.gl_big_shift = 20,
		.gl_extra = { 7, 2 }, /* architecture, MMU format: V6 */
	},
	.ga_minidump = {
		.gt_nlevels = 1,
		.gt_shift = { 12 },
		.gt_entry_len = 4,
	},
	.ga_abi = {
		.off = PROC_OFFSETS_32,
		.maxcpus = 8,
		.hz = 1000,
		.pcb_text =
		    "r4 r5 r6 r7 r8 r9 r10 r11=fp r12 sp=sp lr pc=pc",
		.pcb_len = 144,
		.frame_text =
		    "spsr=seg r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11=fp r12 "
		    "usr_sp=sp usr_lr svc_sp=sp svc_lr pc=pc",
		.frame_len = 76,
		.kern_cs = 0x13,
		.user_cs = 0x10,
		.trap = "data_abort_entry",
		.syscall = "swi_entry",
		.number = "r7",
		.stop = "irq_entry",
		/* push {r11, lr}; mov r11, sp */
		.prologue = "\x00\x48\x2d\xe9\x0d\xb0\xa0\xe1",
		.prologue_len = 8,
	},
	.ga_adjust = arm_adjust,
	.ga_leaf = arm_leaf,
	.ga_root = arm_root,
};
