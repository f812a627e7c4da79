/*
 * Crash dumps where a kernel has left them: at the end of a disk, of its
 * image, or of a partition that FreeBSD may dump to.
 *
 *	while (dumpdev_next(dev, &dump))
 *		if (dump.dmp_status == DUMPDEV_GOOD) ...
 */
#ifndef DISK_DUMPDEV_H
#define DISK_DUMPDEV_H

#include "disk/dump.h"
#include "disk/trouble.h"

struct dumpdev;
struct imagekind;

enum dumpdev_access { DUMPDEV_READ, DUMPDEV_CLEAR };

/* NULL: *tr says why. */
struct dumpdev *dumpdev_open(const char *path, enum dumpdev_access access,
    struct trouble *tr);
void dumpdev_close(struct dumpdev *dev);

/* The descriptor of the disk or its image, which stays dev's. */
int dumpdev_fd(const struct dumpdev *dev);

/*
 * Before the first dumpdev_next(): do not go by partition tables.  With a
 * length, only the partition from start on is looked at, of len bytes.  With
 * len 0, headers are searched from start to the disk's end; is_over() is asked
 * from time to time whether that shall end early.  false: there is no such
 * place.
 */
bool dumpdev_limit(struct dumpdev *dev, uint64_t start, uint64_t len,
    bool (*is_over)(void));

/*
 * Before the first dumpdev_next(): where the header after a dump cannot be read,
 * search the partition for the one before it, until is_over().
 */
void dumpdev_salvage(struct dumpdev *dev, bool (*is_over)(void));

/*
 * The format of an image that has to be converted before dumps can be found in it.
 * NULL: it is a disk or a raw image.
 */
const struct imagekind *dumpdev_image_kind(const struct dumpdev *dev);

/*
 * What it is, if it is no disk, but a dump that was saved from one or the like:
 * words that follow "it is"; a constant.  NULL: no more is known.
 */
const char *dumpdev_file_kind(const struct dumpdev *dev);

/*
 * The next dump of the disk, good or not.  false: there are no more.
 */
bool dumpdev_next(struct dumpdev *dev, struct dumpdev_dump *out);

/* After the last dumpdev_next(): did it go by a partition table or a label? */
bool dumpdev_has_table(const struct dumpdev *dev);

/*
 * Why dumpdev_next() could not look everywhere, such as a damaged partition
 * table or a bad sector; or why dumpdev_limit() refused.
 */
const struct trouble *dumpdev_trouble(const struct dumpdev *dev);

/* The two parts of a dump; most have no key. */
enum dumpdev_part {
	DUMPDEV_CORE, /* kh_dump_len bytes */
	DUMPDEV_KEY   /* kh_key_len bytes */
};

/*
 * Copy bytes from off on, a textdump's in their right order; off is a multiple
 * of 512, and so is len but at the part's end.  false: *tr says why.
 */
bool dumpdev_read(const struct dumpdev *dev, const struct dumpdev_dump *dump,
    enum dumpdev_part part, uint64_t off, uint8_t *buf, size_t len,
    struct trouble *tr);

/*
 * How many bytes from off on, up to len, are all in a hole of the image, and so
 * zeros that need not be read, or all in none; *hole tells which.  A textdump's
 * len is a multiple of 512.
 */
uint64_t dumpdev_run_len(const struct dumpdev *dev,
    const struct dumpdev_dump *dump, enum dumpdev_part part, uint64_t off,
    uint64_t len, bool *hole);

/*
 * Bytes of a dump and its key, or of the whole disk, that were in no hole of the
 * image when it was opened.
 */
uint64_t dumpdev_data_len(const struct dumpdev *dev,
    const struct dumpdev_dump *dump);
uint64_t dumpdev_disk_data_len(const struct dumpdev *dev);

/* Where on the disk these bytes of a part begin. */
uint64_t dumpdev_place(const struct dumpdev_dump *dump, enum dumpdev_part part,
    uint64_t off, uint64_t len);

/*
 * Is the dump on the disk still the one that was found?  Both headers are read
 * again.  A dump that is being written, and whose headers were not yet, is not
 * noticed.
 */
bool dumpdev_unchanged(const struct dumpdev *dev,
    const struct dumpdev_dump *dump, struct trouble *tr);

/*
 * Mark the dump as saved, so that it is not saved again: the magic in the last
 * header.  Nothing else is written, and nothing at all if the dump is no longer
 * the one that was found.
 */
bool dumpdev_clear(struct dumpdev *dev, const struct dumpdev_dump *dump,
    struct trouble *tr);

#endif
