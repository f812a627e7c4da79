/*
 * Each CPU's descriptors and task state.
 */
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/pcpu.h"

/* 64-bit code, data, and an available task: AMD64 APM vol. 2, 4.8. */
#define SD_KCODE 0x00af9b000000ffff
#define SD_KDATA 0x00cf93000000ffff
#define SD_TSS	 0x0000890000000000

static void
set_tss_descriptor(struct user_segment_descriptor *sd, vm_offset_t base)
{
	uint64_t limit = sizeof(struct amd64tss) - 1;

	sd[0].sd_bits = SD_TSS | limit | (base & 0xffffff) << 16 |
	    (base >> 24 & 0xff) << 56;
	sd[1].sd_bits = base >> 32;
}

/* The code segment is the one that was; data segments are reloaded. */
static inline void
load_data_segments(void)
{
	__asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w0, %%ss"
	    :
	    : "r"(KDSEL));
}

void
cpu_segments_init(struct pcpu *pc)
{
	struct region_descriptor gdtr = {
		.rd_limit = sizeof(pc->pc_gdt) - 1,
		.rd_base = (vm_offset_t)pc->pc_gdt,
	};

	pc->pc_tss.tss_iobase = sizeof(pc->pc_tss);
	pc->pc_gdt[KCSEL / 8].sd_bits = SD_KCODE;
	pc->pc_gdt[KDSEL / 8].sd_bits = SD_KDATA;
	set_tss_descriptor(&pc->pc_gdt[TSSSEL / 8],
	    (vm_offset_t)&pc->pc_tss);
	lgdt(&gdtr);
	load_data_segments();
	ltr(TSSSEL);
	wrmsr(MSR_GSBASE, (vm_offset_t)pc);
}
