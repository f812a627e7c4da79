/*
 * kvm_walk_pages(): every page of a minidump, once.
 *
 * First the kernel map, through the page-table section; then what is left of
 * the dump's bitmap: pages that only the direct map reaches.
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

/* The direct map: len bytes, none where there is no such map. */
struct direct_map {
	kpaddr_t pa;
	kvaddr_t va;
	uint64_t len;
};

/* 64 bits of the bitmap, side by side in one line of cache. */
struct walk_word {
	uint64_t bits;
	uint64_t left; /* of these, what was not reported yet */
};

struct walk {
	kvm_t *kd;
	kvm_walk_pages_cb_t *cb;
	void *arg;
	struct walk_word *words; /* owned */
	uint64_t nwords;
	enum walk_state state;
	struct direct_map dmap;
};

static const vm_prot_t direct_map_prot = VM_PROT_READ | VM_PROT_WRITE;

static void
fail_image(struct walk *w, const char *what, uint64_t off, uint64_t len)
{
	w->state = WALK_FAILED;
	(void)kvm_fail_image(w->kd, what, off, len);
}

static inline struct kvm_page
make_page(struct direct_map dmap, kvaddr_t va, uint64_t pa, uint64_t off,
    uint64_t len, vm_prot_t prot)
{
	uint64_t in_dmap = pa - dmap.pa;

	return ((struct kvm_page){
	    .kp_version = LIBKVM_WALK_PAGES_VERSION,
	    .kp_paddr = pa,
	    .kp_kmap_vaddr = va,
	    .kp_dmap_vaddr = in_dmap < dmap.len ? dmap.va + in_dmap : 0,
	    .kp_prot = prot,
	    .kp_offset = (off_t)off,
	    .kp_len = (size_t)len,
	});
}

static inline void
report(struct walk *w, kvaddr_t va, uint64_t pa, uint64_t off, uint64_t len,
    vm_prot_t prot)
{
	struct kvm_page page = make_page(w->dmap, va, pa, off, len, prot);

	if (w->cb(&page, w->arg) == 0)
		w->state = WALK_STOPPED;
}

/* Take a page of the dump, by its bit.  false: it was taken before. */
static inline bool
take(struct walk *w, uint64_t bit)
{
	uint64_t mask = UINT64_C(1) << bit % 64;
	uint64_t *left = &w->words[bit / 64].left;

	if ((*left & mask) == 0)
		return (false);
	*left ^= mask;
	return (true);
}

/* Where the page of a bit is in the file. */
static inline uint64_t
page_off(const struct walk *w, uint64_t bit)
{
	const struct pageindex *pi = w->kd->kd_index;
	uint64_t rank = pageindex_rank(pi, bit, w->words[bit / 64].bits);

	return (pi->pi_pages_off + (rank << pi->pi_set.dp_page_shift));
}

/* Report a page of the dump, unless it was reported before. */
static void
report_page(struct walk *w, kvaddr_t va, uint64_t pa, uint64_t bit,
    vm_prot_t prot)
{
	if (take(w, bit))
		report(w, va, pa, page_off(w, bit),
		    UINT64_C(1) << w->kd->kd_index->pi_set.dp_page_shift, prot);
}

/* ---- what a large page maps, or what is not all in the dump ---- */

/* kp_offset of memory that is not in the dump. */
#define NOT_DUMPED ((uint64_t)-1)

/* How many of the n pages from bit on were not reported yet? */
static uint64_t
count_left(const struct walk *w, uint64_t bit, uint64_t n)
{
	uint64_t left = 0;

	for (uint64_t end = bit + n; bit < end; bit = (bit | 63) + 1) {
		uint64_t word = w->words[bit / 64].left >> bit % 64;

		if (end - bit < 64)
			word &= (UINT64_C(1) << (end - bit)) - 1;
		left += (uint64_t)__builtin_popcountll(word);
	}
	return (left);
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
		for (uint64_t i = 0; i < npages; i++)
			(void)take(w, run->pr_bit + i);
		report(w, va, pa, run->pr_off, run->pr_len, prot);
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
			report(w, va, pa, NOT_DUMPED, run.pr_len, prot);
		va += run.pr_len;
		pa += run.pr_len;
		len -= run.pr_len;
	}
}

