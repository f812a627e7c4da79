/*
 * The pages of a dump that a walk has not reported yet, and their offsets in
 * the file.
 *
 * A walk finds pages in the order of their addresses, which is a random order
 * in the dump's bitmap, and asks for each: is it in the dump, is it new, and
 * where in the file?  A copy of the bitmap has all that is needed for the
 * answer in one place.  The bit of a page is found without a search: memory is
 * divided into granules, and the difference of bits and page numbers, the
 * granule's bias, is the same in the whole granule unless a segment ends in it.
 *
 * The copy has only those of the index's blocks that have a set bit.  All others
 * share one block of zeros, so a hole of the bitmap takes a pointer a block.
 */
#ifndef LIBKVM_WALKSET_H
#define LIBKVM_WALKSET_H

#include "libkvm/pageindex.h"

/* 64 bits of the bitmap. */
struct walk_word {
	uint64_t ww_bits;
	uint64_t ww_left; /* of these, what was not taken yet */
};

#define WALKSET_BLOCK_BITS (PAGEINDEX_SUPER_WORDS * UINT64_C(64))
#define WALKSET_GRANULES   1024

struct walkset {
	struct pageindex *ws_index;    /* borrowed; all of it is counted */
	struct walk_word *ws_words;    /* owned; a block of zeros comes first */
	struct walk_word **ws_blocks;  /* owned; a block of zeros is the last */
	uint64_t ws_nbits;	       /* of the bitmap, in whole words */
	unsigned int ws_granule_shift; /* log2 of a granule's pages */
	uint64_t ws_bias[WALKSET_GRANULES]; /* or WALKSET_NO_BIAS */
};
#define WALKSET_NO_BIAS (UINT64_C(1) << 63)

/*
 * All pages of the dump.  ENOMEM, or EIO: the bitmap cannot be read.
 * walkset_fini() in each case.
 */
int walkset_init(struct walkset *ws, struct pageindex *pi);
void walkset_fini(struct walkset *ws);

/* walkset_bit() in a granule without a bias. */
uint64_t walkset_search(const struct walkset *ws, uint64_t pfn);

/* The bit of a page number.  Without one: ws_nbits, which is never taken. */
static inline uint64_t
walkset_bit(const struct walkset *ws, uint64_t pfn)
{
	uint64_t granule = pfn >> ws->ws_granule_shift;

	if (granule < WALKSET_GRANULES) {
		uint64_t bit = pfn + ws->ws_bias[granule];

		if (bit < ws->ws_nbits)
			return (bit);
	}
	return (walkset_search(ws, pfn));
}

/* The word that a bit is in; bit <= ws_nbits. */
static inline struct walk_word *
walkset_word(const struct walkset *ws, uint64_t bit)
{
	return (&ws->ws_blocks[bit / WALKSET_BLOCK_BITS]
			      [bit % WALKSET_BLOCK_BITS / 64]);
}

/* Pages of this bit will soon be taken. */
static inline void
walkset_prefetch(const struct walkset *ws, uint64_t bit)
{
	__builtin_prefetch(walkset_word(ws, bit));
	__builtin_prefetch(&ws->ws_index->pi_sub[bit / 64]);
}

/* Where the page of a bit that is set lies in the file. */
static inline uint64_t
walkset_off(const struct walkset *ws, uint64_t bit)
{
	const struct pageindex *pi = ws->ws_index;
	uint64_t rank = pageindex_rank(pi, bit, walkset_word(ws, bit)->ww_bits);

	return (pi->pi_pages_off + (rank << pi->pi_set.set_page_shift));
}

/*
 * Take the page of a bit.  false: it is not in the dump, or was taken before.
 */
static inline bool
walkset_take(struct walkset *ws, uint64_t bit)
{
	uint64_t *left = &walkset_word(ws, bit)->ww_left;

	if ((*left >> bit % 64 & 1) == 0)
		return (false);
	*left &= ~(UINT64_C(1) << bit % 64);
	return (true);
}

/*
 * Take the pages of n consecutive bits, 0 < n <= 64: all of them, or none and
 * false.  They are contiguous in the file.
 */
static inline bool
walkset_take_run(struct walkset *ws, uint64_t bit, uint64_t n)
{
	struct walk_word *word = walkset_word(ws, bit);
	unsigned int shift = (unsigned int)(bit % 64);
	uint64_t mask = UINT64_MAX >> (64 - n);
	uint64_t high = shift == 0 ? 0 : mask >> (64 - shift);

	mask <<= shift;
	if ((word->ww_left & mask) != mask)
		return (false);
	if (high != 0) {
		struct walk_word *next = walkset_word(ws, bit + 64);

		if ((next->ww_left & high) != high)
			return (false);
		next->ww_left ^= high;
	}
	word->ww_left ^= mask;
	return (true);
}

/* How many pages of n consecutive bits were not taken yet? */
uint64_t walkset_count_left(const struct walkset *ws, uint64_t bit, uint64_t n);

/* The first bit from this one on that was not taken yet; ws_nbits: none. */
uint64_t walkset_next(const struct walkset *ws, uint64_t bit);

/*
 * How many pages from a bit on, which was not taken yet, can be taken as a run
 * that is contiguous in memory too, from *pa on.  0: the bit has no page.
 */
uint64_t walkset_run(const struct walkset *ws, uint64_t bit, uint64_t *pa);

#endif
