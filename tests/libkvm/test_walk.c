/* Walking over memory. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/dumps.h"
#include "tests/support/peak.h"
#include "tests/support/unit.h"

static struct dumps minidump, full;

#define MAX_WALK 1000

struct walked {
	struct kvm_page page[MAX_WALK];
	size_t n;
	size_t stop_after;
};

static int
on_page(struct kvm_page *page, void *arg)
{
	struct walked *w = arg;

	assert_int_equal(page->kp_version, LIBKVM_WALK_PAGES_VERSION);
	assert_in_range(w->n, 0, MAX_WALK - 1);
	w->page[w->n++] = *page;
	return (w->n != w->stop_after);
}

/* The calls for the mappings of dumps.h, in order. */
static const struct walk_row {
	uint64_t pa, va;
	bool present;
	uint64_t len;
	vm_prot_t prot;
} walk_rows[] = {
	{ 0x1000, KVA(1), true, 4096, 3 },
	{ 0x3000, KVA(2), true, 4096, 3 },
	{ 0x2000, KVA(3), true, 4096, 1 },
	{ 0x4000, KVA(4), false, 4096, 3 },
	{ 0x7000, KVA(5), false, 4096, 3 },
	{ 0x5000, KVA(7), true, 8192, 5 },
	{ 0x12000, KVA(10), true, 4096, 3 },
	/* The large page, without those pages of it that came before. */
	{ 0x0000, SMALL_KERNBASE + 0x400000, false, 4096, 3 },
	{ 0x4000, SMALL_KERNBASE + 0x404000, false, 4096, 3 },
	{ 0x7000, SMALL_KERNBASE + 0x407000, false, 4096, 3 },
	{ 0x8000, SMALL_KERNBASE + 0x408000, true, 4096, 3 },
	{ 0x9000, SMALL_KERNBASE + 0x409000, false, 4096, 3 },
	{ 0xa000, SMALL_KERNBASE + 0x40a000, true, 4096, 3 },
	{ 0xb000, SMALL_KERNBASE + 0x40b000, false, 4096, 3 },
	{ 0xc000, SMALL_KERNBASE + 0x40c000, true, 4096, 3 },
};

static void
test_walk(void **state)
{
	static struct walked w;
	kvm_t *kd = dumps_open(&minidump);

	(void)state;
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	assert_in_range(w.n, NROWS(walk_rows), MAX_WALK);
	for (size_t i = 0; i < NROWS(walk_rows); i++) {
		const struct walk_row *row = &walk_rows[i];
		const struct kvm_page *page = &w.page[i];

		assert_true(page->kp_paddr == row->pa);
		assert_true(page->kp_kmap_vaddr == row->va);
		assert_true(page->kp_dmap_vaddr == SMALL_DMAPBASE + row->pa);
		assert_int_equal(page->kp_len, row->len);
		assert_int_equal(page->kp_prot, row->prot);
		assert_true(page->kp_offset ==
		    (row->present ?
			    (off_t)small_page_off(&minidump.machine, row->pa) :
			    -1));
	}
	(void)kvm_close(kd);
}

/*
 * Small pages in a row.  Behind the calls of a row comes one for the machine's
 * page tables, pages 27 to 31.
 */
#define RW	   (SMALL_V | SMALL_RW | SMALL_NX)
#define RX	   SMALL_V
#define MAX_MAPPED 4

