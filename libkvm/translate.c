/*
 * Virtual to physical addresses.
 *
 * All machines' page tables are read here: format/paging.c knows their entries,
 * and a vm_root where to start.  In a minidump that is the page-table section,
 * an array of entries of one level for the kernel's addresses from vr_base on;
 * elsewhere it is the machine's own root.  The level goes down with each table
 * that is followed, so that no entry can send the walk round in circles.
 */
#include <stdlib.h>

#include "format/paging_amd64.h"
#include "libkvm/kvm_int.h"

/* Uses of a table after which all of its pages are looked up. */
#define OFTEN 32

/* The places of a table that is not used often yet: all 0, never written to. */
static uint32_t no_places[512];

/* A last-level table's entries, from that of an address on. */
struct entries {
	uint64_t off; /* bytes into the file */
	uint64_t n;
};

/* log2 of the bytes that a last-level table maps. */
static inline unsigned int
span_shift(const struct paging *pg)
{
	return (pg->pg_level[0].shift + pg->pg_level[0].bits);
}

/* ---- what an entry maps ---- */

/*
 * Where the part of a page is that its entry stands for: a page larger than
 * what an entry maps (arm) is repeated in the entries that follow.
 */
static inline kpaddr_t
entry_pa(const struct paging *pg, unsigned int level, struct pte pte,
    kvaddr_t va)
{
	uint64_t entry_mask = (UINT64_C(1) << pg->pg_level[level].shift) - 1;
	uint64_t page_mask = (UINT64_C(1) << pte.pte_shift) - 1;

	return (pte.pte_pa + (va & page_mask & ~entry_mask));
}

/*
 * How many of the entries, the first of which maps first_pa at va, map pages
 * that lie one behind the other; at most n.
 */
static uint64_t
count_adjacent(kvm_t *kd, struct entries entries, kvaddr_t va,
    kpaddr_t first_pa, uint64_t n)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	unsigned int shift = pg->pg_level[0].shift;
	uint8_t scratch[IMAGE_VIEW_MAX];
	const uint8_t *p;

	if (n > entries.n)
		n = entries.n;
	if (n > IMAGE_VIEW_MAX / pg->pg_entry_len)
		n = IMAGE_VIEW_MAX / pg->pg_entry_len;
	p = image_view(kd->kd_image, entries.off, n * pg->pg_entry_len,
	    scratch);
	if (p == NULL)
		return (1);
	note_end(kd, entries.off + n * pg->pg_entry_len);
	for (uint64_t k = 1; k < n; k++) {
		struct pte pte =
		    pg->pg_decode(paging_entry(pg, kd->kd_core.kc_order,
				      p + k * pg->pg_entry_len),
			0);

		if (pte.pte_kind != PTE_PAGE ||
		    entry_pa(pg, 0, pte, va + (k << shift)) !=
			first_pa + (k << shift))
			return (k);
	}
	return (n);
}

/* Read and decode the entry at off, of a table at level. */
static inline int
read_entry(kvm_t *kd, uint64_t off, unsigned int level, struct pte *out)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint8_t scratch[8];
	const uint8_t *p =
	    image_view(kd->kd_image, off, pg->pg_entry_len, scratch);

	if (p == NULL)
		return (kvm_fail_image(kd, "page table", off,
		    pg->pg_entry_len));
	note_end(kd, off + pg->pg_entry_len);
	if (pg == &paging_amd64)
		*out = amd64_pte_decode(le64dec(p), level);
	else
		*out = pg->pg_decode(paging_entry(pg, kd->kd_core.kc_order, p),
		    level);
	return (0);
}

/* The page that a last-level entry maps, and its neighbours if asked for. */
static inline int
translate_last(kvm_t *kd, struct entries entries, kvaddr_t va, uint64_t len,
    struct phys_run *out)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint64_t size = UINT64_C(1) << pg->pg_level[0].shift;
	uint64_t in_page = va & (size - 1);
	uint64_t mapped = size - in_page;
	struct pte pte = { .pte_kind = PTE_NONE };
	kpaddr_t pa;

	if (read_entry(kd, entries.off, 0, &pte) != 0)
		return (-1);
	if (pte.pte_kind != PTE_PAGE)
		return (kvm_fail(kd, "address %#jx is not mapped",
		    (uintmax_t)va));
	pa = entry_pa(pg, 0, pte, va);
	if (len > mapped)
		mapped += (count_adjacent(kd, entries, va - in_page, pa,
			       (len + in_page - 1) / size + 1) -
			      1) *
		    size;
	out->pa = pa + in_page;
	out->len = mapped < len ? mapped : len;
	return (0);
}

/* ---- the way to the last level ---- */

