/*
 * The pages that a walk has not reported yet: see walkset.h.
 */
#include "libkvm/walkset.h"

#include <sys/mman.h>

#include <stdlib.h>

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

/* Copy the bitmap, and clear the bits after its last page. */
static bool
read_bitmap(struct walkset *ws)
{
	const struct pageindex *pi = ws->ws_index;
	const uint64_t nwords = ws->ws_nbits / 64;
	const uint64_t step = IMAGE_VIEW_MAX / 8;

	for (uint64_t i = 0; i < nwords; i += step) {
		uint64_t n = nwords - i < step ? nwords - i : step;
		const uint8_t *p =
		    image_view(pi->pi_image, pi->pi_bitmap_off + i * 8,
			(size_t)n * 8, pi->pi_image->im_scratch);

		if (p == NULL)
			return (false);
		for (uint64_t k = 0; k < n; k++) {
			uint64_t bits = dumpset_word(pi->pi_order, p + k * 8);

			ws->ws_words[i + k] =
			    (struct walk_word){ .ww_bits = bits,
				    .ww_left = bits };
		}
	}
	if (pi->pi_nbits % 64 != 0)
		ws->ws_words[nwords - 1].ww_left &=
		    (UINT64_C(1) << pi->pi_nbits % 64) - 1;
	ws->ws_words[nwords] = (struct walk_word){ 0 };
	return (true);
}

bool
walkset_init(struct walkset *ws, struct pageindex *pi)
{
	uint64_t nwords = (pi->pi_nbits + 63) / 64;

	*ws = (struct walkset){ .ws_index = pi, .ws_nbits = nwords * 64 };
	ws->ws_words =
	    alloc_large((size_t)(nwords + 1) * sizeof(*ws->ws_words));
	if (ws->ws_words == NULL)
		return (false);
	find_biases(ws);
	/* Count all words now, so that a rank is a mere look-up later. */
	return (pageindex_fill(pi) && read_bitmap(ws));
}

void
walkset_fini(struct walkset *ws)
{
	free(ws->ws_words);
}

uint64_t
walkset_count_left(const struct walkset *ws, uint64_t bit, uint64_t n)
{
	uint64_t left = 0;

	for (uint64_t end = bit + n; bit < end; bit = (bit | 63) + 1) {
		uint64_t word = ws->ws_words[bit / 64].ww_left >> bit % 64;

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
		uint64_t left = ws->ws_words[bit / 64].ww_left >> bit % 64;

		if (left != 0)
			return (bit + (uint64_t)__builtin_ctzll(left));
		bit = (bit | 63) + 1;
	}
	return (ws->ws_nbits);
}

uint64_t
walkset_run(const struct walkset *ws, uint64_t bit, uint64_t *pa)
{
	const struct dumpset *set = &ws->ws_index->pi_set;
	const struct dump_seg *seg = dumpset_seg(set, bit);
	uint64_t taken = ~(ws->ws_words[bit / 64].ww_left >> bit % 64);
	uint64_t n = taken == 0 ? 64 : (uint64_t)__builtin_ctzll(taken);
	uint64_t pfn;

	if (seg == NULL)
		return (0);
	pfn = dump_seg_pfn(seg, bit);
	*pa = pfn << set->set_page_shift;
	return (n < seg->seg_end - pfn ? n : seg->seg_end - pfn);
}
