/*
 * Counts of a bitmap's bits, made up to the page that is asked for: see
 * pageindex.h.
 */
#include "libkvm/pageindex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SUPER_WORDS PAGEINDEX_SUPER_WORDS
/* Counts in pi_sub are too large by this, and those in pi_super too small. */
#define SUB_BIAS UINT64_C(1)

static_assert((SUPER_WORDS - 1) * 64 + SUB_BIAS <= UINT16_MAX,
    "pi_sub would overflow");
static_assert(SUPER_WORDS * 8 <= IMAGE_VIEW_MAX, "a block is viewed at once");

static uint64_t
popcount(uint64_t word)
{
	return ((uint64_t)__builtin_popcountll(word));
}

/* The n lowest bits; n < 64. */
static uint64_t
low_bits(unsigned int n)
{
	return ((UINT64_C(1) << n) - 1);
}

struct pageindex *
pageindex_create(struct image *im, const struct pageindex_desc *desc)
{
	struct pageindex *pi = calloc(1, sizeof(*pi));
	uint64_t nwords;

	if (pi == NULL) {
		free(desc->segs);
		return (NULL);
	}
	pi->pi_image = im;
	pi->pi_set = desc->set;
	pi->pi_segs = desc->segs;
	pi->pi_order = desc->order;
	pi->pi_bitmap_off = desc->bitmap_off;
	pi->pi_pages_off = desc->pages_off;
	pi->pi_nbits = desc->bitmap_len * 8;
	if (desc->set.set_nbits < pi->pi_nbits)
		pi->pi_nbits = desc->set.set_nbits;

	/* Untouched zeros take no memory. */
	nwords = pi->pi_nbits / 64 + 1;
	pi->pi_sub = calloc((size_t)nwords, sizeof(*pi->pi_sub));
	pi->pi_super =
	    calloc((size_t)(nwords / SUPER_WORDS + 2), sizeof(*pi->pi_super));
	if (pi->pi_sub == NULL || pi->pi_super == NULL) {
		pageindex_destroy(pi);
		return (NULL);
	}
	pi->pi_super[0] = 0 - SUB_BIAS;
	return (pi);
}

void
pageindex_destroy(struct pageindex *pi)
{
	if (pi == NULL)
		return;
	free(pi->pi_segs);
	free(pi->pi_super);
	free(pi->pi_sub);
	free(pi);
}

/* A word of the bitmap, whose length is a multiple of a word's. */
static inline bool
load_word(struct pageindex *pi, uint64_t word, uint64_t *bits)
{
	uint8_t scratch[8];
	const uint8_t *p =
	    image_view(pi->pi_image, pi->pi_bitmap_off + word * 8, 8, scratch);

	if (p == NULL)
		return (false);
	*bits = dumpset_word(pi->pi_order, p);
	return (true);
}

/* ---- counting ---- */

/* How many words there are; the last one may be cut by pi_nbits. */
static uint64_t
count_words(const struct pageindex *pi)
{
	return ((pi->pi_nbits + 63) / 64);
}

/* The words of a block. */
static uint64_t
block_words(const struct pageindex *pi, uint64_t block)
{
	uint64_t left = count_words(pi) - block * SUPER_WORDS;

	return (left < SUPER_WORDS ? left : SUPER_WORDS);
}

/* Where a block lies in the file. */
static uint64_t
block_off(const struct pageindex *pi, uint64_t block)
{
	return (pi->pi_bitmap_off + block * SUPER_WORDS * 8);
}

const uint8_t *
pageindex_block(struct pageindex *pi, uint64_t block,
    uint8_t scratch[SUPER_WORDS * 8], uint64_t *n)
{
	*n = block_words(pi, block);
	return (image_view(pi->pi_image, block_off(pi, block), (size_t)*n * 8,
	    scratch));
}

/* Is a block in a hole of the file as a whole, so that its bits are 0? */
static bool
is_hole(struct pageindex *pi, uint64_t block)
{
	uint64_t len =
	    image_hole_len(pi->pi_image, &pi->pi_data, block_off(pi, block));

	return (len >= block_words(pi, block) * 8);
}