/* The direct map of a minidump needs no tables. */
static bool
translate_direct(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out)
{
	const struct minidump_hdr *hdr = kd->kd_core.kc_minidump;

	if (hdr == NULL || va < hdr->md_dmapbase || va >= hdr->md_dmapend)
		return (false);
	if (len > hdr->md_dmapend - va)
		len = hdr->md_dmapend - va;
	*out = (struct phys_run){ .len = len,
		.pa = va - hdr->md_dmapbase + hdr->md_dmapphys };
	return (true);
}

/* Where in the file the table at pa is, all of it. */
static int
locate_table(kvm_t *kd, kpaddr_t pa, unsigned int level, uint64_t *off)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint64_t len = (uint64_t)pg->pg_entry_len << pg->pg_level[level].bits;
	struct file_run run;

	if (kd->kd_ops->co_locate(kd, pa, len, &run) != 0)
		return (-1);
	if (run.len < len)
		return (kvm_fail(kd,
		    "page table at physical address %#jx: only %ju bytes are in the dump",
		    (uintmax_t)pa, (uintmax_t)run.len));
	*off = run.off;
	return (0);
}

/* Does the page-table section of a minidump have an entry for va? */
static bool
section_has(const struct vm_root *root, kvaddr_t va)
{
	unsigned int shift = root->vr_paging->pg_level[root->vr_level].shift;

	return (va >= root->vr_base &&
	    (va - root->vr_base) >> shift < root->vr_nentries);
}

/* The entries of the first table, from va's own on. */
static int
root_entries(kvm_t *kd, const struct vm_root *root, kvaddr_t va,
    struct entries *out)
{
	const struct paging *pg = root->vr_paging;
	uint64_t idx;

	if (!root->vr_in_section) {
		if (va < pg->pg_va_first || va > pg->pg_va_last)
			return (kvm_fail(kd,
			    "address %#jx is not a kernel address of this machine",
			    (uintmax_t)va));
		if (locate_table(kd, root->vr_pa, root->vr_level, &out->off) !=
		    0)
			return (-1);
		idx = paging_index(pg, root->vr_level, va);
		out->n =
		    (UINT64_C(1) << pg->pg_level[root->vr_level].bits) - idx;
	} else {
		idx =
		    (va - root->vr_base) >> pg->pg_level[root->vr_level].shift;
		if (!section_has(root, va))
			return (kvm_fail(kd,
			    "address %#jx is not a kernel address of this dump",
			    (uintmax_t)va));
		out->off = root->vr_off;
		out->n = root->vr_nentries - idx;
	}
	out->off += idx * pg->pg_entry_len;
	return (0);
}

/* Does the direct map of a minidump have addresses from start to last? */
static bool
direct_map_meets(const kvm_t *kd, kvaddr_t start, kvaddr_t last)
{
	const struct minidump_hdr *hdr = kd->kd_core.kc_minidump;

	return (hdr != NULL && hdr->md_dmapbase < hdr->md_dmapend &&
	    hdr->md_dmapbase <= last && hdr->md_dmapend > start);
}

static void
empty_slot(struct table_slot *slot)
{
	if (slot->ts_places != no_places)
		free(slot->ts_places);
	*slot = (struct table_slot){ 0 };
}

/*
 * Remember the last-level table of va's span, if that is all there is to know
 * of the span: the page-table section may end inside of it, the direct map or
 * the kernel's addresses begin, the file be cut short.
 */
static void
remember_table(kvm_t *kd, kvaddr_t va, struct entries entries)
{
	const struct vm_root *root = &kd->kd_root;
	const struct paging *pg = root->vr_paging;
	uint64_t span = va >> span_shift(pg);
	uint64_t idx = paging_index(pg, 0, va);
	uint64_t nentries = UINT64_C(1) << pg->pg_level[0].bits;
	uint64_t off = entries.off - idx * pg->pg_entry_len;
	kvaddr_t start = span << span_shift(pg);
	kvaddr_t last = start + ((UINT64_C(1) << span_shift(pg)) - 1);
	struct table_slot *slot =
	    &kd->kd_tables->tc_slot[span % TABLE_CACHE_LEN];

	if (entries.n < nentries - idx ||
	    (root->vr_in_section && start < root->vr_base) ||
	    direct_map_meets(kd, start, last) ||
	    off + nentries * pg->pg_entry_len > kd->kd_image->im_len)
		return;
	empty_slot(slot);
	*slot = (struct table_slot){ .ts_tag = span + 1,
		.ts_off = off,
		.ts_places = no_places };
}

