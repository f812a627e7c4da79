/*
 * The section that says who owns which page, dumped or not: format/owner.h.
 *
 * The kernel is asked for runs of pages, while the section is written.
 */
#include "dumper/dumper_int.h"

#define PAGES_PER_BYTE (8 / OWNER_BITS)
#define PAGES_PER_PAGE ((uint64_t)DUMP_PAGE_SIZE * PAGES_PER_BYTE)

uint64_t
owners_len(const struct attempt *at)
{
	if (at->at_machine->dm_owners == NULL ||
	    (at->at_flags & DUMP_FLAG_NOOWNERS) != 0)
		return (0);
	return (at->at_len[MINIDUMP_BITMAP] * OWNERS_PER_BITMAP);
}

/* How many pages lie in a row from a bit's page on, at *pa; 0: it has none. */
static uint64_t
run_of(const struct attempt *at, uint64_t bit, uint64_t *pa)
{
	const struct dumpset *set = &at->at_pages->dp_set;
	const struct dump_seg *seg = at->at_layout->ly_dense ?
	    dumpset_find(set, bit) :
	    dumpset_seg(set, bit);
	uint64_t pfn = bit;

	if (seg == NULL)
		return (0);
	if (!at->at_layout->ly_dense)
		pfn = dump_seg_pfn(seg, bit);
	*pa = pfn << PAGE_SHIFT;
	return (seg->seg_end - pfn);
}

/* Fill a page of the section: of the pages from bit on. */
static void
fill_page(const struct attempt *at, uint64_t bit, uint8_t *page)
{
	const struct dump_machine *machine = at->at_machine;
	uint8_t owner[DUMP_OWNERS_MAX];
	uint64_t n, pa;

	memset(page, 0, DUMP_PAGE_SIZE);
	for (uint64_t i = 0; i < PAGES_PER_PAGE; i += n) {
		n = run_of(at, bit + i, &pa);
		if (n == 0) {
			n = 1;
			continue;
		}
		if (n > PAGES_PER_PAGE - i)
			n = PAGES_PER_PAGE - i;
		if (n > DUMP_OWNERS_MAX)
			n = DUMP_OWNERS_MAX;
		memset(owner, OWNER_UNKNOWN, sizeof(owner));
		machine->dm_owners(machine->dm_arg, pa, (unsigned int)n, owner);
		for (uint64_t j = 0; j < n; j++) {
			uint8_t *byte = &page[(i + j) / PAGES_PER_BYTE];

			if (owner[j] < OWNER_COUNT)
				*byte = owner_encode(*byte, i + j,
				    (enum page_owner)owner[j]);
		}
	}
}

int
owners_write(struct attempt *at, struct stream *st)
{
	uint64_t npages = at->at_len[MINIDUMP_OWNERS] / DUMP_PAGE_SIZE;
	uint8_t *page;

	for (uint64_t i = 0; i < npages; i++) {
		int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

		if (error != 0)
			return (error);
		fill_page(at, i * PAGES_PER_PAGE, page);
	}
	return (0);
}
