/*
 * The offset of a physical page in a minidump.
 *
 * The file has the pages in the order of the bitmap, so a page's number in the
 * file is the number of set bits before its own.  That number is kept in two
 * parts, for each block of the bitmap and for each word of a block, so that a
 * lookup reads one word:
 *
 *	rank(bit) = pi_super[bit / 65536] + pi_sub[bit / 64]
 *	    + set bits of the word below bit % 64
 *
 * Both are counted when they are first needed: the blocks up to where they are
 * needed, the words of a block when one of them is asked for.  So opening costs
 * nothing, and a bitmap that is mostly a hole of the file costs no more than
 * its 8 bytes for each block: holes are not read, and words that nothing asks
 * for have no counts.
 *
 * A word without a count has a 0 in pi_sub.  Counts there are one too large,
 * and those in pi_super one too small, for this to be no other count.
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
	uint64_t pi_nbits;	     /* of bitmap and page set, the smaller */
	uint64_t pi_nblocks;	     /* that have a count in pi_super */
	struct image_extent pi_data; /* what is no hole, where it was counted */
	uint64_t *pi_super;	     /* owned; of a block, and of all blocks */
	uint16_t *pi_sub;	     /* owned */
};

/* The caller's description of the dump. */
struct pageindex_desc {
	struct dumpset set;
	struct dump_seg *segs; /* malloc'd; the index frees it, always */
	enum byte_order order;
	uint64_t bitmap_off;
	uint64_t bitmap_len; /* bytes, inside of the file */
	uint64_t pages_off;
};

/* Words of a block, which has a count in pi_super. */
#define PAGEINDEX_SUPER_WORDS 1024

/*
 * The number of set bits before bit.  bits is the word that bit is in; it must
 * have been counted, as all words that are not 0 have after pageindex_fill().
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
	enum page_state run_state;
	uint64_t run_off; /* PAGE_PRESENT: bytes into the file */
	uint64_t run_bit; /* PAGE_PRESENT: of the first page, in the bitmap */
	uint64_t
	    run_len; /* bytes for which the same holds, <= what was asked */
};

/* Where are the len bytes from pa on?  len > 0. */
struct page_run pageindex_find(struct pageindex *pi, uint64_t pa, uint64_t len);

/*
 * The 64 bits from bit on, all of them inside of pi_nbits, the first as the
 * lowest, and the number of set bits before them.  false: unreadable.
 */
bool pageindex_window(struct pageindex *pi, uint64_t bit, uint64_t *bits,
    uint64_t *rank);

/*
 * How many pages the dump holds.  Reads the whole bitmap the first time.
 * false: it cannot be read.
 */
bool pageindex_count(struct pageindex *pi, uint64_t *npages);

/* Count all words that are not 0.  false: the bitmap cannot be read. */
bool pageindex_fill(struct pageindex *pi);

/* How many blocks of PAGEINDEX_SUPER_WORDS words there are. */
uint64_t pageindex_nblocks(const struct pageindex *pi);

/* Has a block no page?  Only after pageindex_fill(). */
static inline bool
pageindex_is_empty(const struct pageindex *pi, uint64_t block)
{
	return (pi->pi_super[block + 1] == pi->pi_super[block]);
}

/*
 * The words of a block: *n of them, fewer in the last block.  NULL: they cannot
 * be read.
 */
const uint8_t *pageindex_block(struct pageindex *pi, uint64_t block,
    uint8_t scratch[PAGEINDEX_SUPER_WORDS * 8], uint64_t *n);

#endif
