/*
 * Minidump version 1: the map section holds the last level of the kernel's
 * page tables, a page of it for each 2 MB of kernel map.  A mapping of 2 MB or
 * more becomes the 512 entries that it stands for; where nothing is mapped, or
 * nothing that can be believed, there are zeros.
 *
 * Bit n of the bitmap is page n of physical memory.
 */
#include "dumper/dumper_int.h"

#define MAP_LEVEL 0 /* of the entries in the map section */

/* Dense, and so that readers which go by 64-bit words and pages are content. */
static uint64_t
bitmap_len(const struct attempt *at)
{
	const struct dump_pages *dp = at->at_pages;
	uint64_t npages = dp->dp_segs[dp->dp_nsegs - 1].ds_end;

	return (((npages + 7) / 8 + PAGE_MASK) & ~PAGE_MASK);
}

static int
size(struct attempt *at)
{
	return (minidump_size(at, 1, bitmap_len(at),
	    minidump_map_len(at, MAP_LEVEL)));
}

static void
first(const struct attempt *at, uint8_t page[DUMP_PAGE_SIZE])
{
	minidump_first(at, 1, page);
}

/* Bits start to start + 64 of the frozen set's segment-relative bitmap. */
static uint64_t
bits_at(const struct dump_pages *dp, uint64_t start)
{
	uint64_t word = start / 64;
	uint64_t bits = dp->dp_frozen[word] >> start % 64;

	if (start % 64 != 0 && word + 1 < dp->dp_nwords)
		bits |= dp->dp_frozen[word + 1] << (64 - start % 64);
	return (bits);
}

#define PAGE_BITS (DUMP_PAGE_SIZE * 8)

/* Add a segment's bits to a page of the dense bitmap: pages from pfn on. */
static void
add_segment(const struct dump_pages *dp, const struct dump_seg *seg,
    uint64_t pfn, uint8_t page[DUMP_PAGE_SIZE])
{
	uint64_t end =
	    seg->ds_end - pfn < PAGE_BITS ? seg->ds_end - pfn : PAGE_BITS;
	uint64_t at = seg->ds_start > pfn ? seg->ds_start - pfn : 0;
	uint64_t bit = dump_seg_bit(seg, pfn + at);

	/* Up to where a word of the page begins, then a word at a time. */
	for (uint64_t n; at < end; at += n, bit += n) {
		uint8_t *word = page + at / 64 * 8;
		uint64_t bits = bits_at(dp, bit);

		n = 64 - at % 64;
		if (n > end - at)
			n = end - at;
		if (n < 64)
			bits &= (UINT64_C(1) << n) - 1;
		le64enc(word, le64dec(word) | bits << at % 64);
	}
}

static int
write_bitmap(struct attempt *at, struct stream *st)
{
	const struct dump_pages *dp = at->at_pages;
	uint64_t len = at->at_res->dr_bitmap_bytes;
	uint8_t *page;

	for (uint64_t pfn = 0; pfn < len * 8; pfn += PAGE_BITS) {
		int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

		if (error != 0)
			return (error);
		memset(page, 0, DUMP_PAGE_SIZE);
		for (size_t i = 0; i < dp->dp_nsegs; i++) {
			const struct dump_seg *seg = &dp->dp_segs[i];

			if (seg->ds_start < pfn + PAGE_BITS &&
			    seg->ds_end > pfn)
				add_segment(dp, seg, pfn, page);
		}
	}
	return (0);
}

static int
rest(struct attempt *at, struct stream *st)
{
	int error = minidump_write_msgbuf(at, st);

	if (error == 0)
		error = write_bitmap(at, st);
	if (error == 0)
		error = minidump_write_map(at, st, MAP_LEVEL);
	if (error == 0)
		error = minidump_write_pages(at, st);
	return (error);
}

const struct layout layout_minidump1 = {
	.ly_size = size,
	.ly_first = first,
	.ly_rest = rest,
};
