/*
 * Virtual to physical addresses.
 *
 * This file walks the page tables of all architectures.  format/paging.c
 * decodes their entries, and a vm_root says where the walk starts.  In a
 * minidump that is the page-table section, an array of entries of one level for
 * the kernel's addresses from vr_base on; elsewhere it is the machine's root
 * table.  The level decreases with each table that is followed, so a walk
 * always ends.
 */
#include <stdlib.h>

#include "format/paging_amd64.h"
#include "libkvm/kvm_int.h"

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
 * The address of the part of a page that its entry maps.  A page larger than
 * the span of an entry (arm) is repeated in the entries that follow.
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
 * How many of the entries, at most n, map contiguous pages.  The first entry
 * maps first_pa at va.
 */
static uint64_t
count_adjacent(kvm_t *kd, struct entries entries, kvaddr_t va,
    kpaddr_t first_pa, uint64_t n)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	unsigned int shift = pg->pg_level[0].shift;
	const uint8_t *p;

	if (n > entries.n)
		n = entries.n;
	if (n > IMAGE_VIEW_MAX / pg->pg_entry_len)
		n = IMAGE_VIEW_MAX / pg->pg_entry_len;
	p = image_view(kd->kd_image, entries.off, n * pg->pg_entry_len,
	    kd->kd_image->im_scratch);
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

/* The page that a last-level entry maps, and contiguous ones if len asks. */
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
	hotpages_use_direct(&kd->kd_hot);
	return (true);
}

/* The offset in the file of the table at pa; all of it must be in the dump. */
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

/* The entries of the first table, starting with the one for va. */
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

/* Where the span of va is remembered. */
static inline struct table_slot *
span_slot(kvm_t *kd, kvaddr_t va)
{
	uint64_t span = va >> span_shift(kd->kd_root.vr_paging);

	return (&kd->kd_tables->tc_slot[span % TABLE_CACHE_LEN]);
}

/*
 * Remember what maps va's span.  Not if the kernel's addresses begin inside of
 * the span: then one table does not tell all.  The direct map has none of them,
 * see minidump_decode().
 */
static void
remember_span(kvm_t *kd, kvaddr_t va, struct table_slot found)
{
	const struct vm_root *root = &kd->kd_root;
	unsigned int shift = span_shift(root->vr_paging);

	if (root->vr_in_section && va >> shift << shift < root->vr_base)
		return;
	found.tsl_tag = (va >> shift) + 1;
	*span_slot(kd, va) = found;
}

/*
 * Remember a last-level table, unless the section or the file ends inside it.
 */
static void
remember_table(kvm_t *kd, kvaddr_t va, struct entries entries)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint64_t idx = paging_index(pg, 0, va);
	uint64_t nentries = UINT64_C(1) << pg->pg_level[0].bits;
	uint64_t off = entries.off - idx * pg->pg_entry_len;

	if (entries.n >= nentries - idx &&
	    off + nentries * pg->pg_entry_len <= kd->kd_image->im_len)
		remember_span(kd, va, (struct table_slot){ .tsl_off = off });
}

/* Remember the large page that maps va and all of its span. */
static void
remember_large(kvm_t *kd, kvaddr_t va, struct pte pte)
{
	unsigned int shift = span_shift(kd->kd_root.vr_paging);
	uint64_t page_mask = (UINT64_C(1) << pte.pte_shift) - 1;
	kvaddr_t start = va >> shift << shift;

	if (pte.pte_shift >= shift)
		remember_span(kd, va,
		    (struct table_slot){
			.tsl_pa = pte.pte_pa + (start & page_mask) });
}

/* The physical addresses of the 4 KB pages of the span that starts at va. */
static void
list_pages(kvm_t *kd, const struct table_slot *slot, kvaddr_t va,
    kpaddr_t pa[HOT_SPAN_PAGES])
{
	const struct paging *pg = kd->kd_root.vr_paging;
	const uint8_t *entries = kd->kd_image->im_base + slot->tsl_off;

	for (size_t i = 0; i < HOT_SPAN_PAGES; i++) {
		struct pte pte;

		pa[i] = slot->tsl_pa + (i << HOT_PAGE_SHIFT);
		if (slot->tsl_off == 0)
			continue;
		pte = pg->pg_decode(paging_entry(pg, kd->kd_core.kc_order,
					entries + i * pg->pg_entry_len),
		    0);
		pa[i] = pte.pte_kind != PTE_PAGE ?
		    HOT_NO_PA :
		    entry_pa(pg, 0, pte, va + (i << HOT_PAGE_SHIFT));
	}
}

