#include "libkvm/pageindex.h"

#include <assert.h>
#include <stdlib.h>

#define BLOCK_BITS  512 /* a cache line of the bitmap */
#define BLOCK_BYTES (BLOCK_BITS / 8)
#define BLOCK_WORDS (BLOCK_BITS / 64)

#define SUPER_BLOCKS 128 /* so that counts inside of one fit 16 bits */
static_assert(SUPER_BLOCKS * BLOCK_BITS <= 65536, "pi_sub would overflow");

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
	uint64_t nblocks;

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
	if (desc->set.dp_nbits < pi->pi_nbits)
		pi->pi_nbits = desc->set.dp_nbits;
	pi->pi_hint = &pi->pi_set.dp_segs[0];

	/* Counted lazily, so memory that is never needed is never touched. */
	nblocks = pi->pi_nbits / BLOCK_BITS + 1;
	pi->pi_sub = calloc((size_t)nblocks, sizeof(*pi->pi_sub));
	pi->pi_super =
	    calloc((size_t)(nblocks / SUPER_BLOCKS + 1), sizeof(*pi->pi_super));
	if (pi->pi_sub == NULL || pi->pi_super == NULL) {
		pageindex_destroy(pi);
		return (NULL);
	}
	pi->pi_ncounted = 1; /* before the first block there is nothing */
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

/*
 * A block of the bitmap.  The bitmap's length is a multiple of 8, not always
 * of a block's: the last one is shorter.
 */
static const uint8_t *
view_block(struct pageindex *pi, uint64_t block, uint8_t scratch[BLOCK_BYTES],
    unsigned int *nwords)
{
	uint64_t words = (pi->pi_nbits + 63) / 64 - block * BLOCK_WORDS;

	*nwords = words < BLOCK_WORDS ? (unsigned int)words : BLOCK_WORDS;
	return (image_view(pi->pi_image,
	    pi->pi_bitmap_off + block * BLOCK_BYTES, 8 * *nwords, scratch));
}

/* Count blocks until the one that is asked for has a count before it. */
static bool
count_up_to(struct pageindex *pi, uint64_t block)
{
	uint8_t scratch[BLOCK_BYTES];

	while (pi->pi_ncounted <= block) {
		uint64_t last = pi->pi_ncounted - 1;
		uint64_t sum =
		    pi->pi_super[last / SUPER_BLOCKS] + pi->pi_sub[last];
		unsigned int nwords;
		const uint8_t *p = view_block(pi, last, scratch, &nwords);

		if (p == NULL)
			return (false);
		for (unsigned int i = 0; i < nwords; i++)
			sum += popcount(dumpset_word(pi->pi_order, p + 8 * i));
		if (pi->pi_ncounted % SUPER_BLOCKS == 0)
			pi->pi_super[pi->pi_ncounted / SUPER_BLOCKS] = sum;
		pi->pi_sub[pi->pi_ncounted] = (uint16_t)(sum -
		    pi->pi_super[pi->pi_ncounted / SUPER_BLOCKS]);
		pi->pi_ncounted++;
	}
	return (true);
}

/*
 * The number of set bits before bit, and the word that bit is in.  Bits behind
 * the end of the page set may be set in the last word; they are no pages.
 */
static bool
rank_of(struct pageindex *pi, uint64_t bit, uint64_t *rank, uint64_t *word)
{
	uint8_t scratch[BLOCK_BYTES];
	uint64_t block = bit / BLOCK_BITS;
	unsigned int in_block = (unsigned int)(bit % BLOCK_BITS);
	unsigned int nwords;
	uint64_t sum;
	const uint8_t *p;

	if (block >= pi->pi_ncounted && !count_up_to(pi, block))
		return (false);
	if ((p = view_block(pi, block, scratch, &nwords)) == NULL)
		return (false);
	sum = pi->pi_super[block / SUPER_BLOCKS] + pi->pi_sub[block];
	for (unsigned int i = 0; i < in_block / 64; i++)
		sum += popcount(dumpset_word(pi->pi_order, p + 8 * i));
	*word = dumpset_word(pi->pi_order, p + 8 * (in_block / 64));
	*rank = sum + popcount(*word & low_bits(in_block % 64));
	return (true);
}

