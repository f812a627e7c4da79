/*
 * Segments of pages and their bits: see dumpset.h.
 *
 * Segments are ascending and disjoint, and so are their bits.
 */
#include "format/dumpset.h"

#include <string.h>

#include "format/search.h"

/*
 * Append the pages that the bytes [start, end) touch to the set.  If the first
 * of them is the last page of the segment before, it stays that segment's.
 */
static void
add_segment(struct dumpset *set, struct dump_seg *segs, uint64_t start,
    uint64_t end)
{
	uint64_t page_mask = (UINT64_C(1) << set->set_page_shift) - 1;
	struct dump_seg *seg = &segs[set->set_nsegs];
	uint64_t first = start >> set->set_page_shift;
	uint64_t shared = set->set_nsegs > 0 && first < seg[-1].seg_end ? 1 : 0;

	seg->seg_start = first + shared;
	seg->seg_end = (end >> set->set_page_shift) + ((end & page_mask) != 0);
	seg->seg_bit = set->set_nbits + shared;
	set->set_nbits += seg->seg_end - first;
	if (seg->seg_start < seg->seg_end)
		set->set_nsegs++;
}

bool
dumpset_decode(struct span section, enum byte_order order,
    unsigned int page_shift, struct dump_seg *segs, struct dumpset *out,
    const char **why)
{
	struct dumpset set = { .set_segs = segs, .set_page_shift = page_shift };
	uint64_t last_end = 0;
	struct span entry;

	for (uint64_t off = 0;
	     span_sub(section, off, DUMP_AVAIL_ENTRY_LEN, &entry);
	     off += DUMP_AVAIL_ENTRY_LEN) {
		uint64_t start = dec64(order, entry.base);
		uint64_t end = dec64(order, entry.base + 8);

		if (end == 0)
			break;
		if (start >= end) {
			*why = "a segment of dump_avail ends before it starts";
			return (false);
		}
		if (start < last_end) {
			*why = "segments of dump_avail overlap or descend";
			return (false);
		}
		add_segment(&set, segs, start, end);
		last_end = end;
	}
	if (set.set_nsegs == 0) {
		*why = "dump_avail is empty";
		return (false);
	}
	*out = set;
	return (true);
}

bool
dumpset_encode(const struct dumpset *set, enum byte_order order,
    uint8_t *section, size_t len)
{
	uint8_t *p = section;

	if (set->set_nsegs >= len / DUMP_AVAIL_ENTRY_LEN)
		return (false);
	memset(section, 0, len);
	for (size_t i = 0; i < set->set_nsegs; i++) {
		const struct dump_seg *seg = &set->set_segs[i];

		enc64(order, p, seg->seg_start << set->set_page_shift);
		enc64(order, p + 8, seg->seg_end << set->set_page_shift);
		p += DUMP_AVAIL_ENTRY_LEN;
	}
	return (true);
}

struct dumpset
dumpset_dense(uint64_t nbits, unsigned int page_shift, struct dump_seg *seg)
{
	*seg = (struct dump_seg){ .seg_end = nbits };
	return ((struct dumpset){ .set_segs = seg,
	    .set_nsegs = 1,
	    .set_nbits = nbits,
	    .set_page_shift = page_shift });
}

static uint64_t
seg_bit(const void *segs, size_t i)
{
	return (((const struct dump_seg *)segs)[i].seg_bit);
}

const struct dump_seg *
dumpset_seg(const struct dumpset *set, uint64_t bit)
{
	size_t n = search_upto(set->set_segs, set->set_nsegs, seg_bit, bit);
	const struct dump_seg *seg;

	if (bit >= set->set_nbits || n == 0)
		return (NULL);
	seg = &set->set_segs[n - 1];
	return (bit - seg->seg_bit < seg->seg_end - seg->seg_start ? seg :
								     NULL);
}

bool
dumpset_pa(const struct dumpset *set, uint64_t bit, uint64_t *pa)
{
	const struct dump_seg *seg = dumpset_seg(set, bit);

	if (seg == NULL)
		return (false);
	*pa = dump_seg_pfn(seg, bit) << set->set_page_shift;
	return (true);
}
