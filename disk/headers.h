/*
 * The headers before and after a dump: found at the end of a partition, or
 * anywhere on a disk, and judged.
 */
#ifndef DISK_HEADERS_H
#define DISK_HEADERS_H

#include "disk/disk.h"
#include "disk/dump.h"
#include "disk/trouble.h"

/* A part of a disk that a dump may lie at the end of; bytes. */
struct extent {
	uint64_t xt_start, xt_end;
};

/*
 * A header in one of the last sectors: in the very last one, or in one of the
 * last nsectors where GEOM may keep something after the dump.  dmp_where is
 * left empty.  false: there is none.
 */
bool headers_probe(const struct disk *dk, const struct extent *ext,
    unsigned int nsectors, struct dumpdev_dump *out, struct trouble *tr);

/*
 * Look for headers from *off on, which moves past the header that is found: at
 * most len bytes, so that the caller can stop in between.  Either header is
 * enough to find a dump, so it is mostly found twice.  A header that may be either
 * is the first one of a dump that would begin before start.  false: nothing in
 * these bytes.
 */
bool headers_search(const struct disk *dk, uint64_t start, uint64_t *off,
    uint64_t len, struct dumpdev_dump *out, struct trouble *tr);

/* Are both headers on the disk still what was found?  false: *tr says. */
bool headers_unchanged(const struct disk *dk, const struct dumpdev_dump *dump,
    struct trouble *tr);

#endif
