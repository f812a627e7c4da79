/*
 * Minidump version 1: the map section holds the last level of the kernel's page
 * tables, a page of it for each 2 MB of kernel map.  A mapping of 2 MB or more
 * becomes the 512 entries that it stands for; what is not mapped by an entry
 * that can be believed becomes zeros.
 *
 * Bit n of the bitmap is page n of physical memory.
 */
#include "dumper/dumper_int.h"

/* Dense, in whole 64-bit words and pages, because readers go by these. */
static uint64_t
bitmap_len(const struct attempt *at)
{
	const struct dumpset *set = &at->at_pages->dp_set;
	uint64_t npages = set->set_segs[set->set_nsegs - 1].seg_end;

	return (((npages + 7) / 8 + PAGE_MASK) & ~PAGE_MASK);
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
	    seg->seg_end - pfn < PAGE_BITS ? seg->seg_end - pfn : PAGE_BITS;
	uint64_t at = seg->seg_start > pfn ? seg->seg_start - pfn : 0;
	uint64_t bit = dump_seg_bit(seg, pfn + at);

	/* Bits up to the next word of the page first, then a word at a time. */
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
	const struct dumpset *set = &dp->dp_set;
	uint64_t len = at->at_len[MINIDUMP_BITMAP];
	uint8_t *page;

	for (uint64_t pfn = 0; pfn < len * 8; pfn += PAGE_BITS) {
		int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

		if (error != 0)
			return (error);
		memset(page, 0, DUMP_PAGE_SIZE);
		for (size_t i = 0; i < set->set_nsegs; i++) {
			const struct dump_seg *seg = &set->set_segs[i];

			if (seg->seg_start < pfn + PAGE_BITS &&
			    seg->seg_end > pfn)
				add_segment(dp, seg, pfn, page);
		}
	}
	return (0);
}

static const struct section sections[] = {
	{ MINIDUMP_HEADER, section_page_len, minidump_write_header },
	{ MINIDUMP_MSGBUF, minidump_msgbuf_len, minidump_write_msgbuf },
	{ MINIDUMP_BITMAP, bitmap_len, write_bitmap },
	{ MINIDUMP_MAP, minidump_map_len, minidump_write_map },
	{ MINIDUMP_PAGES, minidump_pages_len, minidump_write_pages },
	{ MINIDUMP_OWNERS, owners_len, owners_write },
};

const struct dump_layout layout_minidump1 = {
	.ly_sections = sections,
	.ly_nsections = sizeof(sections) / sizeof(sections[0]),
	.ly_names = minidump_section_names,
	.ly_size = minidump_size,
	.ly_version = 1,
	.ly_map_level = 0,
	.ly_dense = true,
};
