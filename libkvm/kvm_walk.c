/*
 * kvm_walk_pages(): every page of a minidump, once.
 *
 * The kernel map comes first, through the page-table section.  The pages of the
 * bitmap that it does not reach come after it: only the direct map has those.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/paging_amd64.h"
#include "libkvm/kvm_int.h"
#include "libkvm/walkset.h"

enum walk_state {
	WALK_ON,
	WALK_STOPPED, /* by the callback */
	WALK_FAILED   /* kvm_geterr() */
};

/* The direct map: len bytes, 0 if there is none. */
struct direct_map {
	kpaddr_t pa;
	kvaddr_t va;
	uint64_t len;
};

/* A last-level page table of amd64: 512 entries. */
#define TABLE_LEN 4096
struct table {
	uint64_t off; /* bytes into the file */
	kvaddr_t va;  /* of the first entry */
};

/* The number of tables that are located before the first of them is walked. */
#define NTABLES 16

struct page_walk {
	kvm_t *kd;
	kvm_walk_pages_cb_t *cb;
	void *arg;
	struct walkset set;
	enum walk_state state;
	uint64_t steps_left; /* see spend() */
	struct direct_map dmap;
	struct table tables[NTABLES]; /* found, not walked yet */
	size_t ntables;
	/* Entries one level above; callbacks may use the image's scratch. */
	uint8_t scratch[IMAGE_VIEW_MAX];
};

static const vm_prot_t direct_map_prot = VM_PROT_READ | VM_PROT_WRITE;

static void
fail_image(struct page_walk *w, const char *what, uint64_t off, uint64_t len)
{
	w->state = WALK_FAILED;
	(void)kvm_fail_image(w->kd, what, off, len);
}

static void
fail_bitmap(struct page_walk *w)
{
	const struct minidump_hdr *hdr = w->kd->kd_core.kc_minidump;

	fail_image(w, "page bitmap", hdr->md_bitmap_off, hdr->md_bitmap_len);
}

/*
 * The bytes of the dump that pay for one step of the walk.  A kernel names each
 * table once.  Its 8-byte entries take two steps each: one to read it, and one
 * for what it maps.
 */
#define BYTES_PER_STEP 4

/*
 * Pay for steps that directory entries cause.  All of them can name one table or
 * large page, so the number of entries is no bound of the work.
 */
static bool
spend(struct page_walk *w, uint64_t nsteps)
{
	if (nsteps <= w->steps_left) {
		w->steps_left -= nsteps;
		return (true);
	}
	w->state = WALK_FAILED;
	(void)kvm_fail(w->kd,
	    "%s: page tables: too many mappings for %ju bytes",
	    w->kd->kd_core_path, (uintmax_t)kvm_data_len(w->kd));
	return (false);
}

static inline struct kvm_page
make_page(struct direct_map dmap, kvaddr_t va, uint64_t pa, uint64_t off,
    uint64_t len, vm_prot_t prot)
{
	uint64_t in_dmap = pa - dmap.pa;
	bool has_dmap = in_dmap < dmap.len && len <= dmap.len - in_dmap;

	return ((struct kvm_page){
	    .kp_version = LIBKVM_WALK_PAGES_VERSION,
	    .kp_paddr = pa,
	    .kp_kmap_vaddr = va,
	    .kp_dmap_vaddr = has_dmap ? dmap.va + in_dmap : 0,
	    .kp_prot = prot,
	    .kp_offset = (off_t)off,
	    .kp_len = (size_t)len,
	});
}

static inline void
report(struct page_walk *w, kvaddr_t va, uint64_t pa, uint64_t off,
    uint64_t len, vm_prot_t prot)
{
	struct kvm_page page = make_page(w->dmap, va, pa, off, len, prot);

	if (w->cb(&page, w->arg) == 0)
		w->state = WALK_STOPPED;
}

/* ---- what a large page maps, or what is not all in the dump ---- */

/* kp_offset of memory that is not in the dump. */
#define NOT_DUMPED ((uint64_t)-1)

