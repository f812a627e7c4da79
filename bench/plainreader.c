/*
 * The reader that libkvm is compared with: see plainreader.h.
 */
#include "bench/plainreader.h"

#include <sys/mman.h>

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

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

struct plainreader {
	int fd;
	struct minidump_hdr hdr;
	struct dump_seg *segs;
	struct dumpset set;
	uint64_t *bitmap;
	uint64_t nwords; /* a multiple of COUNT_WORDS */
	uint32_t *counts;
	uint8_t *directory; /* the page-table section */
	uint8_t *pages;	    /* mapped */
	size_t pages_len;
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
find_bit(const struct plainreader *pr, uint64_t pfn)
{
	for (size_t i = 0; i < pr->set.set_nsegs; i++) {
		const struct dump_seg *seg = &pr->segs[i];

		if (pfn < seg->seg_end)
			return (pfn >= seg->seg_start ? dump_seg_bit(seg, pfn) :
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

/* Bytes into the file; -1: not in the dump. */
static off_t
find_page(const struct plainreader *pr, uint64_t bit)
{
	uint64_t block = bit / COUNT_PAGES, rank;

	if (bit == NO_BIT || !is_set(pr->bitmap, bit))
		return (-1);
	if (bit % COUNT_PAGES < COUNT_PAGES / 2)
		rank = pr->counts[block] +
		    count_bits(pr->bitmap, block * COUNT_PAGES, bit);
	else
		rank = pr->counts[block + 1] -
		    count_bits(pr->bitmap, bit, (block + 1) * COUNT_PAGES);
	return ((off_t)(pr->hdr.md_pages_off + rank * PAGE_LEN));
}

static off_t
page_off(const struct plainreader *pr, uint64_t pa)
{
	return (find_page(pr, find_bit(pr, pa / PAGE_LEN)));
}

/* ---- a read ---- */

/* The page that an address is mapped to. */
static uint64_t
translate(const struct plainreader *pr, kvaddr_t va)
{
	uint64_t at = va - pr->hdr.md_kernbase;
	uint64_t i = at >> TABLE_SHIFT;
	uint8_t table[PAGE_LEN];
	struct pte pte;

	if (i >= pr->hdr.md_pmap_len / 8)
		errx(1, "%#jx: not in the kernel map", (uintmax_t)va);
	pte = amd64_pte_decode(le64dec(pr->directory + i * 8), 1);
	if (pte.pte_kind == PTE_TABLE) {
		off_t off = page_off(pr, pte.pte_pa);

		if (off < 0 ||
		    pread(pr->fd, table, sizeof(table), off) != sizeof(table))
			errx(1, "%#jx: no page table", (uintmax_t)va);
		i = at / PAGE_LEN % TABLE_PAGES;
		pte = amd64_pte_decode(le64dec(table + i * 8), 0);
	}
	if (pte.pte_kind != PTE_PAGE)
		errx(1, "%#jx: not mapped", (uintmax_t)va);
	return (pte.pte_pa + (va & ((UINT64_C(1) << pte.pte_shift) - 1)));
}

void
plain_read(const struct plainreader *pr, kvaddr_t va, void *buf, size_t len)
{
	uint64_t pa = translate(pr, va);
	off_t off = page_off(pr, pa);

	if (off < 0 ||
	    pread(pr->fd, buf, len, off + (off_t)(pa % PAGE_LEN)) !=
		(ssize_t)len)
		errx(1, "%#jx: not in the dump", (uintmax_t)va);
}

/* ---- the walk ---- */

struct walker {
	const struct plainreader *pr;
	kvm_walk_pages_cb_t *cb;
	void *arg;
	uint64_t *seen;
};

static void
visit(struct walker *w, kvaddr_t va, uint64_t pa, vm_prot_t prot)
{
	/* Looked for here, and once more for its place: that is their way. */
	uint64_t bit = find_bit(w->pr, pa / PAGE_LEN);
	struct kvm_page page = {
		.kp_version = LIBKVM_WALK_PAGES_VERSION,
		.kp_paddr = pa,
		.kp_kmap_vaddr = va,
		.kp_dmap_vaddr = w->pr->hdr.md_dmapbase + pa,
		.kp_prot = prot,
		.kp_len = PAGE_LEN,
	};

	if (bit != NO_BIT) {
		if (is_set(w->seen, bit))
			return;
		w->seen[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	page.kp_offset = page_off(w->pr, pa);
	(void)w->cb(&page, w->arg);
}

static void
visit_table(struct walker *w, uint64_t pa, kvaddr_t va)
{
	const struct plainreader *pr = w->pr;
	off_t off = page_off(pr, pa);
	const uint8_t *table = pr->pages + (off - (off_t)pr->hdr.md_pages_off);

	for (uint64_t i = 0; off >= 0 && i < TABLE_PAGES; i++) {
		struct pte pte = amd64_pte_decode(le64dec(table + i * 8), 0);

		if (pte.pte_kind == PTE_PAGE)
			visit(w, va + i * PAGE_LEN, pte.pte_pa, pte.pte_prot);
	}
}

static void
visit_directory(struct walker *w)
{
	const struct minidump_hdr *hdr = &w->pr->hdr;
	const uint8_t *entries = w->pr->directory;

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

	for (uint64_t bit = 0; bit < w->pr->nwords * 64; bit++)
		if (is_set(w->pr->bitmap, bit) && !is_set(w->seen, bit) &&
		    dumpset_pa(&w->pr->set, bit, &pa))
			visit(w, 0, pa, VM_PROT_READ | VM_PROT_WRITE);
}

void
plain_walk(const struct plainreader *pr, kvm_walk_pages_cb_t *cb, void *arg)
{
	struct walker w = { .pr = pr,
		.cb = cb,
		.arg = arg,
		.seen = alloc(pr->nwords, sizeof(*w.seen)) };

	visit_directory(&w);
	visit_rest(&w);
	free(w.seen);
}

/* ---- opening ---- */

static uint8_t *
read_section(const struct plainreader *pr, uint64_t off, size_t len)
{
	uint8_t *section = alloc(len, 1);

	if (pread(pr->fd, section, len, (off_t)off) != (ssize_t)len)
		err(1, "section at %#jx", (uintmax_t)off);
	return (section);
}

static void
read_header(struct plainreader *pr)
{
	uint8_t *page = read_section(pr, 0, MINIDUMP_HDR_LEN);
	const char *why;

	if (!minidump_decode((struct span){ page, MINIDUMP_HDR_LEN },
		ORDER_LITTLE, &pr->hdr, &why))
		errx(1, "%s", why);
	free(page);
}

static void
read_segments(struct plainreader *pr)
{
	size_t len = pr->hdr.md_dumpavail_len;
	uint8_t *section = read_section(pr, pr->hdr.md_dumpavail_off, len);
	const char *why;

	pr->segs = alloc(len / DUMP_AVAIL_ENTRY_LEN + 1, sizeof(*pr->segs));
	if (!dumpset_decode((struct span){ section, len }, ORDER_LITTLE, 12,
		pr->segs, &pr->set, &why))
		errx(1, "%s", why);
	free(section);
}

static void
read_bitmap(struct plainreader *pr)
{
	size_t len = pr->hdr.md_bitmap_len;
	uint8_t *section = read_section(pr, pr->hdr.md_bitmap_off, len);
	uint64_t nblocks = (len * 8 + COUNT_PAGES - 1) / COUNT_PAGES;

	pr->nwords = nblocks * COUNT_WORDS;
	pr->bitmap = alloc(pr->nwords, sizeof(*pr->bitmap));
	for (size_t i = 0; i < len / 8; i++)
		pr->bitmap[i] = dumpset_word(ORDER_LITTLE, section + i * 8);
	pr->counts = alloc(nblocks + 1, sizeof(*pr->counts));
	for (uint64_t i = 0; i < nblocks; i++)
		pr->counts[i + 1] = pr->counts[i] +
		    (uint32_t)count_bits(pr->bitmap, i * COUNT_PAGES,
			(i + 1) * COUNT_PAGES);
	pr->pages_len = (size_t)pr->counts[nblocks] * PAGE_LEN;
	free(section);
}

struct plainreader *
plain_open(const char *core)
{
	struct plainreader *pr = alloc(1, sizeof(*pr));

	if ((pr->fd = open(core, O_RDONLY)) < 0)
		err(1, "%s", core);
	read_header(pr);
	read_segments(pr);
	read_bitmap(pr);
	pr->directory =
	    read_section(pr, pr->hdr.md_pmap_off, pr->hdr.md_pmap_len);
	pr->pages = mmap(NULL, pr->pages_len, PROT_READ, MAP_PRIVATE, pr->fd,
	    (off_t)pr->hdr.md_pages_off);
	if (pr->pages == MAP_FAILED)
		err(1, "%s", core);
	return (pr);
}

void
plain_close(struct plainreader *pr)
{
	(void)munmap(pr->pages, pr->pages_len);
	(void)close(pr->fd);
	free(pr->directory);
	free(pr->counts);
	free(pr->bitmap);
	free(pr->segs);
	free(pr);
}
