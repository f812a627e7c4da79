/*
 * The bytes of a core file, however they are got at.
 *
 * An image is mapped where that is wise, and read with pread(2) where it is not
 * (32-bit hosts, network file systems, dumps larger than memory) or no longer
 * is (the file was cut short).  Callers use two calls: image_view() for the
 * few bytes of a header, a bitmap or a page table, image_read() for data; and
 * one more before they believe what they got:
 *
 *	do {
 *		... image_view() ... image_read() ...
 *	} while (!image_settle(im, end));
 *
 * It is false at most once in an image's life: then the image is no longer
 * mapped, and what is done again with pread(2) finds out which bytes exist.
 */
#ifndef LIBKVM_IMAGE_H
#define LIBKVM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libkvm/mapping.h"

/* The largest image_view(): a page table. */
#define IMAGE_VIEW_MAX 16384

struct image {
	const uint8_t *im_base;	    /* the mapping; NULL: pread(2) */
	uint64_t im_len;	    /* bytes */
	uint64_t im_page_mask;	    /* of the host's pages */
	int im_fd;		    /* owned */
	int im_errno;		    /* of the last failed read; 0: too short */
	struct mapping *im_mapping; /* owned; stays until image_close() */
	struct image_cache *im_cache; /* owned; blocks for image_view() */
};

enum image_access {
	IMAGE_AUTO,  /* mapped where that is wise */
	IMAGE_PREAD, /* never mapped */
	IMAGE_MAPPED /* mapped if at all possible */
};

/*
 * Take over fd, a regular file or a disk.  0 or an errno; fd is closed on
 * failure too.
 */
int image_create(int fd, enum image_access access, struct image **out);
void image_destroy(struct image *im);

/* image_view() of an image that is not mapped. */
const uint8_t *image_fetch(struct image *im, uint64_t off, size_t len,
    uint8_t *scratch);

/*
 * Look at len bytes at off, len <= IMAGE_VIEW_MAX.  Returns where they are,
 * until the next call: in the mapping, or in scratch, which has room for len.
 * NULL: not all are there.
 */
static inline const uint8_t *
image_view(struct image *im, uint64_t off, size_t len, uint8_t *scratch)
{
	if (im->im_base == NULL)
		return (image_fetch(im, off, len, scratch));
	if (off > im->im_len || len > im->im_len - off) {
		im->im_errno = 0;
		return (NULL);
	}
	return (im->im_base + off);
}

/*
 * Read up to len bytes at off with pread(2).  Returns how many there are before
 * the first that cannot be read; im_errno says why if these are not all.
 */
size_t image_pread_some(struct image *im, uint64_t off, void *buf, size_t len);

/* image_read() of an image that is not mapped. */
bool image_pread(struct image *im, uint64_t off, void *buf, size_t len);

/* Copy len bytes at off.  false: not all are there, im_errno says why. */
static inline bool
image_read(struct image *im, uint64_t off, void *buf, size_t len)
{
	if (im->im_base == NULL || off > im->im_len || len > im->im_len - off)
		return (image_pread(im, off, buf, len));
	memcpy(buf, im->im_base + off, len);
	return (true);
}

bool image_settle_slowly(struct image *im, uint64_t end);

/*
 * Were all bytes that were read since the last call, none of them at or behind
 * end, the file's own?  A file that was cut inside of a page shows zeros up to
 * the page's end without a fault, so zeros at the end are looked into.
 */
static inline bool
image_settle(struct image *im, uint64_t end)
{
	if (im->im_base == NULL)
		return (true);
	if (!mapping_torn(im->im_mapping) &&
	    (end == 0 || im->im_base[end - 1] != 0))
		return (true);
	return (image_settle_slowly(im, end));
}

#endif
