/*
 * The partitions of a disk that FreeBSD may have dumped to: swap partitions of
 * a GUID partition table; slices of an MBR, also in its extended partition;
 * and the partitions of the bsdlabels in slices, or in the disk itself.
 */
#ifndef DISK_PARTITIONS_H
#define DISK_PARTITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "disk/trouble.h"

#define PARTITION_NAME_LEN 40

/* Bytes of the disk. */
struct partition {
	uint64_t par_start, par_end;
	bool par_has_parts;		   /* there is a table inside of it */
	char par_name[PARTITION_NAME_LEN]; /* "slice 1 partition b" */
};

struct partitions {
	struct partition *prs_list; /* owned; parts of one come before it */
	uint32_t prs_n, prs_max;
	bool prs_found_table; /* be there partitions for dumps or not */
};

/*
 * Find all of them.  What is wrong with tables or partitions is noted in *tr,
 * unless a copy makes up for it; the others are in the list.
 */
void partitions_find(const struct disk *dk, struct partitions *out,
    struct trouble *tr);

/* Append one.  false: out of memory, as *tr says. */
bool partitions_add(struct partitions *prs, const struct partition *par,
    struct trouble *tr);

void partitions_free(struct partitions *prs);

#endif
