/*
 * Where in a minidump a physical page lies.
 *
 * The pages of the bitmap follow each other in the file, so a page's place is
 * the number of set bits before its own.  That number is kept for every 512
 * bits, so that a lookup reads one line of the bitmap; it is counted when it is
 * first needed, up to where it is needed, so that opening costs nothing.
 *
 *	rank(bit) = pi_super[bit / 65536] + pi_sub[bit / 512]
 *	    + set bits from bit / 512 * 512 up to bit
 */
#ifndef LIBKVM_PAGEINDEX_H
#define LIBKVM_PAGEINDEX_H

#include "format/dumpset.h"
#include "libkvm/image.h"

struct pageindex {
	struct image *pi_image; /* borrowed */
	struct dumpset pi_set;
	struct dump_seg *pi_segs; /* owned, those of pi_set */
	enum byte_order pi_order;
	uint64_t pi_bitmap_off; /* bytes into the file */
	uint64_t pi_pages_off;
	uint64_t pi_nbits;    /* of bitmap and page set, the smaller */
	uint64_t pi_ncounted; /* blocks of 512 bits with a valid count */
	uint64_t *pi_super;   /* owned */
	uint16_t *pi_sub;     /* owned */
	const struct dump_seg *pi_hint; /* the segment found last */
};

/* What the caller knows of the dump. */
struct pageindex_desc {
	struct dumpset set;
	struct dump_seg *segs; /* malloc'd; the index frees it, always */
	enum byte_order order;
	uint64_t bitmap_off;
	uint64_t bitmap_len; /* bytes, inside of the file */
	uint64_t pages_off;
};

/* NULL: out of memory.  The image is borrowed. */
struct pageindex *pageindex_create(struct image *im,
    const struct pageindex_desc *desc);
void pageindex_destroy(struct pageindex *pi);

enum page_state {
	PAGE_PRESENT,	/* in the file */
	PAGE_ABSENT,	/* memory, but not dumped */
	PAGE_GAP,	/* no memory there */
	PAGE_UNREADABLE /* the bitmap cannot be read: see the image */
};

/* An answer of pageindex_find(). */
struct page_run {
	enum page_state pr_state;
	uint64_t pr_off; /* PAGE_PRESENT: bytes into the file */
	uint64_t pr_bit; /* PAGE_PRESENT: of the first page, in the bitmap */
	uint64_t pr_len; /* bytes for which the same holds, <= what was asked */
};

/* Where are the len bytes from pa on?  len > 0. */
struct page_run pageindex_find(struct pageindex *pi, uint64_t pa, uint64_t len);

/* How many pages the dump holds.  Reads the whole bitmap the first time. */
bool pageindex_count(struct pageindex *pi, uint64_t *npages);

/*
 * For walks over the bitmap: 64 bits of it from 64 * word on, those behind its
 * end as 0, and the number of set bits before them.
 */
bool pageindex_word(struct pageindex *pi, uint64_t word, uint64_t *bits,
    uint64_t *rank);

#endif
