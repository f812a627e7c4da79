/*
 * Segments, gates and the task state.  AMD64 APM vol. 2, "Segmented Virtual
 * Memory" and "Task Management".
 */
#ifndef KERNEL_AMD64_SEGMENTS_H
#define KERNEL_AMD64_SEGMENTS_H

/* Selectors.  Debuggers take these two for the kernel's. */
#define KCSEL  0x20
#define KDSEL  0x28
#define TSSSEL 0x48

#define NGDT 11 /* the last two are the task's */

/* Stacks that a gate may name, for traps that may come on a bad stack. */
#define IST_DBLFAULT 1
#define IST_NMI	     2
#define IST_MCHK     3
#define NIST	     7

/* Vectors. */
#define T_DE	     0 /* divide error */
#define T_DB	     1
#define T_NMI	     2
#define T_BP	     3
#define T_OF	     4
#define T_BR	     5
#define T_UD	     6
#define T_NM	     7
#define T_DF	     8
#define T_TS	     10
#define T_NP	     11
#define T_SS	     12
#define T_GP	     13
#define T_PF	     14
#define T_MF	     16
#define T_AC	     17
#define T_MC	     18
#define T_XM	     19
#define IDT_TIMER    0x20
#define IDT_PREEMPT  0x21
#define IDT_INVLTLB  0x22
#define IDT_DEV	     0x30 /* the first of NDEVINTR for devices */
#define IDT_SPURIOUS 0xff
#define NIDT	     256
#define NDEVINTR     16

#ifndef LOCORE
#include "kernel/sys/param.h"

struct user_segment_descriptor {
	uint64_t sd_bits;
};

struct gate_descriptor {
	uint16_t gd_looffset;
	uint16_t gd_selector;
	uint8_t gd_ist;
	uint8_t gd_type; /* and its presence */
	uint16_t gd_midoffset;
	uint32_t gd_hioffset;
	uint32_t gd_reserved;
};
static_assert(sizeof(struct gate_descriptor) == 16, "the CPU's");

struct amd64tss {
	uint32_t tss_rsvd0;
	uint64_t tss_rsp[3];
	uint64_t tss_rsvd1;
	uint64_t tss_ist[NIST]; /* IST 1 first */
	uint64_t tss_rsvd2;
	uint16_t tss_rsvd3;
	uint16_t tss_iobase;
} __packed;
static_assert(sizeof(struct amd64tss) == 104, "the CPU's");

/* Operand of lgdt and lidt. */
struct region_descriptor {
	uint16_t rd_limit;
	uint64_t rd_base;
} __packed;
#endif

#endif