/* ---- what small pages map ---- */

/*
 * Entries whose pages are looked for before the first of them is reported.  A
 * walk meets pages in the order of their addresses, which is any order in the
 * bitmap, and would wait for memory at each: this way the waits overlap.
 */
#define AHEAD 64

/* A page that an entry of a table maps. */
struct small_page {
	kvaddr_t va;
	uint64_t pa;
	uint64_t bit; /* NO_BIT: the bitmap does not have it */
	vm_prot_t prot;
};
#define NO_BIT UINT64_MAX

/* How entries of a kind are read; constant where it is inlined. */
struct entry_ops {
	uint64_t (*load)(const struct walk *w, const uint8_t *table, size_t i);
	struct pte (*decode)(uint64_t entry, unsigned int level);
	unsigned int shift; /* log2 of the bytes that an entry maps */
};

static inline uint64_t
load_amd64(const struct walk *w, const uint8_t *table, size_t i)
{
	(void)w;
	return (le64dec(table + i * 8));
}

static inline uint64_t
load_any(const struct walk *w, const uint8_t *table, size_t i)
{
	const struct paging *pg = w->kd->kd_root.vr_paging;

	return (paging_entry(pg, w->kd->kd_core.kc_order,
	    table + i * pg->pg_entry_len));
}

/*
 * The bit of a page.  Those of the pages behind it follow, up to page number
 * *end; 0: there is no such bit.
 */
static inline uint64_t
bit_of(const struct pageindex *pi, uint64_t pfn, uint64_t *end)
{
	const struct dump_seg *seg = dumpset_find(&pi->pi_set, pfn);
	uint64_t bit;

	*end = 0;
	if (seg == NULL)
		return (NO_BIT);
	bit = seg->ds_bit + (pfn - seg->ds_start);
	if (bit >= pi->pi_nbits)
		return (NO_BIT);
	*end = seg->ds_end;
	return (bit);
}

/* Reporting the page of a bit is going to need these. */
static inline void
prefetch_bit(const struct walk *w, const struct pageindex *pi, uint64_t bit)
{
	__builtin_prefetch(&w->words[bit / 64]);
	__builtin_prefetch(&pi->pi_sub[bit / 64]);
}

/*
 * Find the pages of the n entries at p, n <= AHEAD, for addresses from va on.
 * Returns how many there are.
 */
static inline size_t
find_small(const struct walk *w, const uint8_t *p, size_t n, kvaddr_t va,
    struct entry_ops ops, struct small_page *pages)
{
	const struct pageindex *pi = w->kd->kd_index;
	const uint64_t size = UINT64_C(1) << ops.shift;
	uint64_t bit = NO_BIT, next = 0, end = 0;
	size_t npages = 0;

	for (size_t i = 0; i < n; i++, va += size) {
		struct pte pte = ops.decode(ops.load(w, p, i), 0);
		uint64_t page_mask = (UINT64_C(1) << pte.pte_shift) - 1;
		uint64_t pfn;

		if (pte.pte_kind != PTE_PAGE)
			continue;
		/* A page larger than its entry (arm) repeats in the next. */
		pte.pte_pa += va & page_mask & ~(size - 1);
		pfn = pte.pte_pa >> ops.shift;
		bit++;
		if (pfn != next || pfn >= end || bit >= pi->pi_nbits) {
			bit = bit_of(pi, pfn, &end);
			if (bit != NO_BIT)
				prefetch_bit(w, pi, bit);
		}
		next = pfn + 1;
		pages[npages++] = (struct small_page){ .va = va,
			.pa = pte.pte_pa,
			.bit = bit,
			.prot = pte.pte_prot };
	}
	return (npages);
}

