/*
 * Minidump version 1: the map section holds the last level of the kernel's
 * page tables, a page of it for each 2 MB of kernel map.  A mapping of 2 MB or
 * more becomes the 512 entries that it stands for; where nothing is mapped, or
 * nothing that can be believed, there are zeros.
 *
 * Bit n of the bitmap is page n of physical memory.
 */
#include "dumper/dumper_int.h"
#include "format/paging_amd64.h"

#define PART_SHIFT 21

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
	    map_nparts(at, PART_SHIFT) * DUMP_PAGE_SIZE));
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

/* 64 bits of the dense bitmap: of the pages from pfn on. */
static uint64_t
dense_word(const struct dump_pages *dp, size_t *next_seg, uint64_t pfn)
{
	uint64_t bits = 0;

	/* Segments that end below are never asked for again. */
	while (*next_seg < dp->dp_nsegs && dp->dp_segs[*next_seg].ds_end <= pfn)
		(*next_seg)++;
	for (size_t i = *next_seg; i < dp->dp_nsegs; i++) {
		const struct dump_seg *seg = &dp->dp_segs[i];
		uint64_t start = seg->ds_start > pfn ? seg->ds_start : pfn;
		uint64_t end = seg->ds_end < pfn + 64 ? seg->ds_end : pfn + 64;
		uint64_t found;

		if (start >= end)
			break;
		found = bits_at(dp, seg->ds_bit + (start - seg->ds_start));
		if (end - start < 64)
			found &= (UINT64_C(1) << (end - start)) - 1;
		bits |= found << (start - pfn);
	}
	return (bits);
}

static int
write_bitmap(struct attempt *at, struct stream *st)
{
	uint64_t len = at->at_res->dr_bitmap_bytes;
	size_t next_seg = 0;
	uint8_t *page;

	for (uint64_t off = 0; off < len; off += DUMP_PAGE_SIZE) {
		int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

		if (error != 0)
			return (error);
		for (size_t i = 0; i < DUMP_PAGE_SIZE; i += 8)
			le64enc(page + i,
			    dense_word(at->at_pages, &next_seg, (off + i) * 8));
	}
	return (0);
}

/* The 512 entries of a 2 MB part of a large page. */
static int
write_expanded(struct stream *st, uint64_t va, const struct entry *en)
{
	uint64_t part = va & ((UINT64_C(1) << (12 + 9 * en->en_level)) - 1) &
	    ~((UINT64_C(1) << PART_SHIFT) - 1);
	uint64_t pte = (en->en_pa + part) |
	    (en->en_raw & (AMD64_PTE_NX | AMD64_PTE_RW)) | AMD64_PTE_V;
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error != 0)
		return (error);
	for (unsigned int i = 0; i < NENTRIES; i++)
		le64enc(page + 8 * (size_t)i, pte + i * DUMP_PAGE_SIZE);
	return (0);
}

static int
write_part(const struct attempt *at, struct stream *st, uint64_t va)
{
	struct entry en;

	walk_find(at, va, 1, &en);
	switch (en.en_kind) {
	case ENTRY_TABLE:
		return (stream_add(st, en.en_table, en.en_pa, DUMP_PAGE_SIZE));
	case ENTRY_PAGE:
		return (write_expanded(st, va, &en));
	case ENTRY_NONE:
	case ENTRY_BAD:
		break;
	}
	return (stream_zero(st));
}

static int
write_map(const struct attempt *at, struct stream *st)
{
	uint64_t nparts = map_nparts(at, PART_SHIFT);

	for (uint64_t i = 0; i < nparts; i++) {
		int error = write_part(at, st,
		    at->at_machine->dm_kva_start + (i << PART_SHIFT));

		if (error != 0)
			return (error);
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
		error = write_map(at, st);
	if (error == 0)
		error = minidump_write_pages(at, st);
	return (error);
}

const struct layout layout_minidump1 = {
	.ly_size = size,
	.ly_first = first,
	.ly_rest = rest,
};
