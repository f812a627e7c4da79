#include "libkvm/hotpages.h"

#include <stdlib.h>

void
hotpages_allow(struct hotpages *hp, struct pageindex *pi)
{
	const struct image *im = pi->pi_image;

	if (im->im_base == NULL || pi->pi_set.dp_page_shift != HOT_PAGE_SHIFT)
		return;
	hp->hp_index = pi;
	hp->hp_base = im->im_base;
	hp->hp_mapping = im->im_mapping;
}

/*
 * Is what was read of the bitmap, and of the file up to end, the file's own?
 * Places are looked up once, so there is no later time to find out.
 */
static bool
settle(const struct pageindex *pi, uint64_t end)
{
	uint64_t bitmap_end = pi->pi_bitmap_off + (pi->pi_nbits + 7) / 8;

	return (pi->pi_image->im_base != NULL &&
	    image_settle(pi->pi_image, end > bitmap_end ? end : bitmap_end) &&
	    pi->pi_image->im_base != NULL);
}

static void
empty(struct hot_span *slot)
{
	free(slot->hs_places);
	*slot = (struct hot_span){ 0 };
}

void
hotpages_forget_spans(struct hotpages *hp)
{
	for (size_t i = 0; i < HOT_NSPANS; i++)
		if (hp->hp_spans[i].hs_tag != 0)
			empty(&hp->hp_spans[i]);
}

void
hotpages_fini(struct hotpages *hp)
{
	hotpages_forget_spans(hp);
}

static uint32_t
find_place(struct pageindex *pi, kpaddr_t pa)
{
	struct page_run run;

	if (pa == HOT_NO_PA)
		return (0);
	run = pageindex_find(pi, pa, HOT_PAGE_LEN);
	if (run.pr_state != PAGE_PRESENT || run.pr_len != HOT_PAGE_LEN ||
	    run.pr_off % HOT_PAGE_LEN != 0 ||
	    run.pr_off + HOT_PAGE_LEN > pi->pi_image->im_len ||
	    run.pr_off >> HOT_PAGE_SHIFT > UINT32_MAX)
		return (0);
	return ((uint32_t)(run.pr_off >> HOT_PAGE_SHIFT));
}

void
hotpages_add_span(struct hotpages *hp, uint64_t span,
    const kpaddr_t pa[HOT_SPAN_PAGES], uint64_t end)
{
	struct hot_span *slot = &hp->hp_spans[span % HOT_NSPANS];
	uint32_t *places;

	if (hp->hp_index == NULL ||
	    (places = malloc(HOT_SPAN_PAGES * sizeof(*places))) == NULL)
		return;
	for (size_t i = 0; i < HOT_SPAN_PAGES; i++)
		places[i] = find_place(hp->hp_index, pa[i]);
	if (!settle(hp->hp_index, end)) {
		free(places);
		return;
	}
	empty(slot);
	*slot = (struct hot_span){ .hs_tag = span + 1, .hs_places = places };
}
