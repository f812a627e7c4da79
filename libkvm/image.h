/*
 * The bytes of a core file, mapped or not.
 *
 * An image is mapped if that is safe and fast.  It is read with pread(2) on
 * 32-bit hosts, on network file systems, for dumps larger than memory, and once
 * the file was truncated.  Callers use image_view() for the few bytes of a
 * header, a bitmap or a page table, image_read() for data, and image_settle()
 * before they use the bytes:
 *
 *	do {
 *		... image_view() ... image_read() ...
 *	} while (!image_settle(im, end));
 *
 * image_settle() is false at most once in an image's life: the image is no
 * longer mapped then, and the repetition with pread(2) finds out which bytes
 * exist.
 */
#ifndef LIBKVM_IMAGE_H
#define LIBKVM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libkvm/damage.h"
#include "libkvm/mapping.h"

/* The largest image_view(): a page table. */
#define IMAGE_VIEW_MAX 16384

struct image {
	const uint8_t *im_base;	    /* the mapping; NULL: pread(2) */
	uint64_t im_len;	    /* bytes */
	uint64_t im_page_mask;	    /* of the host's pages */
	int im_fd;		    /* owned */
	int im_errno;		    /* of the last failed read; 0: too short */
	int im_error;		    /* of the first that has one; 0: none */
	uint64_t im_error_off;	    /* where it failed: bytes into the file */
	struct mapping *im_mapping; /* owned; stays until image_destroy() */
	struct image_cache *im_cache; /* owned; blocks for image_view() */
	/* For views that are too large for a stack; the next one takes it. */
	uint8_t im_scratch[IMAGE_VIEW_MAX];

	/* Set by image_set_damage(). */
	struct damage im_damage; /* owned */
	bool im_is_strict;	 /* what is unverified counts as lost */
	bool im_is_lost;	 /* why the last read failed */
	bool im_gave_unverified; /* some read has returned such bytes */
	bool im_met_lost;	 /* some read was of bytes that are lost */
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

/*
 * Take over damage: reads of what is lost fail, and those of what is unverified
 * are remembered or, if strict, fail too.  The image must not be mapped.
 */
void image_set_damage(struct image *im, struct damage *damage, bool strict);

/* image_view() of an image that is not mapped. */
const uint8_t *image_fetch(struct image *im, uint64_t off, size_t len,
    uint8_t *scratch);

/*
 * Look at len bytes at off, len <= IMAGE_VIEW_MAX.  Returns a pointer to them,
 * in the mapping or in scratch, which has room for len; it is valid until the
 * next call.  NULL: not all of them are in the file.
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

/* Copy len bytes at off.  false: not all of them can be read; see im_errno. */
static inline bool
image_read(struct image *im, uint64_t off, void *buf, size_t len)
{
	if (im->im_base == NULL || off > im->im_len || len > im->im_len - off)
		return (image_pread(im, off, buf, len));
	memcpy(buf, im->im_base + off, len);
	return (true);
}

/* Bytes of the file, half-open. */
struct image_extent {
	uint64_t ext_start;
	uint64_t ext_end;
};

/*
 * The first part of the file at or after off that is no hole; what lies before
 * it reads as zeros.  Where the host cannot tell, all is data.  No data: an
 * empty extent at the end of the file as it is now.
 */
struct image_extent image_next_data(struct image *im, uint64_t off);

/*
 * How many bytes from off on lie in a hole of the file and read as zeros.
 * *data keeps what the last call found: {0} before the first call.  The caller
 * goes upwards: no off is lower than the one before it.
 */
uint64_t image_hole_len(struct image *im, struct image_extent *data,
    uint64_t off);

bool image_settle_slowly(struct image *im, uint64_t end);

/*
 * Did all bytes that were read since the last call, all of them before end,
 * come from the file?  A file that was truncated inside of a page shows zeros
 * up to the page's end without a fault, so zeros at the end are checked.
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
