#include "bench/plainwalk.h"

#include <err.h>
#include <stdlib.h>

#include "format/dumpset.h"
#include "format/minidump.h"
#include "format/paging_amd64.h"

#define PAGE_LEN    4096
#define TABLE_SHIFT 21 /* log2 of the bytes that a page table maps */
#define TABLE_PAGES 512

/* Pages of the bitmap to a count. */
#define COUNT_PAGES 1024
#define COUNT_WORDS (COUNT_PAGES / 64)

#define NO_BIT UINT64_MAX

struct plainwalk {
	struct minidump_hdr hdr;
	struct dump_seg *segs;
	struct dumpset set;
	uint64_t *bitmap;
	uint64_t nwords; /* a multiple of COUNT_WORDS */
	uint32_t *counts;
	const uint8_t *file;
};

static void *
alloc(uint64_t n, size_t size)
{
	void *p = calloc((size_t)n, size);

	if (p == NULL)
		err(1, NULL);
	return (p);
}

/* ---- where a page lies ---- */

static uint64_t
find_bit(const struct plainwalk *pw, uint64_t pfn)
{
	for (size_t i = 0; i < pw->set.dp_nsegs; i++) {
		const struct dump_seg *seg = &pw->segs[i];

		if (pfn < seg->ds_end)
			return (pfn >= seg->ds_start ? dump_seg_bit(seg, pfn) :
						       NO_BIT);
	}
	return (NO_BIT);
}

static bool
is_set(const uint64_t *bitmap, uint64_t bit)
{
	return ((bitmap[bit / 64] >> bit % 64 & 1) != 0);
}

/* Set bits from one bit on and before another. */
static uint64_t
count_bits(const uint64_t *bitmap, uint64_t from, uint64_t to)
{
	uint64_t count = 0;

	while (from < to) {
		uint64_t word = bitmap[from / 64] >> from % 64;
		uint64_t n = 64 - from % 64;

		if (n > to - from) {
			n = to - from;
			word &= (UINT64_C(1) << n) - 1;
		}
		count += (uint64_t)__builtin_popcountll(word);
		from += n;
	}
	return (count);
}

/* kp_offset of a page: -1 if it is not in the dump. */
static off_t
find_page(const struct plainwalk *pw, uint64_t bit)
{
	uint64_t block = bit / COUNT_PAGES, rank;

	if (bit == NO_BIT || !is_set(pw->bitmap, bit))
		return (-1);
	if (bit % COUNT_PAGES < COUNT_PAGES / 2)
		rank = pw->counts[block] +
		    count_bits(pw->bitmap, block * COUNT_PAGES, bit);
	else
		rank = pw->counts[block + 1] -
		    count_bits(pw->bitmap, bit, (block + 1) * COUNT_PAGES);
	return ((off_t)(pw->hdr.md_pages_off + rank * PAGE_LEN));
}

/* ---- the walk ---- */

struct walker {
	const struct plainwalk *pw;
	kvm_walk_pages_cb_t *cb;
	void *arg;
	uint64_t *seen;
};