/* Set bits of n words, in whatever order they are. */
static uint64_t
popcount_words(const uint8_t *p, uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t word;

		memcpy(&word, p + i * 8, sizeof(word));
		sum += popcount(word);
	}
	return (sum);
}

/* Set bits of a block.  Those after the end of the page set are no pages. */
static bool
count_block(struct pageindex *pi, uint64_t block, uint64_t *sum)
{
	uint8_t scratch[SUPER_WORDS * 8];
	const uint8_t *p;
	uint64_t n;

	*sum = 0;
	if (is_hole(pi, block))
		return (true);
	if ((p = pageindex_block(pi, block, scratch, &n)) == NULL)
		return (false);
	*sum = popcount_words(p, n);
	if (pi->pi_nbits % 64 != 0 &&
	    block * SUPER_WORDS + n == count_words(pi))
		*sum -= popcount(dumpset_word(pi->pi_order, p + (n - 1) * 8) >>
		    pi->pi_nbits % 64);
	return (true);
}

/* Count until the block, or all of them, has a count before it. */
static bool
count_up_to(struct pageindex *pi, uint64_t block)
{
	uint64_t sum;

	for (; pi->pi_nblocks < block; pi->pi_nblocks++) {
		if (!count_block(pi, pi->pi_nblocks, &sum))
			return (false);
		pi->pi_super[pi->pi_nblocks + 1] =
		    pi->pi_super[pi->pi_nblocks] + sum;
	}
	return (true);
}

/* Count the words of a block. */
static bool
fill_block(struct pageindex *pi, uint64_t block)
{
	uint8_t scratch[SUPER_WORDS * 8];
	uint16_t *sub = &pi->pi_sub[block * SUPER_WORDS];
	uint64_t sum = SUB_BIAS;
	const uint8_t *p;
	uint64_t n;

	if (!count_up_to(pi, block) ||
	    (p = pageindex_block(pi, block, scratch, &n)) == NULL)
		return (false);
	for (uint64_t i = 0; i < n; i++) {
		sub[i] = (uint16_t)sum;
		sum += popcount_words(p + i * 8, 1);
	}
	return (true);
}

/* ---- looking up ---- */

/*
 * The number of set bits before bit, and the word that bit is in.  The last
 * word may have set bits after the end of the page set; they are not pages.
 */
static inline bool
rank_of(struct pageindex *pi, uint64_t bit, uint64_t *rank, uint64_t *bits)
{
	uint64_t word = bit / 64;

	if (pi->pi_sub[word] == 0 && !fill_block(pi, word / SUPER_WORDS))
		return (false);
	if (!load_word(pi, word, bits))
		return (false);
	*rank = pageindex_rank(pi, bit, *bits);
	return (true);
}

/* How many consecutive bits, at most max, equal the one at bit. */
static uint64_t
run_length(struct pageindex *pi, uint64_t bit, uint64_t word, uint64_t max)
{
	unsigned int shift = (unsigned int)(bit % 64);
	uint64_t flip = (word >> shift & 1) != 0 ? UINT64_MAX : 0;
	uint64_t differ = (word ^ flip) >> shift;
	uint64_t n = 0;
	uint8_t scratch[8];

	while (differ == 0) {
		const uint8_t *p;

		n += 64 - shift;
		shift = 0;
		if (n >= max ||
		    (p = image_view(pi->pi_image,
			 pi->pi_bitmap_off + (bit + n) / 8, 8, scratch)) ==
			NULL)
			break;
		differ = dumpset_word(pi->pi_order, p) ^ flip;
	}
	if (differ != 0)
		n += (unsigned int)__builtin_ctzll(differ);
	return (n < max ? n : max);
}

/* From pa to the next segment, or to the end of what was asked. */
static struct page_run
gap_run(const struct pageindex *pi, uint64_t pa, uint64_t len)
{
	const struct dumpset *set = &pi->pi_set;
	uint64_t pfn = pa >> set->set_page_shift;
	struct page_run run = { .run_state = PAGE_GAP, .run_len = len };

	for (size_t i = 0; i < set->set_nsegs; i++) {
		const struct dump_seg *seg = &set->set_segs[i];

		if (seg->seg_start > pfn) {
			uint64_t gap =
			    (seg->seg_start << set->set_page_shift) - pa;

			if (gap < len)
				run.run_len = gap;
			break;
		}
	}
	return (run);
}

