/*
 * Which kind of dump the variables ask for.
 */
#ifndef KERNEL_KERN_KERN_DUMPCONF_H
#define KERNEL_KERN_KERN_DUMPCONF_H

#include "dumper/dumper.h"

/* The format of a panic's dump. */
enum dump_format dumpconf_format(void);

/* The format that it would have if it were a minidump. */
enum dump_format dumpconf_minidump(void);

#endif
