/*
 * Minidump version 3: the map section holds page-directory entries, a page of
 * them for each 1 GB of kernel map, and the tables that they lead to are among
 * the pages.  A 1 GB mapping becomes the 512 entries of 2 MB that it stands
 * for.  An entry that cannot be believed is zero in the section: a reader would
 * take what it leads to for a page table.
 *
 * The bitmap has bits for the pages of dump_avail's segments only.
 */
#include "dumper/dumper_int.h"

#define MAP_LEVEL 1

static uint64_t
bitmap_len(const struct attempt *at)
{
	return (((at->at_pages->dp_set.set_nbits + 7) / 8 + PAGE_MASK) &
	    ~PAGE_MASK);
}

/*
 * A page of the map section starts at a multiple of what it maps; dump_avail
 * is one page, and ends in a pair of zeros.
 */
static int
size(struct attempt *at)
{
	uint64_t span = UINT64_C(1) << level_shift(MAP_LEVEL + 1);

	if (at->at_machine->dm_kva_start % span != 0 ||
	    at->at_pages->dp_set.set_nsegs >=
		DUMP_PAGE_SIZE / DUMP_AVAIL_ENTRY_LEN)
		return (DUMP_EINVAL);
	return (minidump_size(at));
}

static int
write_avail(struct attempt *at, struct stream *st)
{
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error != 0)
		return (error);
	return (dumpset_encode(&at->at_pages->dp_set, ORDER_LITTLE, page,
		    DUMP_PAGE_SIZE) ?
		0 :
		DUMP_EINVAL);
}

static int
write_bitmap(struct attempt *at, struct stream *st)
{
	const struct dump_pages *dp = at->at_pages;
	uint64_t nwords = at->at_len[MINIDUMP_BITMAP] / 8;
	uint8_t *page;

	for (uint64_t word = 0; word < nwords; word += DUMP_PAGE_SIZE / 8) {
		int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

		if (error != 0)
			return (error);
		for (uint64_t i = 0; i < DUMP_PAGE_SIZE / 8; i++)
			le64enc(page + 8 * i,
			    word + i < dp->dp_nwords ? dp->dp_frozen[word + i] :
						       0);
	}
	return (0);
}

static const struct section sections[] = {
	{ MINIDUMP_HEADER, section_page_len, minidump_write_header },
	{ MINIDUMP_MSGBUF, minidump_msgbuf_len, minidump_write_msgbuf },
	{ MINIDUMP_AVAIL, section_page_len, write_avail },
	{ MINIDUMP_BITMAP, bitmap_len, write_bitmap },
	{ MINIDUMP_MAP, minidump_map_len, minidump_write_map },
	{ MINIDUMP_PAGES, minidump_pages_len, minidump_write_pages },
	{ MINIDUMP_OWNERS, owners_len, owners_write },
};

const struct dump_layout layout_minidump3 = {
	.ly_sections = sections,
	.ly_nsections = sizeof(sections) / sizeof(sections[0]),
	.ly_names = minidump_section_names,
	.ly_size = size,
	.ly_version = 3,
	.ly_map_level = MAP_LEVEL,
};
