/*
 * What the versions of minidumps share: header, message buffer, pages.
 */
#include "dumper/dumper_int.h"

/* Pages that are looked at before they are written: the device must not rest. */
#define RUN_MAX 256

static uint64_t
round_page(uint64_t len)
{
	return ((len + PAGE_MASK) & ~PAGE_MASK);
}

static uint32_t
msgbuf_len(const struct attempt *at)
{
	return (at->at_machine->dm_msgbuf != NULL ?
		at->at_machine->dm_msgbuf_len :
		0);
}

static struct minidump_hdr
make_header(const struct attempt *at, uint32_t version)
{
	const struct dump_machine *machine = at->at_machine;

	return ((struct minidump_hdr){ .md_arch = at->at_mmu->mmu_arch,
	    .md_order = ORDER_LITTLE,
	    .md_version = version,
	    .md_page_size = DUMP_PAGE_SIZE,
	    .md_msgbuf_len = msgbuf_len(at),
	    .md_dumpavail_len = version >= 3 ? DUMP_PAGE_SIZE : 0,
	    .md_bitmap_len = (uint32_t)at->at_res->dr_bitmap_bytes,
	    .md_pmap_len = (uint32_t)at->at_res->dr_table_bytes,
	    .md_kernbase = machine->dm_kva_start,
	    .md_dmapbase = machine->dm_dmap_start,
	    .md_dmapend = machine->dm_dmap_end });
}

int
minidump_size(struct attempt *at, uint32_t version, uint64_t bitmap_len,
    uint64_t pmap_len)
{
	struct dump_result *res = at->at_res;
	uint64_t npages = 0;
	struct minidump_hdr hdr;

	if (bitmap_len > UINT32_MAX || pmap_len > UINT32_MAX)
		return (DUMP_EINVAL);
	for (int class = 0; class < DUMP_NCLASSES; class ++)
		npages += res->dr_pages[class];
	res->dr_msgbuf_bytes = round_page(msgbuf_len(at));
	res->dr_bitmap_bytes = bitmap_len;
	res->dr_table_bytes = pmap_len;
	hdr = make_header(at, version);
	minidump_place(&hdr);
	res->dr_bytes = hdr.md_pages_off + npages * DUMP_PAGE_SIZE;
	return (0);
}

/* A header that its own decoder refuses leaves zeros, which is no dump. */
void
minidump_first(const struct attempt *at, uint32_t version,
    uint8_t page[DUMP_PAGE_SIZE])
{
	struct minidump_hdr hdr = make_header(at, version);
	const char *why;

	if (!minidump_encode(&hdr, page, &why))
		memset(page, 0, DUMP_PAGE_SIZE);
}

/*
 * Copied: it may lie anywhere, and the kernel may still print.  The tail takes
 * what is left of the last page.
 */
int
minidump_write_msgbuf(const struct attempt *at, struct stream *st)
{
	const uint8_t *ring = at->at_machine->dm_msgbuf;
	uint64_t section = round_page(msgbuf_len(at));
	uint64_t len =
	    (uint64_t)msgbuf_len(at) + at->at_machine->dm_msgbuf_tail;
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

/*
 * The page at pa and as many behind it, up to npages in all, as lie behind it
 * where they are looked at, too.  NULL: it cannot be read.
 */
static const uint8_t *
look_at(const struct attempt *at, uint64_t pa, uint64_t npages, uint64_t *len)
{
	const struct dump_machine *machine = at->at_machine;
	const uint8_t *base = machine->dm_page(machine->dm_arg, pa);

	if (npages > RUN_MAX)
		npages = RUN_MAX;
	*len = DUMP_PAGE_SIZE;
	for (uint64_t i = 1; base != NULL && i < npages; i++) {
		if (machine->dm_page(machine->dm_arg, pa + *len) != base + *len)
			break;
		*len += DUMP_PAGE_SIZE;
	}
	return (base);
}

int
write_pages(struct attempt *at, struct stream *st, uint64_t pa, uint64_t npages)
{
	uint64_t end = pa + npages * DUMP_PAGE_SIZE;
	int error = 0;

	for (uint64_t len; pa < end && error == 0; pa += len) {
		const uint8_t *base =
		    look_at(at, pa, (end - pa) >> PAGE_SHIFT, &len);

		if (base != NULL) {
			error = stream_add(st, base, pa, len);
			continue;
		}
		attempt_record(at,
		    &(struct dump_anomaly){ .da_kind = DUMP_BAD_UNREADABLE,
			.da_pa = pa });
		error = stream_zero(st);
	}
	return (error);
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
	const struct dump_pages *dp = at->at_pages;
	const struct dump_seg *seg = dp->dp_segs;
	int error = 0;

	for (uint64_t bit = 0, n; bit < dp->dp_nbits && error == 0; bit += n) {
		uint64_t left = dp->dp_frozen[bit / 64] >> bit % 64;
		uint64_t pfn;

		if ((left & 1) == 0) {
			n = left == 0 ? 64 - bit % 64 :
					(unsigned int)__builtin_ctzll(left);
			continue;
		}
		while (bit - seg->ds_bit >= seg->ds_end - seg->ds_start)
			seg++;
		pfn = dump_seg_pfn(seg, bit);
		n = count_ones(left);
		if (n > seg->ds_end - pfn)
			n = seg->ds_end - pfn;
		error = write_pages(at, st, pfn << PAGE_SHIFT, n);
	}
	return (error);
}

/* How many spans of 1 << shift bytes the map has, the last one rounded up. */
static uint64_t
map_nspans(const struct attempt *at, unsigned int shift)
{
	uint64_t len = at->at_machine->dm_kva_len;

	return ((len >> shift) + ((len & ((UINT64_C(1) << shift) - 1)) != 0));
}

uint64_t
minidump_map_len(const struct attempt *at, unsigned int level)
{
	return (map_nspans(at, level_shift(level + 1)) * DUMP_PAGE_SIZE);
}

int
minidump_write_map(const struct attempt *at, struct stream *st,
    unsigned int level)
{
	uint64_t npages = map_nspans(at, level_shift(level + 1));
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
