/*
 * Bits of a minidump's bitmap, and the pages of the machine that they stand
 * for.
 *
 * A page set is a list of physical segments, ascending and disjoint.  Their
 * pages have consecutive bits:
 *
 *	segments  [0, 0x9f000)  [0x104000, 0x7fdf000)
 *	bits       0 ... 158     159 ... 32633
 *
 * Bounds may lie inside of a page.  A page that two segments share has a bit in
 * each of them; the first is used, the other stands for no page.
 *
 * Old versions have no segments: bit n is the page with number n, which is one
 * segment from 0.  Writer and readers both go through this file.
 *
 * Facts: FreeBSD's vm_page_dump and dump_avail, sys/sys/_bitset.h order.
 */
#ifndef FORMAT_DUMPSET_H
#define FORMAT_DUMPSET_H

#include "format/bytes.h"

/* A physical segment, in page numbers, and the bit of its first page. */
struct dump_seg {
	uint64_t seg_start; /* half-open, like all ranges here */
	uint64_t seg_end;
	uint64_t seg_bit;
};

/* From a page number in the segment to its bit. */
static inline uint64_t
dump_seg_bit(const struct dump_seg *seg, uint64_t pfn)
{
	return (seg->seg_bit + (pfn - seg->seg_start));
}

/* And back. */
static inline uint64_t
dump_seg_pfn(const struct dump_seg *seg, uint64_t bit)
{
	return (seg->seg_start + (bit - seg->seg_bit));
}

struct dumpset {
	const struct dump_seg *set_segs; /* the caller's */
	size_t set_nsegs;
	uint64_t set_nbits; /* over all segments */
	unsigned int set_page_shift;
};

/* Bytes of one dump_avail entry: start and end, 64 bits each. */
#define DUMP_AVAIL_ENTRY_LEN 16

/*
 * Decode a dump_avail section: pairs of addresses up to one whose end is 0.
 * segs has room for section.len / DUMP_AVAIL_ENTRY_LEN segments and becomes
 * part of *out.  On failure *why is a constant text.
 */
bool dumpset_decode(struct span section, enum byte_order order,
    unsigned int page_shift, struct dump_seg *segs, struct dumpset *out,
    const char **why);

/*
 * Encode the segments as a dump_avail section of len bytes, filled up with
 * zeros.  false: the segments and an end mark do not fit.
 */
bool dumpset_encode(const struct dumpset *set, enum byte_order order,
    uint8_t *section, size_t len);

/* The set without segments: nbits pages from 0.  *seg becomes part of it. */
struct dumpset dumpset_dense(uint64_t nbits, unsigned int page_shift,
    struct dump_seg *seg);

/*
 * The segment that has a page number; NULL: the page lies in a gap between
 * segments.
 *
 * The search for the first segment that ends after the page has no branch that
 * depends on the page: readers do this for every page, in random order.
 */
static inline const struct dump_seg *
dumpset_find(const struct dumpset *set, uint64_t pfn)
{
	const struct dump_seg *seg = set->set_segs;

	for (size_t n = set->set_nsegs; n > 1; n -= n / 2) {
		const struct dump_seg *half = seg + n / 2;

		seg = half[-1].seg_end <= pfn ? half : seg;
	}
	return (pfn >= seg->seg_start && pfn < seg->seg_end ? seg : NULL);
}

/* The segment of a bit's page, or NULL: no page has this bit. */
const struct dump_seg *dumpset_seg(const struct dumpset *set, uint64_t bit);

/* The physical address of a bit's page.  false: no page has this bit. */
bool dumpset_pa(const struct dumpset *set, uint64_t bit, uint64_t *pa);

/*
 * 64 bits of a bitmap, those from 64 * (p - start) / 8 on, the first as the
 * lowest.  The bitmap is an array of the kernel's words in its byte order: of
 * 32 bits on the big-endian machines supported here.
 */
static inline uint64_t
dumpset_word(enum byte_order order, const uint8_t *p)
{
	if (order == ORDER_LITTLE)
		return (le64dec(p));
	return (be32dec(p) | (uint64_t)be32dec(p + 4) << 32);
}

#endif
