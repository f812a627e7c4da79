/*
 * Hot pages must have the places of a model, which counts bits one by one, and
 * nothing else may be hot.
 */
#include "libkvm/hotpages.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define PAGE_LEN   UINT64_C(4096)
#define PAGES_OFF  UINT64_C(8192)
#define BITMAP_OFF UINT64_C(4096)
#define BITMAP_LEN 256
#define DMAP_VA	   UINT64_C(0xfffff80000000000)

#define MAXSEGS 3

static const struct direct_row {
	const char *name;
	struct dump_seg segs[MAXSEGS]; /* without bits */
	size_t nsegs;
	uint64_t dmap_pa, dmap_len;
	uint64_t nmissing; /* pages, at the end of the file */
	bool none_hot;
} direct_rows[] = {
	{ "one segment", { { 0, 256, 0 } }, 1, 0, 256 * PAGE_LEN, 0, false },
	{ "segments that start and end inside of groups",
	    { { 0, 159, 0 }, { 260, 700, 0 }, { 703, 1000, 0 } }, 3, 0,
	    1024 * PAGE_LEN, 0, false },
	{ "memory and its map start elsewhere",
	    { { 0x80010, 0x80200, 0 }, { 0x80203, 0x80400, 0 } }, 2, 0x80010000,
	    0x400 * PAGE_LEN, 0, false },
	{ "a map that ends inside of a group", { { 0, 256, 0 } }, 1, 0,
	    200 * PAGE_LEN, 0, false },
	{ "a map that is longer than memory", { { 0, 256, 0 } }, 1, 0,
	    UINT64_C(1) << 42, 0, false },
	{ "memory without bits", { { 0, 4096, 0 } }, 1, 0, 4096 * PAGE_LEN, 0,
	    false },
	{ "a file without its last pages", { { 0, 512, 0 } }, 1, 0,
	    512 * PAGE_LEN, 880, false },
	{ "no map", { { 0, 256, 0 } }, 1, 0, 0, 0, true },
	{ "a map of other memory", { { 0, 256, 0 } }, 1, 0x40000000,
	    256 * PAGE_LEN, 0, true },
	{ "a map that is not of whole pages", { { 0, 256, 0 } }, 1, 8,
	    256 * PAGE_LEN, 0, true },
	{ "more memory than is made hot", { { 0, UINT64_C(1) << 31, 0 } }, 1, 0,
	    UINT64_C(1) << 43, 0, true },
};

/* ---- a dump ---- */

struct dump {
	uint8_t file[PAGES_OFF];
	uint64_t npages; /* in the bitmap */
	uint64_t len;
	struct image *im;
	struct pageindex *pi;
	struct minidump_hdr hdr;
	struct hotpages hp;
};

static struct dump dump; /* too large for a stack */

static bool
is_set(uint64_t bit)
{
	return (bit < BITMAP_LEN * 8 &&
	    (dump.file[BITMAP_OFF + bit / 8] >> bit % 8 & 1) != 0);
}

/* Two pages of three are there, in a row of 64 sometimes none. */
static void
make_bitmap(void)
{
	memset(&dump, 0, sizeof(dump));
	for (uint64_t bit = 0; bit < BITMAP_LEN * 8; bit++) {
		if (bit * 7 % 3 == 0 || bit / 64 % 5 == 4)
			continue;
		dump.file[BITMAP_OFF + bit / 8] |= (uint8_t)(1 << bit % 8);
		dump.npages++;
	}
}

static void
open_dump(const struct direct_row *row)
{
	struct pageindex_desc desc = {
		.order = ORDER_LITTLE,
		.bitmap_off = BITMAP_OFF,
		.bitmap_len = BITMAP_LEN,
		.pages_off = PAGES_OFF,
	};
	int fd;

	make_bitmap();
	desc.segs = calloc(MAXSEGS, sizeof(*desc.segs));
	assert_non_null(desc.segs);
	desc.set = (struct dumpset){ .set_segs = desc.segs,
		.set_nsegs = row->nsegs,
		.set_page_shift = 12 };
	for (size_t i = 0; i < row->nsegs; i++) {
		desc.segs[i] = row->segs[i];
		desc.segs[i].seg_bit = desc.set.set_nbits;
		desc.set.set_nbits +=
		    row->segs[i].seg_end - row->segs[i].seg_start;
	}
	dump.len = PAGES_OFF + (dump.npages - row->nmissing) * PAGE_LEN;
	fd = temp_file(dump.file, sizeof(dump.file));
	assert_int_equal(ftruncate(fd, (off_t)dump.len), 0);
	assert_int_equal(image_create(fd, IMAGE_MAPPED, &dump.im), 0);
	assert_non_null(dump.pi = pageindex_create(dump.im, &desc));
	dump.hdr = (struct minidump_hdr){ .md_dmapbase = DMAP_VA,
		.md_dmapend = DMAP_VA + row->dmap_len,
		.md_dmapphys = row->dmap_pa };
	hotpages_allow(&dump.hp, dump.pi, &dump.hdr);
}