static inline void
report_small(struct walk *w, const struct small_page *pages, size_t npages,
    uint64_t size)
{
	for (size_t i = 0; i < npages && w->state == WALK_ON; i++) {
		const struct small_page *page = &pages[i];

		if (page->bit != NO_BIT && take(w, page->bit))
			report(w, page->va, page->pa, page_off(w, page->bit),
			    size, page->prot);
		else
			report_mapping(w, page->va, page->pa, size, page->prot);
	}
}

/* The n last-level entries at p, n <= AHEAD. */
static inline void
walk_entries(struct walk *w, const uint8_t *p, size_t n, kvaddr_t va,
    struct entry_ops ops)
{
	struct small_page pages[AHEAD];
	size_t npages = find_small(w, p, n, va, ops, pages);

	report_small(w, pages, npages, UINT64_C(1) << ops.shift);
}

/* The n last-level entries at off in the file, for addresses from va on. */
static void
walk_table(struct walk *w, uint64_t off, uint64_t n, kvaddr_t va)
{
	const struct paging *pg = w->kd->kd_root.vr_paging;
	unsigned int shift = pg->pg_level[0].shift;
	uint8_t scratch[AHEAD * 8];

	for (uint64_t i = 0; i < n && w->state == WALK_ON; i += AHEAD) {
		size_t count = n - i < AHEAD ? (size_t)(n - i) : AHEAD;
		uint64_t at = off + i * pg->pg_entry_len;
		size_t len = count * pg->pg_entry_len;
		const uint8_t *p =
		    image_view(w->kd->kd_image, at, len, scratch);

		if (p == NULL)
			fail_image(w, "page table", at, len);
		else if (pg == &paging_amd64)
			walk_entries(w, p, count, va + (i << 12),
			    (struct entry_ops){ load_amd64, amd64_pte_decode,
				12 });
		else
			walk_entries(w, p, count, va + (i << shift),
			    (struct entry_ops){ load_any, pg->pg_decode,
				shift });
	}
}

/* ---- from the page-table section down ---- */

