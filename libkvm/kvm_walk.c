/*
 * kvm_walk_pages(): every page of a minidump, once.
 *
 * First the kernel map, through the page-table section; the pages met there are
 * marked in a bitmap of our own.  Then the dump's bitmap, without the marked
 * ones: pages that only the direct map reaches.
 */
#include <stdlib.h>
#include <string.h>

#include "format/paging_amd64.h"
#include "libkvm/kvm_int.h"

enum walk_state {
	WALK_ON,
	WALK_STOPPED, /* by the callback */
	WALK_FAILED   /* kvm_geterr() */
};

struct walk {
	kvm_t *kd;
	kvm_walk_pages_cb_t *cb;
	void *arg;
	uint64_t *seen; /* owned; a bit for each bit of the dump's bitmap */
	enum walk_state state;
};

static const vm_prot_t direct_map_prot = VM_PROT_READ | VM_PROT_WRITE;

static void
report(struct walk *w, kvaddr_t va, uint64_t pa, int64_t off, uint64_t len,
    vm_prot_t prot)
{
	const struct minidump_hdr *hdr = &w->kd->kd_minidump;
	uint64_t in_dmap = pa - hdr->md_dmapphys;
	struct kvm_page page = {
		.kp_version = LIBKVM_WALK_PAGES_VERSION,
		.kp_paddr = pa,
		.kp_kmap_vaddr = va,
		.kp_prot = prot,
		.kp_offset = (off_t)off,
		.kp_len = (size_t)len,
	};

	if (in_dmap < hdr->md_dmapend - hdr->md_dmapbase)
		page.kp_dmap_vaddr = hdr->md_dmapbase + in_dmap;
	if (w->cb(&page, w->arg) == 0)
		w->state = WALK_STOPPED;
}

/* Mark a page.  Was it marked before? */
static bool
mark(struct walk *w, uint64_t bit)
{
	uint64_t mask = UINT64_C(1) << bit % 64;
	bool before = (w->seen[bit / 64] & mask) != 0;

	w->seen[bit / 64] |= mask;
	return (before);
}

/* How many of the n pages from bit on are marked? */
static uint64_t
count_marked(const struct walk *w, uint64_t bit, uint64_t n)
{
	uint64_t marked = 0;

	for (uint64_t end = bit + n; bit < end;) {
		unsigned int in_word = (unsigned int)(bit % 64);
		uint64_t word = w->seen[bit / 64] >> in_word;
		uint64_t left = end - bit;

		if (left < 64)
			word &= (UINT64_C(1) << left) - 1;
		marked += (uint64_t)__builtin_popcountll(word);
		bit += 64 - in_word;
	}
	return (marked);
}

/* Pages of the dump that lie in a row: in one call if all of them are new. */
static void
report_run(struct walk *w, kvaddr_t va, uint64_t pa, const struct page_run *run,
    vm_prot_t prot)
{
	unsigned int shift = w->kd->kd_index->pi_set.dp_page_shift;
	uint64_t npages = run->pr_len >> shift;
	uint64_t bit = run->pr_bit;
	uint64_t nmarked = count_marked(w, bit, npages);

	if (nmarked == npages)
		return;
	for (uint64_t i = 0; i < npages && w->state == WALK_ON; i++) {
		if (!mark(w, bit + i) && nmarked > 0)
			report(w, va + (i << shift), pa + (i << shift),
			    (int64_t)(run->pr_off + (i << shift)),
			    UINT64_C(1) << shift, prot);
	}
	if (nmarked == 0)
		report(w, va, pa, (int64_t)run->pr_off, run->pr_len, prot);
}