static void
close_dump(void)
{
	hotpages_fini(&dump.hp);
	pageindex_destroy(dump.pi);
	image_destroy(dump.im);
}

/* ---- the direct map ---- */

/* The bit of a page, if 64 pages around it are of one segment; or -1. */
static int64_t
model_bit(const struct direct_row *row, uint64_t first, uint64_t pfn)
{
	uint64_t bit = 0;

	for (size_t i = 0; i < row->nsegs; i++) {
		const struct dump_seg *seg = &row->segs[i];

		if (first >= seg->seg_start && first + 64 <= seg->seg_end)
			return ((int64_t)(bit + pfn - seg->seg_start));
		bit += seg->seg_end - seg->seg_start;
	}
	return (-1);
}

static uint64_t
model_off(uint64_t bit)
{
	uint64_t off = PAGES_OFF;

	for (uint64_t i = 0; i < bit; i++)
		off += is_set(i) ? PAGE_LEN : 0;
	return (off);
}

/* Where the page is that the n'th of the direct map is, if it can be hot. */
static const uint8_t *
model_find(const struct direct_row *row, uint64_t n)
{
	uint64_t base = row->dmap_pa / PAGE_LEN;
	uint64_t first = n / 64 * 64;
	int64_t bit = model_bit(row, base + first, base + n);
	uint64_t last; /* bit of the last of the 64 pages */

	if (row->none_hot || (first + 64) * PAGE_LEN > row->dmap_len || bit < 0)
		return (NULL);
	last = (uint64_t)bit - n % 64 + 63;
	if (last >= BITMAP_LEN * 8 || model_off(last + 1) > dump.len ||
	    !is_set((uint64_t)bit))
		return (NULL);
	return (dump.im->im_base + model_off((uint64_t)bit));
}

static void
test_direct(void **state)
{
	const struct direct_row *row = *state;
	uint64_t nhot = 0;

	open_dump(row);
	for (size_t i = 0; i < HOT_OFTEN; i++)
		assert_null(hot_find(&dump.hp, DMAP_VA));
	for (size_t i = 0; i < 1000; i++)
		hotpages_use_direct(&dump.hp);
	for (uint64_t n = 0; n < 4200; n++) {
		const uint8_t *want = model_find(row, n);
		kvaddr_t va = DMAP_VA + n * PAGE_LEN;

		if (hot_find(&dump.hp, va) != want)
			fail_msg("page %ju of the direct map", (uintmax_t)n);
		if (want != NULL)
			assert_ptr_equal(hot_find(&dump.hp, va + 4095),
			    want + 4095);
		nhot += want != NULL;
	}
	assert_null(hot_find(&dump.hp, DMAP_VA - 1));
	assert_true(row->none_hot ? nhot == 0 : nhot > 64);
	close_dump();
}

/*
 * A part of the bitmap is gone when it is looked into: nothing can be said of
 * the rest.
 */
static void
test_direct_cut(void **state)
{
	(void)state;
	open_dump(&direct_rows[0]);
	assert_int_equal(ftruncate(dump.im->im_fd, BITMAP_OFF + 10), 0);
	for (size_t i = 0; i < 1000; i++)
		hotpages_use_direct(&dump.hp);
	assert_null(dump.im->im_base);
	assert_null(hot_find(&dump.hp, DMAP_VA + PAGE_LEN));
	close_dump();
}

/* The file was cut before, and is no longer read through its mapping. */
static void
test_direct_unmapped(void **state)
{
	const uint64_t len = PAGES_OFF + 60 * PAGE_LEN + 100;

	(void)state;
	open_dump(&direct_rows[0]);
	assert_int_equal(ftruncate(dump.im->im_fd, (off_t)len), 0);
	assert_false(image_settle(dump.im, len + 8));
	for (size_t i = 0; i < 1000; i++)
		hotpages_use_direct(&dump.hp);
	assert_null(hot_find(&dump.hp, DMAP_VA + PAGE_LEN));
	close_dump();
}

