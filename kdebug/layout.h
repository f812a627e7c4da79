/*
 * Offsets and addresses in the dumped kernel: the constants that it exports for
 * debuggers, and the addresses of its variables.
 *
 * The constants are "const int" since FreeBSD 11: sys/kern/kern_proc.c,
 * kern_thread.c, kern_linker.c and each machine's genassym or machdep.c.
 */
#ifndef KDEBUG_LAYOUT_H
#define KDEBUG_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "libkvm/kvm.h"

struct kdebug;

/* Stands for a constant that the kernel does not export. */
#define LAYOUT_NONE UINT32_MAX

/* __FreeBSD_version from which on a layout changed. */
enum {
	OSREL_ARM64_PCB = 1400084,	 /* pcb without the caller-saved */
	OSREL_STOPPCBS_POINTER = 1400089 /* stoppcbs is allocated */
};

/* The constants: offsets into structures, bytes, but for the last. */
enum layout_const {
	LO_P_PID,
	LO_P_COMM,
	LO_P_LIST,
	LO_P_THREADS,
	LO_TD_TID,
	LO_TD_NAME,
	LO_TD_ONCPU,
	LO_TD_PCB,
	LO_TD_PLIST,
	LO_KLD_ADDRESS,
	LO_KLD_FILENAME,
	LO_KLD_PATHNAME,
	LO_KLD_NEXT,
	LO_PCB_LEN, /* sizeof(struct pcb) */
	LO_COUNT
};

struct kernel_layout {
	uint32_t kl_const[LO_COUNT]; /* LAYOUT_NONE: not exported */
	uint32_t kl_osreldate;	     /* __FreeBSD_version; 0: unknown */
};

/* Read the constants.  Those that the kernel does not have are LAYOUT_NONE. */
void layout_load(struct kdebug *kdb);

/*
 * A constant that the kernel's file and the dump have different values for; NULL:
 * there is none in both, or all are the same.
 */
const char *layout_mismatch(struct kdebug *kdb);

/* The symbol that holds a constant. */
const char *layout_name(enum layout_const which);

/* The address of a kernel variable; false: there is no such symbol. */
bool layout_symbol(struct kdebug *kdb, const char *name, kvaddr_t *out);

#endif