/* The place of one page, as find_hot() wants it. */
static uint32_t
place_of(kvm_t *kd, struct pte pte)
{
	struct page_run run;

	if (pte.pte_kind != PTE_PAGE)
		return (0);
	run = pageindex_find(kd->kd_index, pte.pte_pa, HOT_PAGE_LEN);
	if (run.pr_state != PAGE_PRESENT || run.pr_len != HOT_PAGE_LEN ||
	    run.pr_off % HOT_PAGE_LEN != 0 ||
	    run.pr_off + HOT_PAGE_LEN > kd->kd_image->im_len ||
	    run.pr_off >> HOT_PAGE_SHIFT > UINT32_MAX)
		return (0);
	return ((uint32_t)(run.pr_off >> HOT_PAGE_SHIFT));
}

/*
 * A table was used often: look up all of its pages, once.  What was read of
 * the file for it must be the file's own, since nobody asks again.
 */
static void
make_places(kvm_t *kd, struct table_slot *slot)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	struct image *im = kd->kd_image;
	size_t nentries = (size_t)1 << pg->pg_level[0].bits;
	uint32_t *places;

	if (kd->kd_index == NULL || im->im_base == NULL ||
	    span_shift(pg) != HOT_SPAN_SHIFT ||
	    pg->pg_level[0].shift != HOT_PAGE_SHIFT ||
	    (places = malloc(nentries * sizeof(*places))) == NULL)
		return;
	for (size_t i = 0; i < nentries; i++) {
		uint64_t entry = paging_entry(pg, kd->kd_core.kc_order,
		    im->im_base + slot->ts_off + i * pg->pg_entry_len);

		places[i] = place_of(kd, pg->pg_decode(entry, 0));
	}
	if (image_settle(im, slot->ts_off + nentries * pg->pg_entry_len))
		slot->ts_places = places;
	else
		free(places);
}

/* From the first table down.  The level falls with each step. */
int
translate_by(kvm_t *kd, const struct vm_root *root, kvaddr_t va, uint64_t len,
    struct phys_run *out)
{
	const struct paging *pg = root->vr_paging;
	struct entries entries;

	if (root_entries(kd, root, va, &entries) != 0)
		return (-1);
	for (unsigned int level = root->vr_level; level > 0; level--) {
		struct pte pte = { .pte_kind = PTE_NONE };

		if (read_entry(kd, entries.off, level, &pte) != 0)
			return (-1);
		if (pte.pte_kind == PTE_NONE)
			return (kvm_fail(kd, "address %#jx is not mapped",
			    (uintmax_t)va));
		if (pte.pte_kind == PTE_PAGE) {
			uint64_t size = UINT64_C(1) << pte.pte_shift;
			uint64_t left = size - (va & (size - 1));

			out->pa = pte.pte_pa + (va & (size - 1));
			out->len = left < len ? left : len;
			return (0);
		}
		if (locate_table(kd, pte.pte_pa, level - 1, &entries.off) != 0)
			return (-1);
		entries.n = (UINT64_C(1) << pg->pg_level[level - 1].bits) -
		    paging_index(pg, level - 1, va);
		entries.off +=
		    paging_index(pg, level - 1, va) * pg->pg_entry_len;
	}
	if (root == &kd->kd_root)
		remember_table(kd, va, entries);
	return (translate_last(kd, entries, va, len, out));
}

/*
 * From the tables that have va: a section has most of the kernel's addresses,
 * and for the others there may be the kernel's own tables.
 */
static int
translate_from_root(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out)
{
	const struct vm_root *root = NULL;

	if (kd->kd_root.vr_in_section && !section_has(&kd->kd_root, va))
		root = root_own(kd);
	return (translate_by(kd, root != NULL ? root : &kd->kd_root, va, len,
	    out));
}

int
translate(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint64_t span = va >> span_shift(pg);
	struct table_slot *slot =
	    &kd->kd_tables->tc_slot[span % TABLE_CACHE_LEN];
	uint64_t idx = paging_index(pg, 0, va);
	struct entries entries;

	if (slot->ts_tag != span + 1) {
		if (translate_direct(kd, va, len, out))
			return (0);
		return (translate_from_root(kd, va, len, out));
	}
	if (++slot->ts_nuses == OFTEN)
		make_places(kd, slot);
	entries.off = slot->ts_off + idx * pg->pg_entry_len;
	entries.n = (UINT64_C(1) << pg->pg_level[0].bits) - idx;
	return (translate_last(kd, entries, va, len, out));
}

void
translate_forget(kvm_t *kd)
{
	for (size_t i = 0; i < TABLE_CACHE_LEN; i++) {
		struct table_slot *slot = &kd->kd_tables->tc_slot[i];

		if (slot->ts_tag != 0)
			empty_slot(slot);
	}
}