/* Contiguous pages of the dump: reported in one call if all of them are new. */
static void
report_run(struct page_walk *w, kvaddr_t va, uint64_t pa,
    const struct page_run *run, vm_prot_t prot)
{
	unsigned int shift = w->kd->kd_index->pi_set.set_page_shift;
	uint64_t npages = run->run_len >> shift;
	uint64_t nleft = walkset_count_left(&w->set, run->run_bit, npages);
	bool whole = nleft == npages;

	for (uint64_t i = 0; i < npages && nleft > 0 && w->state == WALK_ON;
	     i++) {
		uint64_t bit = run->run_bit + i;

		if (!walkset_take(&w->set, bit))
			continue;
		nleft--;
		if (!whole)
			report(w, va + (i << shift), pa + (i << shift),
			    walkset_off(&w->set, bit), UINT64_C(1) << shift,
			    prot);
	}
	if (whole)
		report(w, va, pa, run->run_off, run->run_len, prot);
}

/* Report what a page-table entry maps, in runs of present and missing pages. */
static void
report_mapping(struct page_walk *w, kvaddr_t va, uint64_t pa, uint64_t len,
    vm_prot_t prot)
{
	while (len > 0 && w->state == WALK_ON && spend(w, 1)) {
		struct page_run run = pageindex_find(w->kd->kd_index, pa, len);

		if (run.run_state == PAGE_UNREADABLE) {
			fail_bitmap(w);
			return;
		}
		if (run.run_state == PAGE_PRESENT)
			report_run(w, va, pa, &run, prot);
		else
			report(w, va, pa, NOT_DUMPED, run.run_len, prot);
		va += run.run_len;
		pa += run.run_len;
		len -= run.run_len;
	}
}

/* ---- what small pages map ---- */

/*
 * The number of entries whose pages are looked up before the first of them is
 * reported.  A walk finds pages in the order of their addresses, which is a
 * random order in the bitmap, and would wait for memory at each; so the waits
 * overlap.
 */
#define AHEAD 64

/* For functions whose entry_ops become constants by inlining. */
#define INLINED inline __attribute__((always_inline))

/* Contiguous pages that consecutive entries map, with the same permissions. */
struct small_run {
	kvaddr_t va;
	uint64_t pa;
	uint64_t npages;
	uint64_t bit; /* of the first page */
	vm_prot_t prot;
};
#define NO_PA UINT64_MAX

/* How entries of one format are read; a constant after inlining. */
struct entry_ops {
	uint64_t (*load)(const struct page_walk *w, const uint8_t *table,
	    size_t i);
	struct pte (*decode)(uint64_t entry, unsigned int level);
	unsigned int shift; /* log2 of the bytes that an entry maps */
};

static inline uint64_t
load_amd64(const struct page_walk *w, const uint8_t *table, size_t i)
{
	(void)w;
	return (le64dec(table + i * 8));
}

static inline uint64_t
load_any(const struct page_walk *w, const uint8_t *table, size_t i)
{
	const struct paging *pg = w->kd->kd_root.vr_paging;

	return (paging_entry(pg, w->kd->kd_core.kc_order,
	    table + i * pg->pg_entry_len));
}

/*
 * Decode the n entries at p, n <= AHEAD, for addresses from va on, into runs,
 * from runs[1] on.  Returns the number of runs.
 */
static INLINED size_t
find_runs(const struct page_walk *w, const uint8_t *p, size_t n, kvaddr_t va,
    struct entry_ops ops, struct small_run *restrict runs)
{
	const uint64_t size = UINT64_C(1) << ops.shift;
	struct small_run *run = runs;
	uint64_t next_pa = NO_PA;

	for (size_t i = 0; i < n; i++, va += size) {
		struct pte pte = ops.decode(ops.load(w, p, i), 0);
		uint64_t page_mask = (UINT64_C(1) << pte.pte_shift) - 1;
		/*
		 * A page larger than its entry's span (arm) has several
		 * entries.
		 */
		uint64_t pa = pte.pte_pa + (va & page_mask & ~(size - 1));

		if (pte.pte_kind != PTE_PAGE) {
			next_pa = NO_PA;
			continue;
		}
		if (pa == next_pa && pte.pte_prot == run->prot) {
			run->npages++;
		} else {
			*++run = (struct small_run){
				.va = va,
				.pa = pa,
				.npages = 1,
				.bit = walkset_bit(&w->set, pa >> ops.shift),
				.prot = pte.pte_prot,
			};
			walkset_prefetch(&w->set, run->bit);
		}
		next_pa = pa + size;
	}
	return ((size_t)(run - runs));
}

