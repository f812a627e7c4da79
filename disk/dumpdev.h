/*
 * Crash dumps where a kernel has left them: at the end of a disk, of its
 * image, or of a freebsd-swap partition of its GUID partition table.
 *
 *	while (dumpdev_next(dev, &dump))
 *		if (dump.dmp_status == DUMPDEV_GOOD) ...
 *
 * Other partition tables are not looked into: name the partition's device.
 */
#ifndef DISK_DUMPDEV_H
#define DISK_DUMPDEV_H

#include "format/kerneldump.h"

struct dumpdev;

enum dumpdev_access { DUMPDEV_READ, DUMPDEV_CLEAR };

/* A text in why[len] when it fails, which is NULL then. */
struct dumpdev *dumpdev_open(const char *path, enum dumpdev_access access,
    char *why, size_t len);
void dumpdev_close(struct dumpdev *dev);

/* What a header's lengths, parity and first copy say. */
enum dumpdev_status {
	DUMPDEV_GOOD,
	DUMPDEV_DOUBTFUL, /* damaged, but its bytes can be found */
	DUMPDEV_BAD	  /* not even that */
};

struct dumpdev_dump {
	struct kerneldump_hdr
	    dmp_hdr; /* not decoded if dmp_place is not known */
	struct kerneldump_place dmp_place; /* from the start of the disk */
	uint32_t dmp_sector_len;
	unsigned int dmp_partition; /* its number; 0: the whole disk */
	bool dmp_cleared; /* saved before; dmp_hdr is as it was before that */
	enum dumpdev_status dmp_status;
	const char *dmp_why; /* what is wrong, unless it is good; a constant */
};

/*
 * The next dump of the disk, good or not.  false: there are no more.
 */
bool dumpdev_next(struct dumpdev *dev, struct dumpdev_dump *out);

/* Does the disk have an MBR with partitions, which were not looked into? */
bool dumpdev_has_mbr(const struct dumpdev *dev);

/*
 * What kept dumpdev_next() from looking everywhere (a damaged partition
 * table, a bad sector), or why the last call failed.  NULL: nothing.
 */
const char *dumpdev_why(const struct dumpdev *dev);

/*
 * Copy the dump's bytes from off on, a textdump's in their right order; off
 * is a multiple of 4096.  Whole sectors are read: buf has room for len rounded
 * up to a multiple of 4096.
 */
bool dumpdev_read(struct dumpdev *dev, const struct dumpdev_dump *dump,
    uint64_t off, uint8_t *buf, size_t len);

/* The same for the key's area, kh_key_len bytes. */
bool dumpdev_read_key(struct dumpdev *dev, const struct dumpdev_dump *dump,
    uint64_t off, uint8_t *buf, size_t len);

/*
 * Mark the dump as saved, so that nobody takes it for a new one: the magic in
 * the last header's sector.  Nothing else is written.
 */
bool dumpdev_clear(struct dumpdev *dev, const struct dumpdev_dump *dump);

#endif
