/*
 * The bsdlabel of a FreeBSD slice, or of a disk without slices: up to 22
 * partitions, "a" to "v", in the slice's second sector.  Little-endian.
 *
 * Facts: FreeBSD's sys/sys/disklabel.h; what GEOM makes of one from
 * sys/geom/part/g_part_bsd.c.
 */
#ifndef FORMAT_BSDLABEL_H
#define FORMAT_BSDLABEL_H

#include "format/bytes.h"

/* Bytes of a label that has all its partitions. */
#define BSDLABEL_LEN (148 + BSDLABEL_MAX_PARTS * 16)

#define BSDLABEL_MAX_PARTS 22

/* Part of a slice; in sectors from the slice's start. */
struct bsdlabel_part {
	uint64_t blp_first;
	uint64_t blp_nsectors;
	bool blp_may_dump; /* swap or unused: g_part_bsd_dumpto() */
};

/*
 * Is there a label of sectors of this length?  Its checksum is not looked at,
 * as GEOM does not.
 */
bool bsdlabel_is(struct span sector, uint32_t sector_len);

/*
 * Partition idx, from 0.  false: there is none, or it is "c", which is the
 * whole slice.
 */
bool bsdlabel_part(struct span sector, uint32_t idx, struct bsdlabel_part *out);

#endif
