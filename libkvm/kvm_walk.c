/*
 * kvm_walk_pages(): every page of a minidump, once.
 *
 * First the kernel map, through the page-table section; then what is left of
 * the dump's bitmap: pages that only the direct map reaches.  A walk meets pages
 * in the order of their addresses, which is any order in the bitmap, so it works
 * on a copy in which all that there is to know of a page is one line of cache.
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

/* Pages that are found before they are reported: those of a table. */
#define PENDING_LEN 512

/* 64 bits of the bitmap. */
struct walk_word {
	uint64_t ww_bits;
	uint64_t ww_left;   /* of these, what was not reported yet */
	uint64_t ww_before; /* set bits in all words before */
	uint64_t ww_unused; /* two words are one line */
};

struct walk {
	kvm_t *kd;
	kvm_walk_pages_cb_t *cb;
	void *arg;
	struct walk_word *words; /* owned */
	uint64_t nwords;
	uint64_t pages_off; /* of the first page: bytes into the file */
	enum walk_state state;
	const struct dump_seg *seg; /* of the last page */
	struct kvm_page *pending;   /* owned; PENDING_LEN of them */
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

static inline struct kvm_page
make_page(const struct walk *w, kvaddr_t va, uint64_t pa, int64_t off,
    uint64_t len, vm_prot_t prot)
{
	uint64_t in_dmap = pa - w->dmap_pa;

	return ((struct kvm_page){
	    .kp_version = LIBKVM_WALK_PAGES_VERSION,
	    .kp_paddr = pa,
	    .kp_kmap_vaddr = va,
	    .kp_dmap_vaddr = in_dmap < w->dmap_len ? w->dmap_va + in_dmap : 0,
	    .kp_prot = prot,
	    .kp_offset = (off_t)off,
	    .kp_len = (size_t)len,
	});
}

static void
report(struct walk *w, kvaddr_t va, uint64_t pa, int64_t off, uint64_t len,
    vm_prot_t prot)
{
	struct kvm_page page = make_page(w, va, pa, off, len, prot);

	if (w->cb(&page, w->arg) == 0)
		w->state = WALK_STOPPED;
}

/* Report the pages that are pending, up to end. */
static void
report_pending(struct walk *w, const struct kvm_page *end)
{
	for (struct kvm_page *page = w->pending;
	     page < end && w->state == WALK_ON; page++)
		if (w->cb(page, w->arg) == 0)
			w->state = WALK_STOPPED;
}

/* Where the page of a bit is in the file. */
static inline int64_t
page_off(const struct walk *w, const struct walk_word *word, uint64_t bit)
{
	uint64_t below = word->ww_bits & ((UINT64_C(1) << bit % 64) - 1);
	uint64_t rank = word->ww_before + (uint64_t)__builtin_popcountll(below);

	return ((int64_t)(w->pages_off +
	    (rank << w->kd->kd_index->pi_set.dp_page_shift)));
}

/* How many of the n pages from bit on were not reported yet? */
static uint64_t
count_left(const struct walk *w, uint64_t bit, uint64_t n)
{
	uint64_t left = 0;

	for (uint64_t end = bit + n; bit < end; bit = (bit | 63) + 1) {
		uint64_t word = w->words[bit / 64].ww_left >> bit % 64;

		if (end - bit < 64)
			word &= (UINT64_C(1) << (end - bit)) - 1;
		left += (uint64_t)__builtin_popcountll(word);
	}
	return (left);
}

/* Report a page of the dump, unless it was reported before. */
static inline void
report_page(struct walk *w, kvaddr_t va, uint64_t pa, uint64_t bit,
    vm_prot_t prot)
{
	struct walk_word *word = &w->words[bit / 64];
	uint64_t mask = UINT64_C(1) << bit % 64;

	if ((word->ww_left & mask) == 0)
		return;
	word->ww_left ^= mask;
	report(w, va, pa, page_off(w, word, bit),
	    UINT64_C(1) << w->kd->kd_index->pi_set.dp_page_shift, prot);
}

/* Pages of the dump that lie in a row: in one call if all of them are new. */
static void
report_run(struct walk *w, kvaddr_t va, uint64_t pa, const struct page_run *run,
    vm_prot_t prot)
{
	unsigned int shift = w->kd->kd_index->pi_set.dp_page_shift;
	uint64_t npages = run->pr_len >> shift;
	uint64_t nleft = count_left(w, run->pr_bit, npages);

	if (nleft == npages) {
		for (uint64_t i = 0; i < npages; i++) {
			uint64_t bit = run->pr_bit + i;

			w->words[bit / 64].ww_left &=
			    ~(UINT64_C(1) << bit % 64);
		}
		report(w, va, pa, (int64_t)run->pr_off, run->pr_len, prot);
		return;
	}
	for (uint64_t i = 0; i < npages && nleft > 0 && w->state == WALK_ON;
	     i++)
		report_page(w, va + (i << shift), pa + (i << shift),
		    run->pr_bit + i, prot);
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

/*
 * The page of one entry, if it is small, in the dump and new: the usual case,
 * which goes to *out.  false: it is none of that, or was reported before.
 */
static inline bool
find_small(struct walk *w, kvaddr_t va, uint64_t pa, unsigned int shift,
    vm_prot_t prot, struct kvm_page *out)
{
	uint64_t pfn = pa >> shift;
	const struct dump_seg *seg = w->seg;
	struct walk_word *word;
	uint64_t bit, mask;

	if (pfn < seg->ds_start || pfn >= seg->ds_end) {
		seg = dumpset_find(&w->kd->kd_index->pi_set, pfn);
		if (seg == NULL)
			return (false);
		w->seg = seg;
	}
	bit = seg->ds_bit + (pfn - seg->ds_start);
	if (bit / 64 >= w->nwords)
		return (false);
	word = &w->words[bit / 64];
	mask = UINT64_C(1) << bit % 64;
	if ((word->ww_left & mask) == 0)
		return (false);
	word->ww_left ^= mask;
	*out = make_page(w, va, pa, page_off(w, word, bit),
	    UINT64_C(1) << shift, prot);
	return (true);
}

/*
 * The n last-level entries at p, n <= PENDING_LEN, for addresses from va on.
 * Most of a walk's time is this loop, so it calls nobody: what it finds waits
 * until its end, or until there is something unusual.
 */
static inline void
walk_entries(struct walk *w, const uint8_t *p, uint64_t n, kvaddr_t va,
    struct entry_ops ops)
{
	uint64_t size = UINT64_C(1) << ops.shift;
	struct kvm_page *out = w->pending;

	for (uint64_t i = 0; i < n && w->state == WALK_ON; i++, va += size) {
		struct pte pte = ops.decode(ops.load(w, p, i), 0);

		if (pte.pte_kind != PTE_PAGE)
			continue;
		/* A page larger than its entry (arm) repeats in the next. */
		pte.pte_pa +=
		    va & ((UINT64_C(1) << pte.pte_shift) - 1) & ~(size - 1);
		if (find_small(w, va, pte.pte_pa, ops.shift, pte.pte_prot,
			out)) {
			out++;
			continue;
		}
		report_pending(w, out);
		out = w->pending;
		report_mapping(w, va, pte.pte_pa, size, pte.pte_prot);
	}
	report_pending(w, out);
}

/* The n last-level entries at off in the file, n <= PENDING_LEN. */
static void
walk_table(struct walk *w, uint64_t off, uint64_t n, kvaddr_t va)
{
	const struct paging *pg = w->kd->kd_root.vr_paging;
	uint8_t scratch[PENDING_LEN * 8];
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
	uint64_t step = PENDING_LEN;

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

/* The pages that no kernel mapping led to. */
static void
walk_rest(struct walk *w)
{
	const struct dumpset *set = &w->kd->kd_index->pi_set;

	for (uint64_t i = 0; i < w->nwords; i++) {
		uint64_t left = w->words[i].ww_left;

		for (; left != 0 && w->state == WALK_ON; left &= left - 1) {
			uint64_t bit = i * 64 + (uint64_t)__builtin_ctzll(left);
			uint64_t pa;

			/* A bit that two segments share is one page's. */
			if (dumpset_pa(set, bit, &pa))
				report_page(w, 0, pa, bit, direct_map_prot);
		}
	}
}

/* Copy the bitmap, without what lies behind its last page. */
static bool
read_bitmap(struct walk *w)
{
	const struct pageindex *pi = w->kd->kd_index;
	uint8_t scratch[IMAGE_VIEW_MAX];
	uint64_t step = IMAGE_VIEW_MAX / 8;
	uint64_t before = 0;

	for (uint64_t i = 0; i < w->nwords; i += step) {
		uint64_t n = w->nwords - i < step ? w->nwords - i : step;
		const uint8_t *p = image_view(w->kd->kd_image,
		    pi->pi_bitmap_off + i * 8, n * 8, scratch);

		if (p == NULL) {
			fail_image(w, "page bitmap", pi->pi_bitmap_off + i * 8,
			    n * 8);
			return (false);
		}
		for (uint64_t k = 0; k < n; k++) {
			struct walk_word *word = &w->words[i + k];

			word->ww_bits = dumpset_word(pi->pi_order, p + k * 8);
			if (i + k == pi->pi_nbits / 64)
				word->ww_bits &=
				    (UINT64_C(1) << pi->pi_nbits % 64) - 1;
			word->ww_left = word->ww_bits;
			word->ww_before = before;
			before += (uint64_t)__builtin_popcountll(word->ww_bits);
		}
	}
	return (true);
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
	w.pages_off = hdr->md_pages_off;
	w.nwords = (kd->kd_index->pi_nbits + 63) / 64;
	w.seg = &kd->kd_index->pi_set.dp_segs[0];
	w.words = malloc((size_t)(w.nwords + 1) * sizeof(*w.words));
	w.pending = malloc(PENDING_LEN * sizeof(*w.pending));
	if (w.words == NULL || w.pending == NULL) {
		w.state = WALK_FAILED;
		(void)kvm_fail(kd, "out of memory");
	} else if (read_bitmap(&w)) {
		if (kd->kd_root.vr_level == 0)
			walk_flat(&w);
		else
			walk_directory(&w);
		walk_rest(&w);
	}
	free(w.words);
	free(w.pending);
	/* A read of the callback's may have settled it. */
	(void)image_settle(kd->kd_image, kd->kd_image->im_len);
	if (mapped && kd->kd_image->im_base == NULL) {
		(void)kvm_fail_image(kd, "file", 0, kd->kd_core.kc_file_len);
		return (0);
	}
	return (w.state == WALK_ON);
}