static void
visit(struct walker *w, kvaddr_t va, uint64_t pa, vm_prot_t prot)
{
	uint64_t bit = find_bit(w->pw, pa / PAGE_LEN);
	struct kvm_page page = {
		.kp_version = LIBKVM_WALK_PAGES_VERSION,
		.kp_paddr = pa,
		.kp_kmap_vaddr = va,
		.kp_dmap_vaddr = w->pw->hdr.md_dmapbase + pa,
		.kp_prot = prot,
		.kp_offset = find_page(w->pw, bit),
		.kp_len = PAGE_LEN,
	};

	if (bit != NO_BIT) {
		if (is_set(w->seen, bit))
			return;
		w->seen[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	(void)w->cb(&page, w->arg);
}

static void
visit_table(struct walker *w, uint64_t pa, kvaddr_t va)
{
	off_t off = find_page(w->pw, find_bit(w->pw, pa / PAGE_LEN));

	for (uint64_t i = 0; off >= 0 && i < TABLE_PAGES; i++) {
		struct pte pte =
		    amd64_pte_decode(le64dec(w->pw->file + off + i * 8), 0);

		if (pte.pte_kind == PTE_PAGE)
			visit(w, va + i * PAGE_LEN, pte.pte_pa, pte.pte_prot);
	}
}

static void
visit_directory(struct walker *w)
{
	const struct minidump_hdr *hdr = &w->pw->hdr;
	const uint8_t *entries = w->pw->file + hdr->md_pmap_off;

	for (uint64_t i = 0; i < hdr->md_pmap_len / 8; i++) {
		kvaddr_t va = hdr->md_kernbase + (i << TABLE_SHIFT);
		struct pte pte = amd64_pte_decode(le64dec(entries + i * 8), 1);

		if (pte.pte_kind == PTE_TABLE)
			visit_table(w, pte.pte_pa, va);
		for (uint64_t k = 0;
		     pte.pte_kind == PTE_PAGE && k < TABLE_PAGES; k++)
			visit(w, va + k * PAGE_LEN, pte.pte_pa + k * PAGE_LEN,
			    pte.pte_prot);
	}
}

static void
visit_rest(struct walker *w)
{
	uint64_t pa;

	for (uint64_t bit = 0; bit < w->pw->nwords * 64; bit++)
		if (is_set(w->pw->bitmap, bit) && !is_set(w->seen, bit) &&
		    dumpset_pa(&w->pw->set, bit, &pa))
			visit(w, 0, pa, VM_PROT_READ | VM_PROT_WRITE);
}

void
plainwalk(const struct plainwalk *pw, kvm_walk_pages_cb_t *cb, void *arg)
{
	struct walker w = { .pw = pw,
		.cb = cb,
		.arg = arg,
		.seen = alloc(pw->nwords, sizeof(*w.seen)) };

	visit_directory(&w);
	visit_rest(&w);
	free(w.seen);
}

/* ---- opening ---- */

static void
read_bitmap(struct plainwalk *pw)
{
	const uint64_t len = pw->hdr.md_bitmap_len;
	uint64_t nblocks = (len * 8 + COUNT_PAGES - 1) / COUNT_PAGES;

	pw->nwords = nblocks * COUNT_WORDS;
	pw->bitmap = alloc(pw->nwords, sizeof(*pw->bitmap));
	for (uint64_t i = 0; i < len / 8; i++)
		pw->bitmap[i] = dumpset_word(ORDER_LITTLE,
		    pw->file + pw->hdr.md_bitmap_off + i * 8);
	pw->counts = alloc(nblocks + 1, sizeof(*pw->counts));
	for (uint64_t i = 0; i < nblocks; i++)
		pw->counts[i + 1] = pw->counts[i] +
		    (uint32_t)count_bits(pw->bitmap, i * COUNT_PAGES,
			(i + 1) * COUNT_PAGES);
}

struct plainwalk *
plainwalk_open(struct span file)
{
	struct plainwalk *pw = alloc(1, sizeof(*pw));
	struct span avail;
	const char *why;

	pw->file = file.base;
	if (!minidump_decode(file, ORDER_LITTLE, &pw->hdr, &why))
		errx(1, "%s", why);
	if (!span_sub(file, pw->hdr.md_dumpavail_off, pw->hdr.md_dumpavail_len,
		&avail))
		errx(1, "dump_avail lies outside of the file");
	pw->segs =
	    alloc(avail.len / DUMP_AVAIL_ENTRY_LEN + 1, sizeof(*pw->segs));
	if (!dumpset_decode(avail, ORDER_LITTLE, 12, pw->segs, &pw->set, &why))
		errx(1, "%s", why);
	read_bitmap(pw);
	return (pw);
}

void
plainwalk_close(struct plainwalk *pw)
{
	free(pw->counts);
	free(pw->bitmap);
	free(pw->segs);
	free(pw);
}
