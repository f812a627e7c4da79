/*
 * The devices that dumps go to: whole disks, or swap partitions of them.
 */
#ifndef KERNEL_KERN_KERN_DUMPDEV_H
#define KERNEL_KERN_KERN_DUMPDEV_H

#include "dumper/dumper.h"

struct disk;

#define DUMPDEV_MAX 4

/*
 * Use these devices from now on, names separated by commas: "vtbd0p2,vtbd1".
 * Partition tables are looked at now, so that a dying kernel need not.
 */
void dumpdev_configure(const char *names);

/* Where a device is, by its name. */
struct dumpdev_place {
	struct disk *dpl_disk;
	uint64_t dpl_start; /* bytes of the disk */
	uint64_t dpl_len;
};

/*
 * A swap partition, or a disk without partitions, that may be written to.  NULL,
 * or why it is not.  One caller at a time.
 */
const char *dumpdev_locate(const char *name, struct dumpdev_place *place);

/* Store the devices that take dumps, in order; returns how many. */
size_t dumpdev_sinks(struct dump_sink sinks[DUMPDEV_MAX]);

/* Print "; NAME: WHY" for each of the others, or that there is none at all. */
void dumpdev_print_useless(void);

#endif