/* A span was used often. */
static void
make_hot(kvm_t *kd, const struct table_slot *slot)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint64_t table_len = (uint64_t)pg->pg_entry_len << pg->pg_level[0].bits;
	uint64_t span = slot->tsl_tag - 1;
	kpaddr_t pa[HOT_SPAN_PAGES];

	if (kd->kd_image->im_base == NULL || span_shift(pg) != HOT_SPAN_SHIFT ||
	    pg->pg_level[0].shift != HOT_PAGE_SHIFT)
		return;
	list_pages(kd, slot, span << HOT_SPAN_SHIFT, pa);
	hotpages_add_span(&kd->kd_hot, span, pa, slot->tsl_off + table_len);
}

/* Walk from the first table down.  The level decreases with each step. */
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
			if (root == &kd->kd_root)
				remember_large(kd, va, pte);
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
 * Cut len where the direct map or the section's addresses start after va: the
 * kernel's own tables do not count from there on.
 */
static uint64_t
cut_at_others(const kvm_t *kd, kvaddr_t va, uint64_t len)
{
	const kvaddr_t starts[] = { kd->kd_core.kc_minidump->md_dmapbase,
		kd->kd_root.vr_base };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (va < starts[i] && len > starts[i] - va)
			len = starts[i] - va;
	return (len);
}

/*
 * Walk the tables that map va.  The page-table section has most of the kernel's
 * addresses; for the others, the kernel's own tables may be in the dump.
 */
static int
translate_from_root(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out)
{
	const struct vm_root *root;

	if (kd->kd_root.vr_in_section && !section_has(&kd->kd_root, va) &&
	    (root = kd->kd_ops->co_own_root(kd)) != NULL)
		return (translate_by(kd, root, va, cut_at_others(kd, va, len),
		    out));
	return (translate_by(kd, &kd->kd_root, va, len, out));
}

/* Translate by what was remembered of va's span. */
static int
translate_in_span(kvm_t *kd, const struct table_slot *slot, kvaddr_t va,
    uint64_t len, struct phys_run *out)
{
	const struct paging *pg = kd->kd_root.vr_paging;
	uint64_t idx = paging_index(pg, 0, va);
	uint64_t size = UINT64_C(1) << span_shift(pg);
	uint64_t in_span = va & (size - 1);

	if (slot->tsl_off != 0)
		return (translate_last(kd,
		    (struct entries){ .off = slot->tsl_off +
			    idx * pg->pg_entry_len,
			.n = (UINT64_C(1) << pg->pg_level[0].bits) - idx },
		    va, len, out));
	out->pa = slot->tsl_pa + in_span;
	out->len = len < size - in_span ? len : size - in_span;
	return (0);
}

int
translate(kvm_t *kd, kvaddr_t va, uint64_t len, struct phys_run *out)
{
	struct table_slot *slot;

	if (kd->kd_root.vr_paging == NULL)
		return (kvm_fail_no_kernel(kd));
	slot = span_slot(kd, va);
	if (slot->tsl_tag != (va >> span_shift(kd->kd_root.vr_paging)) + 1) {
		if (translate_direct(kd, va, len, out))
			return (0);
		return (translate_from_root(kd, va, len, out));
	}
	if (++slot->tsl_nuses == HOT_OFTEN)
		make_hot(kd, slot);
	return (translate_in_span(kd, slot, va, len, out));
}

void
translate_forget(kvm_t *kd)
{
	for (size_t i = 0; i < TABLE_CACHE_LEN; i++)
		if (kd->kd_tables->tc_slot[i].tsl_tag != 0)
			kd->kd_tables->tc_slot[i] = (struct table_slot){ 0 };
	hotpages_forget_spans(&kd->kd_hot);
}
