/*
 * The partition table in the first sector of a PC's disk.  The first sector of
 * an extended partition, and of each link of the chain in it, has the same
 * form: entry 0 is a partition, counted from that sector; entry 1 is the next
 * link, counted from the first.
 *
 * Facts: UEFI Specification, Legacy Master Boot Record; which types of
 * partitions may have dumps from FreeBSD's g_part_mbr.c, g_part_mbr_dumpto.
 */
#ifndef FORMAT_MBR_H
#define FORMAT_MBR_H

#include "format/bytes.h"

#define MBR_NPARTS 4

enum mbr_kind {
	MBR_OTHER,
	MBR_FREEBSD_SLICE, /* may have a bsdlabel inside */
	MBR_LINUX_SWAP,
	MBR_EXTENDED,
	MBR_PROTECTIVE /* stands for a GUID partition table */
};

struct mbr_part {
	uint64_t mbp_first_lba;
	uint64_t mbp_nsectors;
	enum mbr_kind mbp_kind;
};

/*
 * Does a disk's first sector have a partition?  A file system's boot sector,
 * which has the same mark and code where the table would be, has none.
 */
bool mbr_has_partitions(struct span sector);

/*
 * Partition idx, from 0, of a sector that has some.  false: this entry is
 * unused.
 */
bool mbr_part(struct span sector, unsigned int idx, struct mbr_part *out);

#endif
