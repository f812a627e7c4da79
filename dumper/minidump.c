/*
 * The sections that versions of minidumps share: header, message buffer, map,
 * pages.  owners.c has the last one.
 */
#include "dumper/dumper_int.h"

static uint64_t
round_page(uint64_t len)
{
	return ((len + PAGE_MASK) & ~PAGE_MASK);
}

int
minidump_size(struct attempt *at)
{
	struct dump_result *res = at->at_res;

	if (at->at_len[MINIDUMP_BITMAP] > UINT32_MAX ||
	    at->at_len[MINIDUMP_MAP] > UINT32_MAX)
		return (DUMP_EINVAL);
	res->res_msgbuf_bytes = at->at_len[MINIDUMP_MSGBUF];
	res->res_bitmap_bytes = at->at_len[MINIDUMP_BITMAP];
	res->res_table_bytes = at->at_len[MINIDUMP_MAP];
	res->res_owner_bytes = at->at_len[MINIDUMP_OWNERS];
	return (0);
}

/* ---- The header ---- */

/* Bytes of the ring, not rounded. */
static uint32_t
ring_len(const struct attempt *at)
{
	return (at->at_machine->dm_msgbuf != NULL ?
		at->at_machine->dm_msgbuf_len :
		0);
}

/* A header that its own decoder refuses leaves zeros, which is no dump. */
int
minidump_write_header(struct attempt *at, struct stream *st)
{
	const struct dump_machine *machine = at->at_machine;
	struct minidump_hdr hdr = { .md_arch = machine->dm_arch,
		.md_order = ORDER_LITTLE,
		.md_version = at->at_layout->ly_version,
		.md_page_size = DUMP_PAGE_SIZE,
		.md_msgbuf_len = ring_len(at),
		.md_dumpavail_len = (uint32_t)at->at_len[MINIDUMP_AVAIL],
		.md_bitmap_len = (uint32_t)at->at_len[MINIDUMP_BITMAP],
		.md_pmap_len = (uint32_t)at->at_len[MINIDUMP_MAP],
		.md_kernbase = machine->dm_kva_start,
		.md_dmapbase = machine->dm_dmap_start,
		.md_dmapend = machine->dm_dmap_end,
		.md_owners = { .oh_off = at->at_extent -
			at->at_len[MINIDUMP_OWNERS],
		    .oh_len = at->at_len[MINIDUMP_OWNERS] } };
	const char *why;
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error == 0 && !minidump_encode(&hdr, page, &why))
		memset(page, 0, DUMP_PAGE_SIZE);
	return (error);
}

/* ---- The message buffer ---- */

uint64_t
minidump_msgbuf_len(const struct attempt *at)
{
	return (round_page(ring_len(at)));
}

/*
 * Copied: it may lie anywhere, and the kernel may still print.  The tail takes
 * what is left of the last page.
 */
int
minidump_write_msgbuf(struct attempt *at, struct stream *st)
{
	const uint8_t *ring = at->at_machine->dm_msgbuf;
	uint64_t section = at->at_len[MINIDUMP_MSGBUF];
	uint64_t len = (uint64_t)ring_len(at) + at->at_machine->dm_msgbuf_tail;
	uint8_t *page;

	for (uint64_t off = 0; off < section; off += DUMP_PAGE_SIZE) {
		size_t n = DUMP_PAGE_SIZE;
		int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

		if (error != 0)
			return (error);
		if (len - off < n)
			n = (size_t)(len - off);
		memcpy(page, ring + off, n);
		memset(page + n, 0, DUMP_PAGE_SIZE - n);
	}
	return (0);
}

/* ---- The kernel map ---- */

/* How many spans of 1 << shift bytes the map has, the last one rounded up. */
static uint64_t
map_nspans(const struct attempt *at, unsigned int shift)
{
	uint64_t len = at->at_machine->dm_kva_len;

	return ((len >> shift) + ((len & ((UINT64_C(1) << shift) - 1)) != 0));
}

/* A page of entries maps what one entry a level above them maps. */
uint64_t
minidump_map_len(const struct attempt *at)
{
	unsigned int level = at->at_layout->ly_map_level;

	return (map_nspans(at, level_shift(level + 1)) * DUMP_PAGE_SIZE);
}

int
minidump_write_map(struct attempt *at, struct stream *st)
{
	unsigned int level = at->at_layout->ly_map_level;
	uint64_t npages = at->at_len[MINIDUMP_MAP] / DUMP_PAGE_SIZE;
	uint64_t left = map_nspans(at, level_shift(level));
	uint64_t va = at->at_machine->dm_kva_start;
	int error = 0;

	for (uint64_t i = 0; i < npages && error == 0; i++) {
		error = at->at_mmu->mmu_write(at, st, va, level, left);
		va += UINT64_C(1) << level_shift(level + 1);
		left -= UINT64_C(1) << LEVEL_BITS;
	}
	return (error);
}

/* ---- The pages ---- */

uint64_t
minidump_pages_len(const struct attempt *at)
{
	uint64_t npages = 0;

	for (int class = 0; class < DUMP_NCLASSES; class++)
		npages += at->at_res->res_pages[class];
	return (npages * DUMP_PAGE_SIZE);
}

/* How many bits from the lowest one on are set. */
static unsigned int
count_ones(uint64_t bits)
{
	return (~bits == 0 ? 64 : (unsigned int)__builtin_ctzll(~bits));
}

int
minidump_write_pages(struct attempt *at, struct stream *st)
{
	const uint64_t *frozen = at->at_pages->dp_frozen;
	const struct dumpset *set = &at->at_pages->dp_set;
	const struct dump_seg *seg = set->set_segs;
	int error = 0;

	for (uint64_t bit = 0, n; bit < set->set_nbits && error == 0;
	     bit += n) {
		uint64_t left = frozen[bit / 64] >> bit % 64;
		uint64_t pfn;

		if ((left & 1) == 0) {
			n = left == 0 ? 64 - bit % 64 :
					(unsigned int)__builtin_ctzll(left);
			continue;
		}
		while (bit - seg->seg_bit >= seg->seg_end - seg->seg_start)
			seg++;
		pfn = dump_seg_pfn(seg, bit);
		n = count_ones(left);
		if (n > seg->seg_end - pfn)
			n = seg->seg_end - pfn;
		error = section_write_memory(at, st, pfn << PAGE_SHIFT, n);
	}
	return (error);
}
