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
	kpaddr_t dmap_pa; /* the direct map; empty where there is none */
	kvaddr_t dmap_va;
	uint64_t dmap_len;
};

static const vm_prot_t direct_map_prot = VM_PROT_READ | VM_PROT_WRITE;

static void
fail_image(struct walk *w, const char *what, uint64_t off, uint64_t len)
{
	w->state = WALK_FAILED;
	(void)kvm_fail_image(w->kd, what, off, len);
}

static inline void
report(struct walk *w, kvaddr_t va, uint64_t pa, int64_t off, uint64_t len,
    vm_prot_t prot)
{
	uint64_t in_dmap = pa - w->dmap_pa;
	struct kvm_page page = {
		.kp_version = LIBKVM_WALK_PAGES_VERSION,
		.kp_paddr = pa,
		.kp_kmap_vaddr = va,
		.kp_dmap_vaddr =
		    in_dmap < w->dmap_len ? w->dmap_va + in_dmap : 0,
		.kp_prot = prot,
		.kp_offset = (off_t)off,
		.kp_len = (size_t)len,
	};

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
			fail_image(w, "page bitmap",
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

/* How entries of a kind are read; constant where it is inlined. */
struct entry_ops {
	uint64_t (*load)(const struct walk *w, const uint8_t *table,
	    uint64_t i);
	struct pte (*decode)(uint64_t entry, unsigned int level);
	unsigned int shift; /* log2 of the bytes that an entry maps */
};

static inline uint64_t
load_amd64(const struct walk *w, const uint8_t *table, uint64_t i)
{
	(void)w;
	return (le64dec(table + i * 8));
}

static inline uint64_t
load_any(const struct walk *w, const uint8_t *table, uint64_t i)
{
	const struct paging *pg = w->kd->kd_root.vr_paging;

	return (paging_entry(pg, w->kd->kd_core.kc_order,
	    table + i * pg->pg_entry_len));
}

/* The n last-level entries at p, for addresses from va on. */
static inline void
walk_entries(struct walk *w, const uint8_t *p, uint64_t n, kvaddr_t va,
    struct entry_ops ops)
{
	uint64_t size = UINT64_C(1) << ops.shift;

	for (uint64_t i = 0; i < n && w->state == WALK_ON; i++, va += size) {
		struct pte pte = ops.decode(ops.load(w, p, i), 0);

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
		fail_image(w, "page table", off, n * pg->pg_entry_len);
	} else if (pg == &paging_amd64) {
		walk_entries(w, p, n, va,
		    (struct entry_ops){ load_amd64, amd64_pte_decode, 12 });
	} else {
		walk_entries(w, p, n, va,
		    (struct entry_ops){ load_any, pg->pg_decode,
			pg->pg_level[0].shift });
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

/* An entry of amd64's directory. */
static void
walk_directory_entry(struct walk *w, uint64_t entry, kvaddr_t va)
{
	struct pte pte = amd64_pte_decode(entry, 1);
	struct page_run run;

	if (pte.pte_kind == PTE_PAGE) {
		report_mapping(w, va, pte.pte_pa, UINT64_C(1) << pte.pte_shift,
		    pte.pte_prot);
	} else if (pte.pte_kind == PTE_TABLE) {
		/* A table that is not in the dump: nothing is known. */
		run = pageindex_find(w->kd->kd_index, pte.pte_pa, 4096);
		if (run.pr_state == PAGE_PRESENT && run.pr_len == 4096)
			walk_table(w, run.pr_off, 512, va);
	}
}

/*
 * The section's entries are a level above the last: amd64 only, see
 * minidump_has_flat_ptes().  Most are empty: the kernel's addresses are many.
 */
static void
walk_directory(struct walk *w)
{
	const struct vm_root *root = &w->kd->kd_root;
	static const uint8_t nothing[64];
	uint8_t scratch[IMAGE_VIEW_MAX];
	uint64_t step = IMAGE_VIEW_MAX / 8;

	for (uint64_t i = 0; i < root->vr_nentries; i += step) {
		uint64_t n = root->vr_nentries - i;
		const uint8_t *p;

		if (n > step)
			n = step;
		p = image_view(w->kd->kd_image, root->vr_off + i * 8, n * 8,
		    scratch);
		if (p == NULL) {
			fail_image(w, "page tables", root->vr_off + i * 8,
			    n * 8);
			return;
		}
		for (uint64_t k = 0; k < n && w->state == WALK_ON; k++) {
			uint64_t entry = le64dec(p + k * 8);

			if (entry != 0)
				walk_directory_entry(w, entry,
				    root->vr_base +
					((i + k) << HOT_SPAN_SHIFT));
			else if (k % 8 == 0 && n - k >= 8 &&
			    memcmp(p + k * 8, nothing, sizeof(nothing)) == 0)
				k += 7;
		}
	}
}

/* The pages of a word of the bitmap that no kernel mapping led to. */
static void
walk_word(struct walk *w, uint64_t word, uint64_t bits)
{
	struct pageindex *pi = w->kd->kd_index;
	unsigned int shift = pi->pi_set.dp_page_shift;
	uint64_t left = bits & ~w->seen[word];

	for (; left != 0 && w->state == WALK_ON; left &= left - 1) {
		uint64_t bit = word * 64 + (uint64_t)__builtin_ctzll(left);
		uint64_t pa;

		/* Bits behind the last page are no pages. */
		if (bit < pi->pi_nbits && dumpset_pa(&pi->pi_set, bit, &pa))
			report(w, 0, pa,
			    (int64_t)(pi->pi_pages_off +
				(pageindex_rank(pi, bit, bits) << shift)),
			    UINT64_C(1) << shift, direct_map_prot);
	}
}

static void
walk_bitmap(struct walk *w)
{
	struct pageindex *pi = w->kd->kd_index;
	uint8_t scratch[IMAGE_VIEW_MAX];
	uint64_t step = IMAGE_VIEW_MAX / 8;
	uint64_t nwords = (pi->pi_nbits + 63) / 64;
	uint64_t npages;

	/* pageindex_rank() is for words that are counted: so count them all. */
	if (!pageindex_count(pi, &npages)) {
		fail_image(w, "page bitmap", pi->pi_bitmap_off, nwords * 8);
		return;
	}
	for (uint64_t i = 0; i < nwords; i += step) {
		uint64_t n = nwords - i < step ? nwords - i : step;
		const uint8_t *p = image_view(w->kd->kd_image,
		    pi->pi_bitmap_off + i * 8, n * 8, scratch);

		if (p == NULL) {
			fail_image(w, "page bitmap", pi->pi_bitmap_off + i * 8,
			    n * 8);
			return;
		}
		for (uint64_t k = 0; k < n && w->state == WALK_ON; k++) {
			uint64_t bits = dumpset_word(pi->pi_order, p + k * 8);

			if ((bits & ~w->seen[i + k]) != 0)
				walk_word(w, i + k, bits);
		}
	}
}

int
kvm_walk_pages(kvm_t *kd, kvm_walk_pages_cb_t *cb, void *arg)
{
	const struct minidump_hdr *hdr = kd->kd_core.kc_minidump;
	struct walk w = { .kd = kd, .cb = cb, .arg = arg };
	bool mapped = kd->kd_image->im_base != NULL;

	kd->kd_err[0] = '\0';
	if (hdr == NULL) {
		(void)kvm_fail(kd, "%s: pages of a full dump cannot be walked",
		    kd->kd_core_path);
		return (0);
	}
	w.dmap_pa = hdr->md_dmapphys;
	w.dmap_va = hdr->md_dmapbase;
	w.dmap_len = hdr->md_dmapend - hdr->md_dmapbase;
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
	/* A read of the callback's may have settled it. */
	(void)image_settle(kd->kd_image, kd->kd_image->im_len);
	if (mapped && kd->kd_image->im_base == NULL) {
		(void)kvm_fail_image(kd, "file", 0, kd->kd_core.kc_file_len);
		return (0);
	}
	return (w.state == WALK_ON);
}
