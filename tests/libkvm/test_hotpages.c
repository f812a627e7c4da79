/*
 * What is hot must lie where a model says, which counts bits one by one, and
 * nothing else may be hot.
 */
#include "libkvm/hotpages.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/format/unit.h"
#include "tests/libkvm/temp.h"

#define PAGE_LEN   UINT64_C(4096)
#define PAGES_OFF  UINT64_C(8192)
#define BITMAP_OFF UINT64_C(4096)
#define BITMAP_LEN 256

#define NPAGES 256 /* of the machine */

/* ---- a dump ---- */

struct dump {
	uint8_t file[PAGES_OFF];
	uint64_t npages; /* in the bitmap */
	uint64_t len;
	struct image *im;
	struct pageindex *pi;
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
open_dump(uint64_t nmissing)
{
	struct pageindex_desc desc = {
		.order = ORDER_LITTLE,
		.bitmap_off = BITMAP_OFF,
		.bitmap_len = BITMAP_LEN,
		.pages_off = PAGES_OFF,
	};
	int fd;

	make_bitmap();
	desc.segs = calloc(1, sizeof(*desc.segs));
	assert_non_null(desc.segs);
	desc.set = dumpset_dense(NPAGES, 12, desc.segs);
	dump.len = PAGES_OFF + (dump.npages - nmissing) * PAGE_LEN;
	fd = temp_file(dump.file, sizeof(dump.file));
	assert_int_equal(ftruncate(fd, (off_t)dump.len), 0);
	assert_int_equal(image_create(fd, IMAGE_MAPPED, &dump.im), 0);
	assert_non_null(dump.pi = pageindex_create(dump.im, &desc));
	hotpages_allow(&dump.hp, dump.pi);
}

static void
close_dump(void)
{
	hotpages_fini(&dump.hp);
	pageindex_destroy(dump.pi);
	image_destroy(dump.im);
}

/* ---- spans ---- */

static uint64_t
model_off(uint64_t bit)
{
	uint64_t off = PAGES_OFF;

	for (uint64_t i = 0; i < bit; i++)
		off += is_set(i) ? PAGE_LEN : 0;
	return (off);
}

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

/* Of the dump's pages, so that the last are of the bits up to about 225. */
#define NMISSING 959

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
	open_dump(NMISSING);
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
	open_dump(NMISSING);
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
	open_dump(NMISSING);
	list_span(pa);
	assert_int_equal(ftruncate(dump.im->im_fd, PAGES_OFF + 100), 0);
	hotpages_add_span(&dump.hp, SPAN, pa, PAGES_OFF + 108);
	assert_null(hot_find(&dump.hp, SPAN_VA));
	close_dump();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span),
		cmocka_unit_test(test_span_goes),
		cmocka_unit_test(test_span_cut),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
