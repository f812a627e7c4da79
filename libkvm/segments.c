/*
 * Segments of an ELF core, sorted and joined: see segments.h.
 */
#include "libkvm/segments.h"

#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	const struct elf_segment *x = a;
	const struct elf_segment *y = b;

	return (x->es_start < y->es_start ? -1 : x->es_start > y->es_start);
}

/* Join seg, which does not start below last, to last.  false: it is apart. */
static bool
join(struct elf_segment *last, const struct elf_segment *seg,
    enum segments_gap gap)
{
	uint64_t distance = seg->es_start - last->es_start;

	if (seg->es_off - last->es_off != distance ||
	    (seg->es_start >= last->es_end && gap == SEGMENTS_GAP_HOLE))
		return (false);
	if (seg->es_end > last->es_end)
		last->es_end = seg->es_end;
	return (true);
}

bool
segments_join(struct elf_segment *list, size_t *n, enum segments_gap gap)
{
	struct elf_segment *last = list;

	if (*n == 0)
		return (true);
	qsort(list, *n, sizeof(*list), compare);
	for (size_t i = 1; i < *n; i++) {
		const struct elf_segment seg = list[i];

		if (join(last, &seg, gap))
			continue;
		if (seg.es_start < last->es_end) {
			list[0] = *last;
			list[1] = seg;
			return (false);
		}
		*++last = seg;
	}
	*n = (size_t)(last - list) + 1;
	return (true);
}
