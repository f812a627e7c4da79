/*
 * The partition table in the first sector of a PC's disk: enough of it to tell
 * that there are partitions, which is enough to leave a disk alone.
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