/* What an entry of the page tables maps, in pieces that are alike. */
static void
report_mapping(struct walk *w, kvaddr_t va, uint64_t pa, uint64_t len,
    vm_prot_t prot)
{
	while (len > 0 && w->state == WALK_ON) {
		struct page_run run = pageindex_find(w->kd->kd_index, pa, len);

		if (run.pr_state == PAGE_UNREADABLE) {
			w->state = WALK_FAILED;
			(void)kvm_fail_image(w->kd, "page bitmap",
			    w->kd->kd_minidump.md_bitmap_off,
			    w->kd->kd_minidump.md_bitmap_len);
			return;
		}
		if (run.pr_state == PAGE_PRESENT)
			report_run(w, va, pa, &run, prot);
		else
			report(w, va, pa, -1, run.pr_len, prot);
		va += run.pr_len;
		pa += run.pr_len;
		len -= run.pr_len;
	}
}

/* The common case of the above, made short: millions of pages come this way. */
static inline void
report_page(struct walk *w, kvaddr_t va, uint64_t pa, uint64_t size,
    vm_prot_t prot)
{
	const struct pageindex *pi = w->kd->kd_index;
	struct page_place place;

	if (!pageindex_hot(pi, pa >> pi->pi_set.dp_page_shift, &place))
		report_mapping(w, va, pa, size, prot);
	else if (!mark(w, place.pp_bit))
		report(w, va, pa, (int64_t)place.pp_off, size, prot);
}

/*
 * The n last-level entries at p, for addresses from va on.  decode is a
 * constant where this is inlined, so that it is inlined as well.
 */
static inline void
walk_entries(struct walk *w, const uint8_t *p, uint64_t n, kvaddr_t va,
    struct pte (*decode)(uint64_t, unsigned int))
{
	const struct paging *pg = w->kd->kd_root.vr_paging;
	uint64_t size = UINT64_C(1) << pg->pg_level[0].shift;
	enum byte_order order = w->kd->kd_core.kc_order;

	for (uint64_t i = 0; i < n && w->state == WALK_ON; i++, va += size) {
		struct pte pte =
		    decode(paging_entry(pg, order, p + i * pg->pg_entry_len),
			0);

		if (pte.pte_kind != PTE_PAGE)
			continue;
		/* A page larger than its entry (arm) repeats in the next. */
		pte.pte_pa +=
		    va & ((UINT64_C(1) << pte.pte_shift) - 1) & ~(size - 1);
		report_page(w, va, pte.pte_pa, size, pte.pte_prot);
	}
}

/* The n last-level entries at off in the file. */
static void
walk_table(struct walk *w, uint64_t off, uint64_t n, kvaddr_t va)
{
	const struct paging *pg = w->kd->kd_root.vr_paging;
	uint8_t scratch[IMAGE_VIEW_MAX];
	const uint8_t *p = image_view(w->kd->kd_image, off,
	    (size_t)n * pg->pg_entry_len, scratch);

	if (p == NULL) {
		w->state = WALK_FAILED;
		(void)kvm_fail_image(w->kd, "page table", off,
		    n * pg->pg_entry_len);
	} else if (pg == &paging_amd64) {
		walk_entries(w, p, n, va, amd64_pte_decode);
	} else {
		walk_entries(w, p, n, va, pg->pg_decode);
	}
}

/* The section's entries are the last level itself. */
static void
walk_flat(struct walk *w)
{
	const struct vm_root *root = &w->kd->kd_root;
	unsigned int entry_len = root->vr_paging->pg_entry_len;
	uint64_t nentries = root->vr_nentries;
	uint64_t step = IMAGE_VIEW_MAX / entry_len;

	for (uint64_t i = 0; i < nentries && w->state == WALK_ON; i += step)
		walk_table(w, root->vr_off + i * entry_len,
		    nentries - i < step ? nentries - i : step,
		    root->vr_base + (i << root->vr_paging->pg_level[0].shift));
}

