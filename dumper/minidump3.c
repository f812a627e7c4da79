/*
 * Minidump version 3: the map section holds page-directory entries, a page of
 * them for each 1 GB of kernel map, and the tables that they lead to are among
 * the pages.  A 1 GB mapping becomes the 512 entries of 2 MB that it stands
 * for.  An entry that cannot be believed is zero in the section: a reader would
 * follow it to what is no page table.
 *
 * The bitmap has bits for the pages of dump_avail's segments only.
 */
#include "dumper/dumper_int.h"
#include "format/paging_amd64.h"

#define PART_SHIFT  30
#define ENTRY_SHIFT 21

static uint64_t
bitmap_len(const struct attempt *at)
{
	return (((at->at_pages->dp_nbits + 7) / 8 + PAGE_MASK) & ~PAGE_MASK);
}

/* dump_avail is one page, and ends in a pair of zeros. */
static int
size(struct attempt *at)
{
	if (at->at_machine->dm_kva_start % (UINT64_C(1) << PART_SHIFT) != 0 ||
	    at->at_pages->dp_nsegs >= DUMP_PAGE_SIZE / DUMP_AVAIL_ENTRY_LEN)
		return (DUMP_EINVAL);
	return (minidump_size(at, 3, bitmap_len(at),
	    map_nparts(at, PART_SHIFT) * DUMP_PAGE_SIZE));
}

static void
first(const struct attempt *at, uint8_t page[DUMP_PAGE_SIZE])
{
	minidump_first(at, 3, page);
}

static int
write_avail(const struct attempt *at, struct stream *st)
{
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error != 0)
		return (error);
	return (dumpset_encode(&at->at_set, ORDER_LITTLE, page,
		    DUMP_PAGE_SIZE) ?
		0 :
		DUMP_EINVAL);
}

static int
write_bitmap(const struct attempt *at, struct stream *st)
{
	const struct dump_pages *dp = at->at_pages;
	uint64_t nwords = at->at_res->dr_bitmap_bytes / 8;
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

/*
 * The first n entries of a page directory, but for those that lead astray.
 * Behind the end of the kernel map nobody has put the tables into the dump.
 */
static int
write_directory(const struct attempt *at, struct stream *st,
    const struct entry *directory, uint64_t n)
{
	const uint8_t *table = directory->en_table;
	struct entry en = *directory;
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error != 0)
		return (error);
	en.en_path[1] = directory->en_pa;
	memset(page, 0, DUMP_PAGE_SIZE);
	for (uint64_t i = 0; i < n && i < NENTRIES; i++) {
		walk_check(at, le64dec(table + 8 * i), 1, &en);
		le64enc(page + 8 * i, en.en_kind != ENTRY_BAD ? en.en_raw : 0);
	}
	return (0);
}

/* A 1 GB page as 512 pages of 2 MB, with the same rights. */
static int
write_expanded(struct stream *st, const struct entry *en)
{
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error != 0)
		return (error);
	for (uint64_t i = 0; i < NENTRIES; i++)
		le64enc(page + 8 * i, en->en_raw + (i << ENTRY_SHIFT));
	return (0);
}

static int
write_map(const struct attempt *at, struct stream *st)
{
	uint64_t nparts = map_nparts(at, PART_SHIFT);
	uint64_t nentries = map_nparts(at, ENTRY_SHIFT);

	for (uint64_t i = 0; i < nparts; i++) {
		uint64_t va = at->at_machine->dm_kva_start + (i << PART_SHIFT);
		struct entry en;
		int error;

		walk_find(at, va, 2, &en);
		if (en.en_kind == ENTRY_TABLE)
			error = write_directory(at, st, &en,
			    nentries - i * NENTRIES);
		else if (en.en_kind == ENTRY_PAGE)
			error = write_expanded(st, &en);
		else
			error = stream_zero(st);
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
		error = write_avail(at, st);
	if (error == 0)
		error = write_bitmap(at, st);
	if (error == 0)
		error = write_map(at, st);
	if (error == 0)
		error = minidump_write_pages(at, st);
	return (error);
}

const struct layout layout_minidump3 = {
	.ly_size = size,
	.ly_first = first,
	.ly_rest = rest,
};
