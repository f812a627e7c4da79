/*
 * Where in a minidump a physical page lies.
 *
 * The pages of the bitmap follow each other in the file, so a page's place is
 * the number of set bits before its own.  That number is kept for each word of
 * the bitmap, so that a lookup reads one word and branches nowhere; it is
 * counted when it is first needed, up to where it is needed, so that opening
 * costs nothing.
 *
 *	rank(bit) = pi_super[bit / 65536] + pi_sub[bit / 64]
 *	    + set bits of the word below bit % 64
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
	uint64_t pi_ncounted; /* words with a valid count before them */
	uint64_t *pi_super;   /* owned */
	uint16_t *pi_sub;     /* owned */
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

/* Words of the bitmap to a count in pi_super. */
#define PAGEINDEX_SUPER_WORDS 1024

/*
 * The number of set bits before bit, which is in the word bits: one that was
 * counted, as all are after pageindex_count().
 */
static inline uint64_t
pageindex_rank(const struct pageindex *pi, uint64_t bit, uint64_t bits)
{
	uint64_t below = bits & ((UINT64_C(1) << bit % 64) - 1);

	return (pi->pi_super[bit / 64 / PAGEINDEX_SUPER_WORDS] +
	    pi->pi_sub[bit / 64] + (uint64_t)__builtin_popcountll(below));
}

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

/* A page of the dump: its bit, and where it is in the file. */
struct page_place {
	uint64_t pp_bit;
	uint64_t pp_off;
};

/*
 * The place of a page, for loops that ask millions of times: in a little-endian
 * bitmap that is mapped and was counted up to there.  false is no answer: then
 * pageindex_find() has it.
 */
static inline bool
pageindex_hot(const struct pageindex *pi, uint64_t pfn, struct page_place *out)
{
	const uint8_t *base = pi->pi_image->im_base;
	const struct dump_seg *seg = dumpset_find(&pi->pi_set, pfn);
	uint64_t bit, bits;

	if (seg == NULL || base == NULL || pi->pi_order != ORDER_LITTLE)
		return (false);
	bit = seg->ds_bit + (pfn - seg->ds_start);
	if (bit >= pi->pi_nbits || bit / 64 >= pi->pi_ncounted)
		return (false);
	bits = le64dec(base + pi->pi_bitmap_off + bit / 64 * 8);
	if ((bits >> bit % 64 & 1) == 0)
		return (false);
	out->pp_bit = bit;
	out->pp_off = pi->pi_pages_off +
	    (pageindex_rank(pi, bit, bits) << pi->pi_set.dp_page_shift);
	return (true);
}

/* Where are the len bytes from pa on?  len > 0. */
struct page_run pageindex_find(struct pageindex *pi, uint64_t pa, uint64_t len);

/* How many pages the dump holds.  Reads the whole bitmap the first time. */
bool pageindex_count(struct pageindex *pi, uint64_t *npages);

#endif