/* One entry of a section that is a level above the last. */
static void
walk_directory_entry(struct walk *w, const struct pte *pte, kvaddr_t va)
{
	const struct paging *pg = w->kd->kd_root.vr_paging;
	uint64_t n = UINT64_C(1) << pg->pg_level[0].bits;
	struct page_run run;

	if (pte->pte_kind == PTE_PAGE) {
		report_mapping(w, va, pte->pte_pa,
		    UINT64_C(1) << pte->pte_shift, pte->pte_prot);
	} else if (pte->pte_kind == PTE_TABLE) {
		/* A table that is not in the dump: nothing is known. */
		run = pageindex_find(w->kd->kd_index, pte->pte_pa,
		    n * pg->pg_entry_len);
		if (run.pr_state == PAGE_PRESENT &&
		    run.pr_len == n * pg->pg_entry_len)
			walk_table(w, run.pr_off, n, va);
	}
}

static void
walk_directory(struct walk *w)
{
	const struct vm_root *root = &w->kd->kd_root;
	const struct paging *pg = root->vr_paging;
	uint64_t nentries = root->vr_nentries;

	for (uint64_t i = 0; i < nentries && w->state == WALK_ON; i++) {
		uint64_t off = root->vr_off + i * pg->pg_entry_len;
		uint8_t scratch[8];
		const uint8_t *p =
		    image_view(w->kd->kd_image, off, pg->pg_entry_len, scratch);
		struct pte pte;

		if (p == NULL) {
			w->state = WALK_FAILED;
			(void)kvm_fail_image(w->kd, "page tables", off,
			    pg->pg_entry_len);
			return;
		}
		pte =
		    pg->pg_decode(paging_entry(pg, w->kd->kd_core.kc_order, p),
			root->vr_level);
		walk_directory_entry(w, &pte,
		    root->vr_base + (i << pg->pg_level[root->vr_level].shift));
	}
}

/* The pages that no kernel mapping led to. */
static void
walk_bitmap(struct walk *w)
{
	struct pageindex *pi = w->kd->kd_index;
	unsigned int shift = pi->pi_set.dp_page_shift;

	for (uint64_t i = 0; i * 64 < pi->pi_nbits && w->state == WALK_ON;
	     i++) {
		uint64_t bits, rank, left;

		if (!pageindex_word(pi, i, &bits, &rank)) {
			w->state = WALK_FAILED;
			(void)kvm_fail_image(w->kd, "page bitmap",
			    pi->pi_bitmap_off + i * 8, 8);
			return;
		}
		for (left = bits & ~w->seen[i];
		     left != 0 && w->state == WALK_ON; left &= left - 1) {
			uint64_t below = (left & -left) - 1;
			uint64_t n =
			    (uint64_t)__builtin_popcountll(bits & below);
			uint64_t pa;

			if (dumpset_pa(&pi->pi_set,
				i * 64 + (uint64_t)__builtin_ctzll(left), &pa))
				report(w, 0, pa,
				    (int64_t)(pi->pi_pages_off +
					((rank + n) << shift)),
				    UINT64_C(1) << shift, direct_map_prot);
		}
	}
}

int
kvm_walk_pages(kvm_t *kd, kvm_walk_pages_cb_t *cb, void *arg)
{
	struct walk w = { .kd = kd, .cb = cb, .arg = arg };

	kd->kd_err[0] = '\0';
	if (kd->kd_core.kc_minidump == NULL) {
		(void)kvm_fail(kd, "%s: pages of a full dump cannot be walked",
		    kd->kd_core_path);
		return (0);
	}
	w.seen =
	    calloc((size_t)(kd->kd_index->pi_nbits / 64 + 1), sizeof(*w.seen));
	if (w.seen == NULL) {
		(void)kvm_fail(kd, "out of memory");
		return (0);
	}
	if (kd->kd_root.vr_level == 0)
		walk_flat(&w);
	else
		walk_directory(&w);
	if (w.state == WALK_ON)
		walk_bitmap(&w);
	free(w.seen);
	if (!image_settle(kd->kd_image, 0)) {
		(void)kvm_fail_image(kd, "file", 0, kd->kd_core.kc_file_len);
		return (0);
	}
	return (w.state == WALK_ON);
}
