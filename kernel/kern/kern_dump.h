/*
 * A dump of this kernel, or an estimate of one.
 */
#ifndef KERNEL_KERN_KERN_DUMP_H
#define KERNEL_KERN_KERN_DUMP_H

#include "dumper/dumper.h"

/* Dump to the first configured device that takes it.  0 or an errno. */
int dumpsys(enum dump_format format);

/* What such a dump would be now, if there is room for it.  0 or an errno. */
int dumpsys_estimate(enum dump_format format, struct dump_result *res);

/*
 * Print a line that says whether a panic's dump would be written, what and
 * where, and why not: "dump: after a panic: minidump of 3 MB to vtbd0p2".
 */
void dumpsys_announce(enum dump_format format);

/* How far the dump is that is being written. */
enum dump_phase dumpsys_phase(void);

#endif