/* Take all pages of a run, or none and return false. */
static inline bool
take_small(struct walkset *set, const struct small_run *run, unsigned int shift)
{
	uint64_t more = run->npages - 1;

	if (more == 0)
		return (walkset_take(set, run->bit));
	/* Bits are in a row only in one segment. */
	return (walkset_bit(set, (run->pa >> shift) + more) ==
		run->bit + more &&
	    walkset_take_run(set, run->bit, run->npages));
}

/* Report a run, in one call if all of it is new and in the dump. */
static INLINED void
report_small(struct page_walk *w, const struct small_run *run,
    unsigned int shift)
{
	uint64_t len = run->npages << shift;

	if (take_small(&w->set, run, shift))
		report(w, run->va, run->pa, walkset_off(&w->set, run->bit), len,
		    run->prot);
	else
		report_mapping(w, run->va, run->pa, len, run->prot);
}

/* The n last-level entries at p, n <= AHEAD. */
static INLINED void
walk_entries(struct page_walk *w, const uint8_t *p, size_t n, kvaddr_t va,
    struct entry_ops ops)
{
	struct small_run runs[1 + AHEAD];
	size_t nruns = find_runs(w, p, n, va, ops, runs);

	for (size_t i = 1; i <= nruns && w->state == WALK_ON; i++)
		report_small(w, &runs[i], ops.shift);
}

/* The n last-level entries at off in the file, for addresses from va on. */
static void
walk_table(struct page_walk *w, uint64_t off, uint64_t n, kvaddr_t va)
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
walk_flat(struct page_walk *w, uint64_t first, uint64_t n)
{
	const struct vm_root *root = &w->kd->kd_root;
	const struct paging *pg = root->vr_paging;

	walk_table(w, root->vr_off + first * pg->pg_entry_len, n,
	    root->vr_base + (first << pg->pg_level[0].shift));
}

/* Start loading bytes of a mapped dump, which will soon be read. */
static void
prefetch(const struct image *im, uint64_t off, uint64_t len)
{
	if (im->im_base == NULL || off >= im->im_len)
		return;
	for (uint64_t i = 0; i < len && i < im->im_len - off; i += 64)
		__builtin_prefetch(im->im_base + off + i);
}

/*
 * Walk the tables that were located.  They lie in random order too, each in
 * another page of the file.  So the first bytes of all are loaded at once, and
 * each table is loaded while the one before it is walked.
 */
static void
walk_tables(struct page_walk *w)
{
	const struct image *im = w->kd->kd_image;
	const struct table *end = w->tables + w->ntables;

	for (const struct table *table = w->tables; table < end; table++)
		prefetch(im, table->off, 1);
	if (w->ntables > 0)
		prefetch(im, w->tables[0].off, TABLE_LEN);
	for (const struct table *table = w->tables;
	     table < end && w->state == WALK_ON; table++) {
		if (table + 1 < end)
			prefetch(im, table[1].off, TABLE_LEN);
		walk_table(w, table->off, TABLE_LEN / 8, table->va);
	}
	w->ntables = 0;
}

/* Add a table of the kernel map, unless it is not in the dump. */
static void
add_table(struct page_walk *w, uint64_t pa, kvaddr_t va)
{
	struct page_run run = pageindex_find(w->kd->kd_index, pa, TABLE_LEN);

	if (run.run_state != PAGE_PRESENT || run.run_len != TABLE_LEN ||
	    !spend(w, TABLE_LEN / 8))
		return;
	w->tables[w->ntables++] =
	    (struct table){ .off = run.run_off, .va = va };
	if (w->ntables == NTABLES)
		walk_tables(w);
}

