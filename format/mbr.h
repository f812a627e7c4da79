/*
 * The partition table in the first sector of a PC's disk.  Only enough of it to
 * find out that a disk has partitions, and so must not be written to.
 *
 * Facts: UEFI Specification, Legacy Master Boot Record.
 */
#ifndef FORMAT_MBR_H
#define FORMAT_MBR_H

#include "format/bytes.h"

/*
 * Does a disk's first sector have a partition?  A file system's boot sector,
 * which has the same mark and code where the table would be, has none.
 */
bool mbr_has_partitions(struct span sector);

#endif
