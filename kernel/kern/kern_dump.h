/*
 * How this kernel dumps: which devices, which kind of dump.
 */
#ifndef KERNEL_KERN_KERN_DUMP_H
#define KERNEL_KERN_KERN_DUMP_H

#include "dumper/dumper.h"

/* Dump to the first configured device that takes it.  0 or an errno. */
int dumpsys(void);

/*
 * One line that says whether a dump would be written, what and where, and why
 * not: "dump: after a panic: minidump of 3 MB to vtbd0p2".
 */
void dump_announce(const char *when);

/* Where the dump is that is under way. */
enum dump_phase dumpsys_phase(void);

/*
 * Make the set of pages to dump, and put into it what the kernel has taken of
 * its memory so far.  Before the VM system starts.
 */
void dump_pages_startup(void);

#endif