/* How many bits from bit on, at most max, are like the first one. */
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

/* The segment of a page number; most follow their predecessor's. */
static const struct dump_seg *
find_segment(struct pageindex *pi, uint64_t pfn)
{
	const struct dump_seg *seg = pi->pi_hint;

	if (pfn >= seg->ds_start && pfn < seg->ds_end)
		return (seg);
	if ((seg = dumpset_find(&pi->pi_set, pfn)) != NULL)
		pi->pi_hint = seg;
	return (seg);
}

/* From pa to the next segment, or to the end of what was asked. */
static struct page_run
gap_run(const struct pageindex *pi, uint64_t pa, uint64_t len)
{
	const struct dumpset *set = &pi->pi_set;
	uint64_t pfn = pa >> set->dp_page_shift;
	struct page_run run = { .pr_state = PAGE_GAP, .pr_len = len };

	for (size_t i = 0; i < set->dp_nsegs; i++) {
		const struct dump_seg *seg = &set->dp_segs[i];

		if (seg->ds_start > pfn) {
			uint64_t gap =
			    (seg->ds_start << set->dp_page_shift) - pa;

			if (gap < len)
				run.pr_len = gap;
			break;
		}
	}
	return (run);
}

/* Pages from bit on, up to len bytes from inside the first one, that are alike. */
static uint64_t
like_run(struct pageindex *pi, const struct dump_seg *seg, uint64_t bit,
    uint64_t word, uint64_t in_page, uint64_t len)
{
	unsigned int shift = pi->pi_set.dp_page_shift;
	uint64_t end = seg->ds_bit + (seg->ds_end - seg->ds_start);
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
	unsigned int shift = pi->pi_set.dp_page_shift;
	uint64_t in_page = pa & low_bits(shift);
	const struct dump_seg *seg = find_segment(pi, pa >> shift);
	struct page_run run = { .pr_state = PAGE_PRESENT };
	uint64_t rank, word;

	if (seg == NULL)
		return (gap_run(pi, pa, len));
	run.pr_bit = seg->ds_bit + ((pa >> shift) - seg->ds_start);
	if (run.pr_bit >= pi->pi_nbits) /* a page set larger than the bitmap */
		return ((struct page_run){ .pr_state = PAGE_ABSENT,
		    .pr_len = len });
	if (!rank_of(pi, run.pr_bit, &rank, &word))
		return ((struct page_run){ .pr_state = PAGE_UNREADABLE });

	/* One page is the common question, and needs no more of the bitmap. */
	run.pr_len = (UINT64_C(1) << shift) - in_page;
	if (run.pr_len < len)
		run.pr_len = like_run(pi, seg, run.pr_bit, word, in_page, len);
	if (run.pr_len > len)
		run.pr_len = len;
	if ((word >> run.pr_bit % 64 & 1) == 0)
		run.pr_state = PAGE_ABSENT;
	else
		run.pr_off = pi->pi_pages_off + (rank << shift) + in_page;
	return (run);
}

bool
pageindex_count(struct pageindex *pi, uint64_t *npages)
{
	uint64_t bits, rank;

	if (pi->pi_nbits == 0) {
		*npages = 0;
		return (true);
	}
	if (!pageindex_word(pi, (pi->pi_nbits - 1) / 64, &bits, &rank))
		return (false);
	*npages = rank + popcount(bits);
	return (true);
}

bool
pageindex_word(struct pageindex *pi, uint64_t word, uint64_t *bits,
    uint64_t *rank)
{
	uint64_t first = word * 64;

	if (first >= pi->pi_nbits) {
		*bits = 0;
		*rank = 0;
		return (true);
	}
	if (!rank_of(pi, first, rank, bits))
		return (false);
	if (pi->pi_nbits - first < 64)
		*bits &= low_bits((unsigned int)(pi->pi_nbits - first));
	return (true);
}
