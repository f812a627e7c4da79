/*
 * The damaged runs of a file, in its order: see damage.h.
 */
#include "libkvm/damage.h"

#include <stdlib.h>

#include "format/search.h"
#include "libkvm/array.h"

bool
damage_add(struct damage *dm, uint64_t start, uint64_t end,
    enum damage_kind kind)
{
	struct damage_run *runs;

	if (start >= end)
		return (true);
	runs = array_reserve(dm->dmg_runs, dm->dmg_nruns + 1, &dm->dmg_room,
	    sizeof(*runs));
	if (runs == NULL)
		return (false);
	dm->dmg_runs = runs;
	dm->dmg_runs[dm->dmg_nruns++] = (struct damage_run){ .dmr_start = start,
		.dmr_end = end,
		.dmr_kind = kind };
	return (true);
}

void
damage_fini(struct damage *dm)
{
	free(dm->dmg_runs);
	*dm = (struct damage){ .dmg_runs = NULL };
}

bool
damage_doubt(struct damage *dm, uint64_t start, uint64_t end)
{
	while (dm->dmg_nruns > 0 &&
	    dm->dmg_runs[dm->dmg_nruns - 1].dmr_start >= start)
		dm->dmg_nruns--;
	return (damage_add(dm, start, end, DAMAGE_UNVERIFIED));
}

uint64_t
damage_total(const struct damage *dm, enum damage_kind kind)
{
	uint64_t total = 0;

	for (size_t i = 0; i < dm->dmg_nruns; i++)
		if (dm->dmg_runs[i].dmr_kind == kind)
			total +=
			    dm->dmg_runs[i].dmr_end - dm->dmg_runs[i].dmr_start;
	return (total);
}

static uint64_t
end_of(const void *list, size_t i)
{
	return (((const struct damage_run *)list)[i].dmr_end);
}

/* The first run that ends after off; NULL: there is none. */
static const struct damage_run *
find(const struct damage *dm, uint64_t off)
{
	size_t i = search_upto(dm->dmg_runs, dm->dmg_nruns, end_of, off);

	return (i < dm->dmg_nruns ? &dm->dmg_runs[i] : NULL);
}

bool
damage_at(const struct damage *dm, uint64_t off, uint64_t *len,
    enum damage_kind *kind)
{
	const struct damage_run *run = find(dm, off);
	bool inside = run != NULL && run->dmr_start <= off;
	uint64_t end;

	if (run == NULL)
		return (false);
	end = inside ? run->dmr_end : run->dmr_start;
	if (*len > end - off)
		*len = end - off;
	if (inside)
		*kind = run->dmr_kind;
	return (inside);
}
