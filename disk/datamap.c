/*
 * A list of runs of data, each of which knows how much is before it: see
 * datamap.h.
 */
#include "disk/datamap.h"

#include <stdlib.h>

static bool
append(struct datamap *dam, size_t *max, uint64_t start, uint64_t end)
{
	const struct datarun *last;
	struct datarun *runs;

	if (dam->dam_n == *max) {
		*max = *max == 0 ? 16 : 2 * *max;
		runs = realloc(dam->dam_runs, *max * sizeof(*runs));
		if (runs == NULL)
			return (false);
		dam->dam_runs = runs;
	}
	last = dam->dam_n == 0 ? NULL : &dam->dam_runs[dam->dam_n - 1];
	dam->dam_runs[dam->dam_n++] = (struct datarun){ .dar_start = start,
		.dar_end = end,
		.dar_before = last == NULL ?
		    0 :
		    last->dar_before + (last->dar_end - last->dar_start) };
	return (true);
}

bool
datamap_make(const struct disk *dk, struct datamap *out)
{
	struct datamap dam = { 0 };
	size_t max = 0;

	for (uint64_t off = 0; off < dk->dk_len;) {
		uint64_t data = disk_next_data(dk, off);

		if (data >= dk->dk_len)
			break;
		off = disk_next_hole(dk, data);
		if (!append(&dam, &max, data, off)) {
			datamap_free(&dam);
			return (false);
		}
	}
	*out = dam;
	return (true);
}

void
datamap_free(struct datamap *dam)
{
	free(dam->dam_runs);
	*dam = (struct datamap){ 0 };
}

/* How many bytes before off are in no hole. */
static uint64_t
len_before(const struct datamap *dam, uint64_t off)
{
	size_t low = 0,
	       high = dam->dam_n; /* runs before low start before off */
	const struct datarun *run;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (dam->dam_runs[middle].dar_start < off)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return (0);
	run = &dam->dam_runs[low - 1];
	return (run->dar_before + (off < run->dar_end ? off : run->dar_end) -
	    run->dar_start);
}

uint64_t
datamap_len(const struct datamap *dam, uint64_t start, uint64_t end)
{
	return (len_before(dam, end) - len_before(dam, start));
}
