/*
 * How this kernel dumps: which devices, which kind of dump.
 */
#ifndef KERNEL_KERN_KERN_DUMP_H
#define KERNEL_KERN_KERN_DUMP_H

#include "kernel/sys/types.h"

/* Dump to the first configured device that takes it.  0 or an errno. */
int dumpsys(void);

/*
 * One line that says whether a dump would be written, what and where, and why
 * not: "dump: after a panic: minidump of 3 MB to vtbd0p2".
 */
void dump_announce(const char *when);

/* For tests: panic if debug.dump_panic_phase names where the dump is now. */
void dump_test_panic(void);

/*
 * Make the set of pages to dump, and put into it what the kernel has taken of
 * its memory so far.  Before the VM system starts.
 */
void dump_pages_startup(void);

#endif
