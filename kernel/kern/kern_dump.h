/*
 * How this kernel dumps: which devices, which kind of dump.
 */
#ifndef KERNEL_KERN_KERN_DUMP_H
#define KERNEL_KERN_KERN_DUMP_H

#include "kernel/sys/types.h"

/* Is a dump under way?  Debuggers, too, look for this name. */
extern int dumping;

/* Dump to the first configured device that takes it.  0 or an errno. */
int dumpsys(void);

/*
 * Make the set of pages to dump, and put into it what the kernel has taken of
 * its memory so far.  Before the VM system starts.
 */
void dump_pages_startup(void);

#endif