/* ---- spans ---- */

#define SPAN	UINT64_C(0x7ffffc00000)
#define SPAN_VA (SPAN << HOT_SPAN_SHIFT)

/* The page with bit 1 is in the file, and so on; the last one is not. */
static const struct span_row {
	const char *name;
	kpaddr_t pa;
	int64_t bit; /* -1: not hot */
} span_rows[] = {
	{ "a page", 1 * PAGE_LEN, 1 },
	{ "another one", 70 * PAGE_LEN, 70 },
	{ "not mapped", HOT_NO_PA, -1 },
	{ "a page that is not in the dump", 3 * PAGE_LEN, -1 },
	{ "no memory", 300 * PAGE_LEN, -1 },
	{ "a page past the end of the file", 250 * PAGE_LEN, -1 },
	{ "the first again", 1 * PAGE_LEN, 1 },
};

static const struct direct_row short_row = { .segs = { { 0, 256, 0 } },
	.nsegs = 1,
	.nmissing = 959 };

static void
list_span(kpaddr_t pa[HOT_SPAN_PAGES])
{
	for (size_t i = 0; i < HOT_SPAN_PAGES; i++)
		pa[i] = span_rows[i % NROWS(span_rows)].pa;
}

static void
test_span(void **state)
{
	kpaddr_t pa[HOT_SPAN_PAGES];

	(void)state;
	open_dump(&short_row);
	list_span(pa);
	hotpages_add_span(&dump.hp, SPAN, pa, 0);
	for (size_t i = 0; i < HOT_SPAN_PAGES; i++) {
		const struct span_row *row = &span_rows[i % NROWS(span_rows)];
		const uint8_t *p =
		    hot_find(&dump.hp, SPAN_VA + i * PAGE_LEN + 8);

		if (row->bit < 0 && p != NULL)
			fail_msg("%s: is hot", row->name);
		if (row->bit >= 0 &&
		    p != dump.im->im_base + model_off((uint64_t)row->bit) + 8)
			fail_msg("%s: lies elsewhere", row->name);
	}
	assert_null(hot_find(&dump.hp, SPAN_VA - 8));
	assert_null(hot_find(&dump.hp, SPAN_VA + HOT_SPAN_PAGES * PAGE_LEN));
	close_dump();
}

/* Another span in the same slot, and none at all. */
static void
test_span_goes(void **state)
{
	kpaddr_t pa[HOT_SPAN_PAGES];

	(void)state;
	open_dump(&short_row);
	list_span(pa);
	hotpages_add_span(&dump.hp, SPAN, pa, 0);
	hotpages_add_span(&dump.hp, SPAN - HOT_NSPANS, pa, 0);
	assert_null(hot_find(&dump.hp, SPAN_VA));
	assert_non_null(hot_find(&dump.hp,
	    SPAN_VA - ((uint64_t)HOT_NSPANS << HOT_SPAN_SHIFT)));
	hotpages_forget_spans(&dump.hp);
	assert_null(hot_find(&dump.hp,
	    SPAN_VA - ((uint64_t)HOT_NSPANS << HOT_SPAN_SHIFT)));
	close_dump();
}

/* The tables that led to the pages were cut. */
static void
test_span_cut(void **state)
{
	kpaddr_t pa[HOT_SPAN_PAGES];

	(void)state;
	open_dump(&short_row);
	list_span(pa);
	assert_int_equal(ftruncate(dump.im->im_fd, PAGES_OFF + 100), 0);
	hotpages_add_span(&dump.hp, SPAN, pa, PAGES_OFF + 108);
	assert_null(hot_find(&dump.hp, SPAN_VA));
	close_dump();
}

int
main(void)
{
	struct CMUnitTest tests[5 + NROWS(direct_rows)] = {
		cmocka_unit_test(test_direct_cut),
		cmocka_unit_test(test_direct_unmapped),
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_span_goes),
		cmocka_unit_test(test_span_cut),
	};

	for (size_t i = 0; i < NROWS(direct_rows); i++)
		tests[5 + i] = (struct CMUnitTest){ .name = direct_rows[i].name,
			.test_func = test_direct,
			.initial_state = (void *)(uintptr_t)&direct_rows[i] };
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