/* An entry of amd64's directory. */
static void
walk_directory_entry(struct page_walk *w, uint64_t entry, kvaddr_t va)
{
	struct pte pte = amd64_pte_decode(entry, 1);

	if (pte.pte_kind == PTE_TABLE) {
		add_table(w, pte.pte_pa, va);
	} else if (pte.pte_kind == PTE_PAGE) {
		/* In the order of addresses. */
		walk_tables(w);
		report_mapping(w, va, pte.pte_pa, UINT64_C(1) << pte.pte_shift,
		    pte.pte_prot);
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
walk_directory_entries(struct page_walk *w, const uint8_t *p, uint64_t n,
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
 * The section's entries are one level above the last: amd64 only, see
 * minidump_map_level().  Most are empty, because most of the kernel's
 * address space is unused.
 */
static void
walk_directory(struct page_walk *w, uint64_t first, uint64_t n)
{
	const struct vm_root *root = &w->kd->kd_root;
	uint64_t off = root->vr_off + first * 8;
	const uint8_t *p =
	    image_view(w->kd->kd_image, off, (size_t)n * 8, w->scratch);

	if (p == NULL)
		fail_image(w, "page tables", off, n * 8);
	else
		walk_directory_entries(w, p, n,
		    root->vr_base + (first << HOT_SPAN_SHIFT));
}

/* Walk the entries of the section, without those in holes: these are zeros. */
static void
walk_section(struct page_walk *w)
{
	const struct vm_root *root = &w->kd->kd_root;
	const size_t entry_len = root->vr_paging->pg_entry_len;
	const uint64_t step = IMAGE_VIEW_MAX / entry_len;
	struct image_extent data = { 0 };

	for (uint64_t i = 0; i < root->vr_nentries && w->state == WALK_ON;
	     i += step) {
		uint64_t left = root->vr_nentries - i;
		uint64_t n = left < step ? left : step;

		if (image_hole_len(w->kd->kd_image, &data,
			root->vr_off + i * entry_len) >= n * entry_len)
			continue;
		if (root->vr_level == 0)
			walk_flat(w, i, n);
		else
			walk_directory(w, i, n);
	}
	walk_tables(w);
}

/* Report the pages that the kernel map does not reach. */
static void
walk_rest(struct page_walk *w)
{
	unsigned int shift = w->kd->kd_index->pi_set.set_page_shift;
	struct walkset *set = &w->set;
	uint64_t bit, npages, pa;

	for (bit = walkset_next(set, 0);
	     bit < set->ws_nbits && w->state == WALK_ON;
	     bit = walkset_next(set, bit + 1)) {
		npages = walkset_run(set, bit, &pa);
		/* Two segments may share a bit; it has one page. */
		if (npages == 0)
			continue;
		(void)walkset_take_run(set, bit, npages);
		report(w, 0, pa, walkset_off(set, bit), npages << shift,
		    direct_map_prot);
	}
}

/* ---- all of it ---- */

/* Prepare the look-up of all pages, before any is reported. */
static bool
start_walk(struct page_walk *w)
{
	int error = walkset_init(&w->set, w->kd->kd_index);

	if (error == EIO)
		fail_bitmap(w);
	else if (error != 0)
		(void)kvm_fail(w->kd, "out of memory");
	return (error == 0);
}

int
kvm_walk_pages(kvm_t *kd, kvm_walk_pages_cb_t *cb, void *arg)
{
	const struct minidump_hdr *hdr = kd->kd_core.kc_minidump;
	struct page_walk *w;
	bool mapped = kd->kd_image->im_base != NULL;
	bool done = false;

	kd->kd_err[0] = '\0';
	if (hdr == NULL) {
		(void)kvm_fail(kd, "%s: pages of a full dump cannot be walked",
		    kd->kd_core_path);
		return (0);
	}
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		(void)kvm_fail(kd, "out of memory");
		return (0);
	}
	w->kd = kd;
	w->cb = cb;
	w->arg = arg;
	w->steps_left = kvm_data_len(kd) / BYTES_PER_STEP;
	w->dmap = (struct direct_map){ .pa = hdr->md_dmapphys,
		.va = hdr->md_dmapbase,
		.len = hdr->md_dmapend - hdr->md_dmapbase };
	if (start_walk(w)) {
		walk_section(w);
		walk_rest(w);
		done = w->state == WALK_ON;
	}
	walkset_fini(&w->set);
	free(w);
	/* The callback may have read the image, and settled it. */
	(void)image_settle(kd->kd_image, kd->kd_image->im_len);
	if (mapped && kd->kd_image->im_base == NULL) {
		(void)kvm_fail_image(kd, "file", 0, kd->kd_core.kc_file_len);
		return (0);
	}
	return (done);
}
