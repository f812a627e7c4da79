/*
 * The notes of ELF cores, and the state of the CPUs in the notes that QEMU's
 * dump-guest-memory writes.
 *
 * Facts: System V ABI, "Note Section"; QEMU's dump/dump.c and target/i386/
 * arch_dump.c.  Each CPU has a note "CORE" of type NT_PRSTATUS with its general
 * registers, in the layout of Linux's struct elf_prstatus, and on x86 a note
 * "QEMU" with its control registers and segments.  First all of the former,
 * then all of the latter, in the order of QEMU's CPU numbers.
 */
#ifndef FORMAT_ELFNOTE_H
#define FORMAT_ELFNOTE_H

#include "format/bytes.h"

#define ELFNOTE_PRSTATUS 1 /* type of a note named CORE */

struct elfnote {
	struct span en_name; /* without its NUL */
	uint32_t en_type;
	struct span en_desc;
};

/*
 * Take the first note off *rest, which are the bytes of a PT_NOTE segment.
 * false: there is no further one, or it does not fit.
 */
bool elfnote_next(enum byte_order order, struct span *rest,
    struct elfnote *out);

/* Is it of that name and type? */
bool elfnote_is(const struct elfnote *en, const char *name, uint32_t type);

/* The state of an x86 CPU without its general registers. */
struct qemu_cpu {
	uint64_t qc_cr3;
	uint64_t qc_cr4;
	uint64_t qc_gs_base;	    /* in the kernel: of its struct pcpu */
	uint64_t qc_kernel_gs_base; /* in user mode: the same */
};

/* Decode the descriptor of a note "QEMU".  false: it is not of version 1. */
bool qemu_cpu_decode(struct span desc, struct qemu_cpu *out);

#endif