/* From pa to its segment's end: the page set is larger than the bitmap. */
static struct page_run
unlisted_run(const struct pageindex *pi, const struct dump_seg *seg,
    uint64_t pa, uint64_t len)
{
	uint64_t left = (seg->seg_end << pi->pi_set.set_page_shift) - pa;

	return ((struct page_run){ .run_state = PAGE_ABSENT,
	    .run_len = left < len ? left : len });
}

/*
 * The run of present, or of missing, pages that starts at bit; len bytes at
 * most.
 */
static uint64_t
like_run(struct pageindex *pi, const struct dump_seg *seg, uint64_t bit,
    uint64_t word, uint64_t in_page, uint64_t len)
{
	unsigned int shift = pi->pi_set.set_page_shift;
	uint64_t end = dump_seg_bit(seg, seg->seg_end);
	uint64_t wanted = ((len - 1) >> shift) + 2;
	uint64_t npages;

	if (end > pi->pi_nbits)
		end = pi->pi_nbits;
	npages = end - bit < wanted ? end - bit : wanted;
	npages = run_length(pi, bit, word, npages);
	return ((npages << shift) - in_page);
}

struct page_run
pageindex_find(struct pageindex *pi, uint64_t pa, uint64_t len)
{
	unsigned int shift = pi->pi_set.set_page_shift;
	uint64_t in_page = pa & low_bits(shift);
	const struct dump_seg *seg = dumpset_find(&pi->pi_set, pa >> shift);
	struct page_run run = { .run_state = PAGE_PRESENT };
	uint64_t rank, word;

	if (seg == NULL)
		return (gap_run(pi, pa, len));
	run.run_bit = dump_seg_bit(seg, pa >> shift);
	if (run.run_bit >= pi->pi_nbits)
		return (unlisted_run(pi, seg, pa, len));
	if (!rank_of(pi, run.run_bit, &rank, &word))
		return ((struct page_run){ .run_state = PAGE_UNREADABLE });

	/* One page is the common question, and needs no more of the bitmap. */
	run.run_len = (UINT64_C(1) << shift) - in_page;
	if (run.run_len < len)
		run.run_len =
		    like_run(pi, seg, run.run_bit, word, in_page, len);
	if (run.run_len > len)
		run.run_len = len;
	if ((word >> run.run_bit % 64 & 1) == 0)
		run.run_state = PAGE_ABSENT;
	else
		run.run_off = pi->pi_pages_off + (rank << shift) + in_page;
	return (run);
}

bool
pageindex_window(struct pageindex *pi, uint64_t bit, uint64_t *bits,
    uint64_t *rank)
{
	unsigned int shift = (unsigned int)(bit % 64);
	uint64_t low, high;

	if (!rank_of(pi, bit, rank, &low))
		return (false);
	*bits = low >> shift;
	if (shift == 0)
		return (true);
	if (!load_word(pi, bit / 64 + 1, &high))
		return (false);
	*bits |= high << (64 - shift);
	return (true);
}

/* ---- all of it ---- */

uint64_t
pageindex_nblocks(const struct pageindex *pi)
{
	return ((count_words(pi) + SUPER_WORDS - 1) / SUPER_WORDS);
}

bool
pageindex_count(struct pageindex *pi, uint64_t *npages)
{
	uint64_t nblocks = pageindex_nblocks(pi);

	*npages = 0;
	if (!count_up_to(pi, nblocks))
		return (false);
	*npages = pi->pi_super[nblocks] + SUB_BIAS;
	return (true);
}

bool
pageindex_fill(struct pageindex *pi)
{
	uint64_t nblocks = pageindex_nblocks(pi);

	if (!count_up_to(pi, nblocks))
		return (false);
	for (uint64_t i = 0; i < nblocks; i++) {
		if (!pageindex_is_empty(pi, i) &&
		    pi->pi_sub[i * SUPER_WORDS] == 0 && !fill_block(pi, i))
			return (false);
	}
	return (true);
}