static const struct run_row {
	const char *name;
	uint32_t memory, present; /* a bit for each page */
	struct {
		unsigned int va, pa; /* page numbers */
		uint64_t flags;
	} map[MAX_MAPPED];
	struct {
		unsigned int va, pa, npages; /* va 0: in the direct map only */
		bool present;
	} want[MAX_MAPPED];
} run_rows[] = {
	{ "one call", 0xfff, 0xfff, { { 1, 1, RW }, { 2, 2, RW } },
	    { { 1, 1, 2, true }, { 0, 0, 1, true }, { 0, 3, 9, true } } },
	{ "not in a row in memory", 0x1e, 0x1e,
	    { { 1, 1, RW }, { 2, 3, RW }, { 3, 2, RW }, { 4, 4, RW } },
	    { { 1, 1, 1, true }, { 2, 3, 1, true }, { 3, 2, 1, true },
		{ 4, 4, 1, true } } },
	{ "a hole between them", 0x6, 0x6, { { 1, 1, RW }, { 3, 2, RW } },
	    { { 1, 1, 1, true }, { 3, 2, 1, true } } },
	{ "other permissions", 0x6, 0x6, { { 1, 1, RW }, { 2, 2, RX } },
	    { { 1, 1, 1, true }, { 2, 2, 1, true } } },
	{ "one is not in the dump", 0xe, 0xa,
	    { { 1, 1, RW }, { 2, 2, RW }, { 3, 3, RW } },
	    { { 1, 1, 1, true }, { 2, 2, 1, false }, { 3, 3, 1, true } } },
	{ "none is in the dump", 0xe, 0, { { 1, 1, RW }, { 2, 2, RW } },
	    { { 1, 1, 2, false } } },
	{ "over a gap whose ends have bits in a row", 0x12, 0x12,
	    { { 1, 1, RW }, { 2, 2, RW }, { 3, 3, RW }, { 4, 4, RW } },
	    { { 1, 1, 1, true }, { 2, 2, 2, false }, { 4, 4, 1, true } } },
	{ "into a gap", 0x12, 0x12, { { 1, 1, RW }, { 2, 2, RW } },
	    { { 1, 1, 1, true }, { 2, 2, 1, false }, { 0, 4, 1, true } } },
	{ "one was met before", 0xe, 0xe,
	    { { 1, 2, RW }, { 2, 1, RW }, { 3, 2, RW }, { 4, 3, RW } },
	    { { 1, 2, 1, true }, { 2, 1, 1, true }, { 4, 3, 1, true } } },
	{ "in the direct map only", 0xee, 0xce, { { 0 } },
	    { { 0, 1, 3, true }, { 0, 6, 2, true } } },
};

static void
check_calls(const struct dumps *d, const struct walked *w,
    const struct run_row *row)
{
	size_t n = 0;

	for (; n < MAX_MAPPED && row->want[n].npages != 0; n++) {
		const struct kvm_page *page = &w->page[n];
		uint64_t pa = row->want[n].pa * UINT64_C(4096);
		unsigned int va = row->want[n].va;

		assert_in_range(n, 0, w->n - 1);
		assert_int_equal(page->kp_paddr, pa);
		assert_true(page->kp_kmap_vaddr == (va == 0 ? 0 : KVA(va)));
		assert_int_equal(page->kp_len, row->want[n].npages * 4096);
		assert_int_equal(page->kp_offset,
		    row->want[n].present ?
			(off_t)small_page_off(&d->machine, pa) :
			-1);
	}
	assert_int_equal(w->n, n + 1);
	assert_int_equal(w->page[n].kp_paddr, 27 * 4096);
	assert_int_equal(w->page[n].kp_len, 5 * 4096);
}

