/*
 * Places of pages that are read often: see hotpages.h for what is always true
 * of them.
 */
#include "libkvm/hotpages.h"

#include <stdlib.h>

/* The direct map of a terabyte; more of it is not made hot. */
#define MAX_GROUPS (UINT64_C(1) << (40 - HOT_GROUP_SHIFT))

/* Making this many groups takes about as long as one read that is not hot. */
#define GROUPS_PER_USE 64

/* The number of groups in the part of the direct map that has memory. */
static uint64_t
count_groups(const struct dumpset *set, const struct minidump_hdr *hdr)
{
	uint64_t end_pa = set->set_segs[set->set_nsegs - 1].seg_end
	    << HOT_PAGE_SHIFT;
	uint64_t len = hdr->md_dmapend - hdr->md_dmapbase;

	if (hdr->md_dmapend <= hdr->md_dmapbase || end_pa <= hdr->md_dmapphys ||
	    hdr->md_dmapphys % HOT_PAGE_LEN != 0)
		return (0);
	if (len > end_pa - hdr->md_dmapphys)
		len = end_pa - hdr->md_dmapphys;
	return (len >> HOT_GROUP_SHIFT);
}

void
hotpages_allow(struct hotpages *hp, struct pageindex *pi,
    const struct minidump_hdr *hdr)
{
	const struct image *im = pi->pi_image;
	uint64_t ngroups;

	if (im->im_base == NULL || pi->pi_set.set_page_shift != HOT_PAGE_SHIFT)
		return;
	hp->hp_index = pi;
	hp->hp_base = im->im_base;
	hp->hp_mapping = im->im_mapping;
	ngroups = count_groups(&pi->pi_set, hdr);
	if (ngroups == 0 || ngroups > MAX_GROUPS)
		return;
	hp->hp_direct_va = hdr->md_dmapbase;
	hp->hp_direct_pa = hdr->md_dmapphys;
	hp->hp_ngroups = ngroups;
	hp->hp_uses_before_made = HOT_OFTEN + ngroups / GROUPS_PER_USE;
}

/*
 * Did what was read of the bitmap, and of the file up to end, come from the
 * file?  Places are looked up only once, so this has to be known now.
 */
static bool
settle(const struct pageindex *pi, uint64_t end)
{
	uint64_t bitmap_end = pi->pi_bitmap_off + (pi->pi_nbits + 7) / 8;

	return (pi->pi_image->im_base != NULL &&
	    image_settle(pi->pi_image, end > bitmap_end ? end : bitmap_end));
}

/* ---- spans ---- */

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
	free(hp->hp_groups);
}

static uint32_t
find_place(struct pageindex *pi, kpaddr_t pa)
{
	struct page_run run;

	if (pa == HOT_NO_PA)
		return (0);
	run = pageindex_find(pi, pa, HOT_PAGE_LEN);
	if (run.run_state != PAGE_PRESENT || run.run_len != HOT_PAGE_LEN ||
	    run.run_off % HOT_PAGE_LEN != 0 ||
	    run.run_off + HOT_PAGE_LEN > pi->pi_image->im_len ||
	    run.run_off >> HOT_PAGE_SHIFT > UINT32_MAX)
		return (0);
	return ((uint32_t)(run.run_off >> HOT_PAGE_SHIFT));
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

/* ---- the direct map ---- */

/* The group of the 64 pages from a bit on, if all of them are in the file. */
static void
make_group(struct pageindex *pi, uint64_t bit, struct hot_group *group)
{
	uint64_t present, rank, npages, off;

	if (bit + 64 > pi->pi_nbits ||
	    !pageindex_window(pi, bit, &present, &rank) || present == 0)
		return;
	npages = (uint64_t)__builtin_popcountll(present);
	off = pi->pi_pages_off + (rank << HOT_PAGE_SHIFT);
	if (off + (npages << HOT_PAGE_SHIFT) > pi->pi_image->im_len)
		return;
	*group = (struct hot_group){ .hg_present = present,
		.hg_base = pi->pi_image->im_base + off - HOT_PAGE_LEN };
}

/* The groups that lie entirely in a segment. */
static void
make_groups_of(const struct hotpages *hp, struct hot_group *groups,
    const struct dump_seg *seg)
{
	uint64_t first_pfn = hp->hp_direct_pa >> HOT_PAGE_SHIFT;
	uint64_t i = 0;

	if (seg->seg_start > first_pfn)
		i = (seg->seg_start - first_pfn + 63) / 64;
	for (; i < hp->hp_ngroups && first_pfn + i * 64 + 64 <= seg->seg_end;
	     i++)
		make_group(hp->hp_index, dump_seg_bit(seg, first_pfn + i * 64),
		    &groups[i]);
}

static void
make_direct(struct hotpages *hp)
{
	const struct dumpset *set = &hp->hp_index->pi_set;
	struct hot_group *groups;

	/* A torn mapping is no longer used. */
	if (hp->hp_index->pi_image->im_base == NULL)
		return;
	groups = calloc((size_t)hp->hp_ngroups, sizeof(*groups));
	if (groups == NULL)
		return;
	for (size_t i = 0; i < set->set_nsegs; i++)
		make_groups_of(hp, groups, &set->set_segs[i]);
	if (!settle(hp->hp_index, 0)) {
		free(groups);
		return;
	}
	hp->hp_groups = groups;
	hp->hp_direct_len = hp->hp_ngroups << HOT_GROUP_SHIFT;
}

void
hotpages_use_direct(struct hotpages *hp)
{
	if (hp->hp_uses_before_made != 0 && --hp->hp_uses_before_made == 0 &&
	    hp->hp_index->pi_image->im_base != NULL)
		make_direct(hp);
}
