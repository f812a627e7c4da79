/*
 * The devices that dumps go to: whole disks, or swap partitions of them.
 */
#ifndef KERNEL_KERN_KERN_DUMPDEV_H
#define KERNEL_KERN_KERN_DUMPDEV_H

#include "dumper/dumper.h"

#define DUMPDEV_MAX 4

/*
 * Use these devices from now on, names separated by commas: "vtbd0p2,vtbd1".
 * Partition tables are looked at now, so that a dying kernel need not.
 */
void dumpdev_configure(const char *names);

/* Store the devices that take dumps, in order; returns how many. */
size_t dumpdev_sinks(struct dump_sink sinks[DUMPDEV_MAX]);

/* Print "; NAME: WHY" for each of the others, or that there is none at all. */
void dumpdev_print_useless(void);

#endif