static void
test_walk_runs(void **state)
{
	const struct run_row *row = *state;
	static struct dumps d;
	static struct walked w;
	kvm_t *kd;

	dumps_init(&d);
	small_init(&d.machine, row->memory, row->present);
	small_map(&d.machine, KVA(0), 0);
	for (size_t i = 0; i < MAX_MAPPED && row->map[i].flags != 0; i++)
		small_map(&d.machine, KVA(row->map[i].va),
		    row->map[i].pa * UINT64_C(4096) | row->map[i].flags);
	dumps_write(&d);
	kd = dumps_open(&d);
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	check_calls(&d, &w, row);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/* Whatever maps it, each page of the dump is there once, with its bytes. */
static void
test_walk_complete(void **state)
{
	static struct walked w;
	kvm_t *kd = dumps_open(&minidump);
	uint32_t seen = 0;

	(void)state;
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	for (size_t i = 0; i < w.n; i++) {
		uint64_t pa = w.page[i].kp_paddr;
		off_t off = w.page[i].kp_offset;

		if (off < 0)
			continue;
		for (size_t k = 0; k < w.page[i].kp_len; k += SMALL_PAGE) {
			uint64_t n = (pa + k) / SMALL_PAGE;

			assert_in_range(n, 0, SMALL_NPAGES - 1);
			assert_int_equal(seen >> n & 1, 0);
			seen |= UINT32_C(1) << n;
			assert_memory_equal(minidump.bytes + off + k,
			    minidump.machine.mem[n], SMALL_PAGE);
		}
	}
	assert_int_equal(seen, minidump.machine.present);
	(void)kvm_close(kd);
}

/* Without the large page, some pages are in the direct map only. */
static void
test_walk_direct(void **state)
{
	static const struct {
		uint64_t pa;
		size_t npages;
	} want[] = { { 0x8000, 1 }, { 0xc000, 1 }, { 0x1a000, 6 } };
	static struct dumps d;
	static struct walked w;
	kvm_t *kd;
	size_t i = 0;

	(void)state;
	dumps_init(&d);
	small_map_directory(&d.machine, SMALL_KERNBASE + 0x400000, 0);
	dumps_write(&d);
	kd = dumps_open(&d);
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	while (i < w.n && w.page[i].kp_kmap_vaddr != 0)
		i++;
	assert_int_equal(w.n - i, NROWS(want));
	assert_true(w.page[i - 1].kp_kmap_vaddr == LAST_PAGE_VA);
	for (size_t k = 0; k < NROWS(want); k++) {
		const struct kvm_page *page = &w.page[i + k];

		assert_true(page->kp_paddr == want[k].pa);
		assert_true(page->kp_kmap_vaddr == 0);
		assert_true(page->kp_dmap_vaddr ==
		    SMALL_DMAPBASE + page->kp_paddr);
		assert_int_equal(page->kp_prot, VM_PROT_READ | VM_PROT_WRITE);
		assert_int_equal(page->kp_len, want[k].npages * 4096);
		assert_true(page->kp_offset ==
		    (off_t)small_page_off(&d.machine, page->kp_paddr));
	}
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/* A direct map that ends amid the pages of a call has an address for none. */
static void
test_walk_direct_end(void **state)
{
	static struct dumps d;
	static struct walked w;
	kvm_t *kd;
	bool seen_whole = false, seen_cut = false;

	(void)state;
	dumps_init(&d);
	dumps_write(&d);
	le64enc(d.bytes + 56, DVA(28));
	dumps_rewrite(&d);
	kd = dumps_open(&d);
	w.n = 0;
	w.stop_after = 0;
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	for (size_t i = 0; i < w.n; i++) {
		const struct kvm_page *page = &w.page[i];
		bool cut = page->kp_paddr + page->kp_len > 28 * SMALL_PAGE;

		assert_true(page->kp_dmap_vaddr ==
		    (cut ? 0 : SMALL_DMAPBASE + page->kp_paddr));
		if (cut)
			seen_cut = true;
		else
			seen_whole = true;
	}
	assert_true(seen_cut && seen_whole);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

static void
test_walk_stopped(void **state)
{
	static struct walked w;
	kvm_t *kd = dumps_open(&minidump);

	(void)state;
	for (size_t i = 1; i <= NROWS(walk_rows); i++) {
		w.n = 0;
		w.stop_after = i;
		assert_int_equal(kvm_walk_pages(kd, on_page, &w), 0);
		assert_int_equal(w.n, i);
		assert_string_equal(kvm_geterr(kd), "");
	}
	(void)kvm_close(kd);

	kd = dumps_open(&full);
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 0);
	assert_non_null(strstr(kvm_geterr(kd), "cannot be walked"));
	(void)kvm_close(kd);
}

/* ---- a directory that maps the same memory again and again ---- */

/* All that a directory has: its entries map from SMALL_KERNBASE on. */
#define NDIRECTORY 1024

static const struct bomb_row {
	const char *name;
	uint32_t present; /* a bit for each page of memory */
	bool is_large;
} bomb_rows[] = {
	{ "a table of missing pages", 0, false },
	{ "a large page, every other page of it missing", 0x5555555, true },
};

static int
count_call(struct kvm_page *page, void *arg)
{
	size_t *ncalls = arg;

	(void)page;
	++*ncalls;
	return (1);
}

/* Neighbours of the table map pages that are not neighbours. */
static void
make_bomb(struct dumps *d, const struct bomb_row *row)
{
	uint64_t entry = SMALL_V | SMALL_PS;

	dumps_init(d);
	small_init(&d->machine, UINT32_MAX, row->present);
	if (!row->is_large) {
		for (unsigned int i = 0; i < 512; i++)
			small_map(&d->machine, KVA(i),
			    (i * 7 % 20) * UINT64_C(4096) | SMALL_V);
		entry = d->machine.next_table + 1;
		entry = entry * SMALL_PAGE | SMALL_V;
	}
	for (uint64_t i = 0; i < NDIRECTORY; i++)
		small_map_directory(&d->machine, SMALL_KERNBASE + (i << 21),
		    entry);
	dumps_write(d);
}

/* The calls are bounded by the bytes of the dump. */
static void
test_walk_bomb(void **state)
{
	static struct dumps d;
	size_t ncalls = 0;
	kvm_t *kd;

	make_bomb(&d, *state);
	kd = dumps_open(&d);
	assert_int_equal(kvm_walk_pages(kd, count_call, &ncalls), 0);
	assert_non_null(strstr(kvm_geterr(kd), "too many mappings for"));
	assert_in_range(ncalls, 1, d.len / 4);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

/* ---- a directory that is a hole of the file ---- */

#define HOLE_LEN      UINT32_C(0x10000000) /* bytes */
#define HOLE_KERNBASE UINT64_C(0x8000000000000000)
#define HOLE_LAST_VA  (HOLE_KERNBASE + ((HOLE_LEN / 8 - UINT64_C(1)) << 21))

/* The machine's dump, with a directory of which only the last entry is there. */
static void
write_hole(struct dumps *d)
{
	const off_t end = SMALL_PMAP_OFF + (off_t)HOLE_LEN;
	const size_t len = d->len - SMALL_PAGES_OFF;
	uint8_t entry[8];
	int fd;

	le32enc(d->bytes + 36, HOLE_LEN);
	le64enc(d->bytes + 40, HOLE_KERNBASE);
	le64enc(entry, SMALL_V | SMALL_PS);
	dumps_rewrite(d);
	assert_true((fd = open(d->core, O_WRONLY)) >= 0);
	assert_int_equal(ftruncate(fd, SMALL_PMAP_OFF), 0);
	assert_int_equal(pwrite(fd, entry, 8, end - 8), 8);
	assert_int_equal(pwrite(fd, d->bytes + SMALL_PAGES_OFF, len, end), len);
	close(fd);
}

/* A walk does not touch the hole. */
static void
test_walk_hole(void **state)
{
	static struct dumps d;
	static struct walked w;
	long before = peak_memory();
	kvm_t *kd;

	(void)state;
	dumps_init(&d);
	dumps_write(&d);
	write_hole(&d);
	kd = dumps_open(&d);
	assert_int_equal(kvm_walk_pages(kd, on_page, &w), 1);
	assert_true(w.page[0].kp_kmap_vaddr == HOLE_LAST_VA);
	assert_true(w.page[1].kp_kmap_vaddr == HOLE_LAST_VA + SMALL_PAGE);
	assert_true(w.page[1].kp_offset == SMALL_PMAP_OFF + (off_t)HOLE_LEN);
	assert_in_range(peak_memory() - before, 0, PEAK_GROWTH_MAX);
	(void)kvm_close(kd);
	dumps_fini(&d);
}

static const struct CMUnitTest single_tests[] = {
	{ .name = "walk: calls in order", .test_func = test_walk },
	{ .name = "walk: each page once", .test_func = test_walk_complete },
	{ .name = "walk: pages in the direct map only",
	    .test_func = test_walk_direct },
	{ .name = "walk: pages at the direct map's end",
	    .test_func = test_walk_direct_end },
	{ .name = "walk: a directory in a hole", .test_func = test_walk_hole },
	{ .name = "walk: stopped", .test_func = test_walk_stopped },
};

int
main(void)
{
	struct CMUnitTest
	    tests[NROWS(single_tests) + NROWS(run_rows) + NROWS(bomb_rows)];
	size_t n = NROWS(single_tests);
	int failed;

	memcpy(tests, single_tests, sizeof(single_tests));
	for (size_t i = 0; i < NROWS(run_rows); i++)
		add_as(tests, &n, "walk: pages in a row", run_rows[i].name,
		    test_walk_runs, &run_rows[i]);
	for (size_t i = 0; i < NROWS(bomb_rows); i++)
		add_as(tests, &n, "walk: again and again", bomb_rows[i].name,
		    test_walk_bomb, &bomb_rows[i]);
	dumps_init(&minidump);
	dumps_write(&minidump);
	dumps_init(&full);
	dumps_write_full(&full);
	failed = RUN_TESTS(tests, n);
	dumps_fini(&minidump);
	dumps_fini(&full);
	return (failed);
}
