/*
 * The pages that a walk has not reported yet: see walkset.h.
 */
#include "libkvm/walkset.h"

#include <sys/mman.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The large page of amd64, and of arm64 with 4 KB pages. */
#define LARGE_PAGE_LEN 2097152

/*
 * Memory that is used in random order.  In large pages, if the host provides
 * them, it takes a few page faults instead of a thousand.
 */
static void *
alloc_large(size_t len)
{
	void *p;

	if (posix_memalign(&p, LARGE_PAGE_LEN, len) != 0)
		return (NULL);
#ifdef MADV_HUGEPAGE
	(void)madvise(p, len, MADV_HUGEPAGE);
#endif
	return (p);
}

/*
 * The difference of bits and page numbers in a granule, if there is only one.
 */
static uint64_t
granule_bias(const struct pageindex *pi, uint64_t first, uint64_t npages)
{
	const struct dump_seg *seg = dumpset_find(&pi->pi_set, first);
	uint64_t bit;

	if (seg == NULL || npages > seg->seg_end - first)
		return (WALKSET_NO_BIAS);
	bit = dump_seg_bit(seg, first);
	if (bit > pi->pi_nbits || npages > pi->pi_nbits - bit)
		return (WALKSET_NO_BIAS);
	return (bit - first);
}

static void
find_biases(struct walkset *ws)
{
	const struct dumpset *set = &ws->ws_index->pi_set;
	uint64_t end = set->set_segs[set->set_nsegs - 1].seg_end;

	while (end >> ws->ws_granule_shift >= WALKSET_GRANULES)
		ws->ws_granule_shift++;
	for (uint64_t i = 0; i < WALKSET_GRANULES; i++)
		ws->ws_bias[i] =
		    granule_bias(ws->ws_index, i << ws->ws_granule_shift,
			UINT64_C(1) << ws->ws_granule_shift);
}

uint64_t
walkset_search(const struct walkset *ws, uint64_t pfn)
{
	const struct pageindex *pi = ws->ws_index;
	const struct dump_seg *seg = dumpset_find(&pi->pi_set, pfn);
	uint64_t bit;

	if (seg == NULL)
		return (ws->ws_nbits);
	bit = dump_seg_bit(seg, pfn);
	return (bit < pi->pi_nbits ? bit : ws->ws_nbits);
}

/* The block that all blocks without a page share. */
static struct walk_word *
empty_block(const struct walkset *ws)
{
	return (ws->ws_words);
}

/* Copy a block of the bitmap; zeros follow the last one's words. */
static bool
read_block(struct pageindex *pi, uint64_t block, struct walk_word *words)
{
	uint8_t scratch[PAGEINDEX_SUPER_WORDS * 8];
	uint64_t n;
	const uint8_t *p = pageindex_block(pi, block, scratch, &n);

	if (p == NULL)
		return (false);
	for (uint64_t i = 0; i < PAGEINDEX_SUPER_WORDS; i++) {
		uint64_t bits =
		    i < n ? dumpset_word(pi->pi_order, p + i * 8) : 0;

		words[i] =
		    (struct walk_word){ .ww_bits = bits, .ww_left = bits };
	}
	return (true);
}

/* Copy the bitmap, and clear the bits after its last page. */
static bool
read_bitmap(struct walkset *ws)
{
	struct pageindex *pi = ws->ws_index;
	uint64_t nblocks = pageindex_nblocks(pi);
	struct walk_word *words = empty_block(ws);

	memset(words, 0, PAGEINDEX_SUPER_WORDS * sizeof(*words));
	for (uint64_t i = 0; i <= nblocks; i++) {
		ws->ws_blocks[i] = empty_block(ws);
		if (i == nblocks || pageindex_is_empty(pi, i))
			continue;
		words += PAGEINDEX_SUPER_WORDS;
		ws->ws_blocks[i] = words;
		if (!read_block(pi, i, words))
			return (false);
	}
	if (pi->pi_nbits % 64 != 0)
		walkset_word(ws, pi->pi_nbits)->ww_left &=
		    (UINT64_C(1) << pi->pi_nbits % 64) - 1;
	return (true);
}

/* Memory for the empty block and all that are not. */
static bool
alloc_blocks(struct walkset *ws)
{
	uint64_t nblocks = pageindex_nblocks(ws->ws_index);
	size_t nwords = PAGEINDEX_SUPER_WORDS;

	for (uint64_t i = 0; i < nblocks; i++)
		if (!pageindex_is_empty(ws->ws_index, i))
			nwords += PAGEINDEX_SUPER_WORDS;
	ws->ws_words = alloc_large(nwords * sizeof(*ws->ws_words));
	ws->ws_blocks = malloc((size_t)(nblocks + 1) * sizeof(*ws->ws_blocks));
	return (ws->ws_words != NULL && ws->ws_blocks != NULL);
}

int
walkset_init(struct walkset *ws, struct pageindex *pi)
{
	*ws = (struct walkset){ .ws_index = pi,
		.ws_nbits = (pi->pi_nbits + 63) / 64 * 64 };
	/* Count all words now, so that a rank is a mere look-up later. */
	if (!pageindex_fill(pi))
		return (EIO);
	if (!alloc_blocks(ws))
		return (ENOMEM);
	find_biases(ws);
	return (read_bitmap(ws) ? 0 : EIO);
}

void
walkset_fini(struct walkset *ws)
{
	free(ws->ws_words);
	free(ws->ws_blocks);
}

uint64_t
walkset_count_left(const struct walkset *ws, uint64_t bit, uint64_t n)
{
	uint64_t left = 0;

	for (uint64_t end = bit + n; bit < end; bit = (bit | 63) + 1) {
		uint64_t word = walkset_word(ws, bit)->ww_left >> bit % 64;

		if (end - bit < 64)
			word &= (UINT64_C(1) << (end - bit)) - 1;
		left += (uint64_t)__builtin_popcountll(word);
	}
	return (left);
}

uint64_t
walkset_next(const struct walkset *ws, uint64_t bit)
{
	while (bit < ws->ws_nbits) {
		uint64_t left = walkset_word(ws, bit)->ww_left >> bit % 64;
		bool is_empty =
		    ws->ws_blocks[bit / WALKSET_BLOCK_BITS] == empty_block(ws);

		if (left != 0)
			return (bit + (uint64_t)__builtin_ctzll(left));
		bit = (bit | (is_empty ? WALKSET_BLOCK_BITS - 1 : 63)) + 1;
	}
	return (ws->ws_nbits);
}

uint64_t
walkset_run(const struct walkset *ws, uint64_t bit, uint64_t *pa)
{
	const struct dumpset *set = &ws->ws_index->pi_set;
	const struct dump_seg *seg = dumpset_seg(set, bit);
	uint64_t taken = ~(walkset_word(ws, bit)->ww_left >> bit % 64);
	uint64_t n = taken == 0 ? 64 : (uint64_t)__builtin_ctzll(taken);
	uint64_t pfn;

	if (seg == NULL)
		return (0);
	pfn = dump_seg_pfn(seg, bit);
	*pa = pfn << set->set_page_shift;
	return (n < seg->seg_end - pfn ? n : seg->seg_end - pfn);
}
