/*
 * Which bytes of a disk are in no hole of its image, as one look through it has
 * found.  So the same bytes count the same each time, also where the host's file
 * system tells of a place that was allocated something else once it was read.
 */
#ifndef DISK_DATAMAP_H
#define DISK_DATAMAP_H

#include "disk/disk.h"

struct datarun {
	uint64_t dar_start, dar_end; /* bytes of the disk */
	uint64_t dar_before;	     /* bytes in all runs before this one */
};

struct datamap {
	struct datarun *dam_runs; /* owned; in order */
	size_t dam_n;
};

/* false: out of memory. */
bool datamap_make(const struct disk *dk, struct datamap *out);
void datamap_free(struct datamap *dam);

/* How many bytes from start to end are in no hole, in steps by log dam_n. */
uint64_t datamap_len(const struct datamap *dam, uint64_t start, uint64_t end);

#endif