/* The section's entries are the last level itself. */
static void
walk_flat(struct walk *w)
{
	const struct vm_root *root = &w->kd->kd_root;

	walk_table(w, root->vr_off, root->vr_nentries, root->vr_base);
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

/* Eight entries of a directory: are they all empty? */
static inline bool
are_empty(const uint8_t *p)
{
	uint64_t entry[8], any = 0;

	memcpy(entry, p, sizeof(entry));
	for (unsigned int i = 0; i < 8; i++)
		any |= entry[i];
	return (any == 0);
}

static void
walk_directory_entries(struct walk *w, const uint8_t *p, uint64_t n,
    kvaddr_t va)
{
	for (uint64_t i = 0; i < n && w->state == WALK_ON;) {
		if (n - i >= 8 && are_empty(p + i * 8)) {
			i += 8;
			continue;
		}
		walk_directory_entry(w, le64dec(p + i * 8),
		    va + (i << HOT_SPAN_SHIFT));
		i++;
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
	const uint64_t step = IMAGE_VIEW_MAX / 8;
	uint8_t scratch[IMAGE_VIEW_MAX];

	for (uint64_t i = 0; i < root->vr_nentries && w->state == WALK_ON;
	     i += step) {
		uint64_t n = root->vr_nentries - i;
		uint64_t off = root->vr_off + i * 8;
		const uint8_t *p;

		if (n > step)
			n = step;
		p = image_view(w->kd->kd_image, off, n * 8, scratch);
		if (p == NULL)
			fail_image(w, "page tables", off, n * 8);
		else
			walk_directory_entries(w, p, n,
			    root->vr_base + (i << HOT_SPAN_SHIFT));
	}
}

/* The pages that no kernel mapping led to. */
static void
walk_rest(struct walk *w)
{
	const struct dumpset *set = &w->kd->kd_index->pi_set;

	for (uint64_t i = 0; i < w->nwords; i++) {
		uint64_t left = w->words[i].left;

		for (; left != 0 && w->state == WALK_ON; left &= left - 1) {
			uint64_t bit = i * 64 + (uint64_t)__builtin_ctzll(left);
			uint64_t pa;

			/* A bit that two segments share is one page's. */
			if (dumpset_pa(set, bit, &pa))
				report_page(w, 0, pa, bit, direct_map_prot);
		}
	}
}

/* ---- all of it ---- */

/* Copy the bitmap.  What lies behind its last page is no page to report. */
static bool
read_bitmap(struct walk *w)
{
	const struct pageindex *pi = w->kd->kd_index;
	const uint64_t step = IMAGE_VIEW_MAX / 8;
	uint8_t scratch[IMAGE_VIEW_MAX];

	for (uint64_t i = 0; i < w->nwords; i += step) {
		uint64_t n = w->nwords - i < step ? w->nwords - i : step;
		uint64_t off = pi->pi_bitmap_off + i * 8;
		const uint8_t *p =
		    image_view(w->kd->kd_image, off, n * 8, scratch);

		if (p == NULL) {
			fail_image(w, "page bitmap", off, n * 8);
			return (false);
		}
		for (uint64_t k = 0; k < n; k++) {
			uint64_t bits = dumpset_word(pi->pi_order, p + k * 8);

			w->words[i + k] =
			    (struct walk_word){ .bits = bits, .left = bits };
		}
	}
	if (pi->pi_nbits % 64 != 0)
		w->words[w->nwords - 1].left &=
		    (UINT64_C(1) << pi->pi_nbits % 64) - 1;
	return (true);
}

/* Get ready to find any page; nothing was reported yet. */
static bool
start_walk(struct walk *w)
{
	struct pageindex *pi = w->kd->kd_index;
	uint64_t npages;

	/* The index counts all words, so that ranks take no more than a look. */
	if (!pageindex_count(pi, &npages)) {
		fail_image(w, "page bitmap", pi->pi_bitmap_off, w->nwords * 8);
		return (false);
	}
	w->words = malloc((size_t)(w->nwords + 1) * sizeof(*w->words));
	if (w->words == NULL) {
		(void)kvm_fail(w->kd, "out of memory");
		return (false);
	}
	return (read_bitmap(w));
}

int
kvm_walk_pages(kvm_t *kd, kvm_walk_pages_cb_t *cb, void *arg)
{
	const struct minidump_hdr *hdr = kd->kd_core.kc_minidump;
	struct walk w = { .kd = kd, .cb = cb, .arg = arg };
	bool mapped = kd->kd_image->im_base != NULL;
	bool done = false;

	kd->kd_err[0] = '\0';
	if (hdr == NULL) {
		(void)kvm_fail(kd, "%s: pages of a full dump cannot be walked",
		    kd->kd_core_path);
		return (0);
	}
	w.dmap = (struct direct_map){ .pa = hdr->md_dmapphys,
		.va = hdr->md_dmapbase,
		.len = hdr->md_dmapend - hdr->md_dmapbase };
	w.nwords = (kd->kd_index->pi_nbits + 63) / 64;
	if (start_walk(&w)) {
		if (kd->kd_root.vr_level == 0)
			walk_flat(&w);
		else
			walk_directory(&w);
		walk_rest(&w);
		done = w.state == WALK_ON;
	}
	free(w.words);
	/* A read of the callback's may have settled it. */
	(void)image_settle(kd->kd_image, kd->kd_image->im_len);
	if (mapped && kd->kd_image->im_base == NULL) {
		(void)kvm_fail_image(kd, "file", 0, kd->kd_core.kc_file_len);
		return (0);
	}
	return (done);
}
