/* Which page a bit stands for, and which bit a page has. */
#include "format/dumpset.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

#define MAXSEGS 8

/* dump_avail of two real dumps: pairs of 64-bit addresses, then zeros. */
/* clang-format off */
static const char amd64_avail[] =
	"0000000000000000 00f0090000000000 "	/* 0 - 0x9f000 */
	"0040100000000000 00f0fd0700000000";	/* 0x104000 - 0x7fdf000 */
static const char arm64_avail[] =
	"0000004000000000 0000ca4b00000000 "
	"0000d04b00000000 0000dc4b00000000 "
	"0000e44b00000000 0000fb4b00000000 "
	"0000004c00000000 0000024c00000000 "
	"0000044c00000000 00000f4c00000000 "
	"00001e4c00000000 00004c4f00000000 "
	"0000554f00000000 0000005000000000";
/* clang-format on */

struct decoded {
	uint8_t bytes[128];
	struct dump_seg segs[MAXSEGS];
	struct dumpset set;
};

static bool
decode(struct decoded *d, const char *text, enum byte_order order,
    const char **why)
{
	struct span section = { .base = d->bytes, .len = sizeof(d->bytes) };

	hex_decode(text, d->bytes, sizeof(d->bytes));
	return (dumpset_decode(section, order, 12, d->segs, &d->set, why));
}

/* A page, and the bit that it has; NOBIT: it has none. */
#define NOBIT UINT64_MAX

static const struct page_row {
	const char *name;
	const char *avail;
	uint64_t pa, bit;
} page_rows[] = {
	{ "amd64: the first page", amd64_avail, 0, 0 },
	{ "amd64: last of the first segment", amd64_avail, 0x9e000, 158 },
	{ "amd64: past the first segment", amd64_avail, 0x9f000, NOBIT },
	{ "amd64: before the second segment", amd64_avail, 0x103000, NOBIT },
	{ "amd64: first of the second segment", amd64_avail, 0x104000, 159 },
	{ "amd64: the last page", amd64_avail, 0x7fde000, 32633 },
	{ "amd64: past everything", amd64_avail, 0x7fdf000, NOBIT },
	{ "arm64: before everything", arm64_avail, 0x3ffff000, NOBIT },
	{ "arm64: the first page", arm64_avail, 0x40000000, 0 },
	{ "arm64: the page whose bit a gap must not get", arm64_avail,
	    0x4bc90000, 48272 },
	{ "arm64: in a gap, where others see a page", arm64_avail, 0x4bcf0000,
	    NOBIT },
	{ "arm64: the last page", arm64_avail, 0x4ffff000, 64815 },
};

static void
test_page(void **state)
{
	const struct page_row *row = *state;
	uint64_t pfn = row->pa >> 12;
	const struct dump_seg *seg;
	const char *why = NULL;
	struct decoded d;
	uint64_t pa;

	assert_true(decode(&d, row->avail, ORDER_LITTLE, &why));
	seg = dumpset_find(&d.set, pfn);
	if (row->bit == NOBIT) {
		assert_null(seg);
		return;
	}
	assert_non_null(seg);
	assert_int_equal(seg->seg_bit + (pfn - seg->seg_start), row->bit);
	assert_true(dumpset_pa(&d.set, row->bit, &pa));
	assert_int_equal(pa, row->pa);
}

static void
test_counts(void **state)
{
	const char *why = NULL;
	struct decoded d;
	uint64_t pa = 77;

	(void)state;
	assert_true(decode(&d, amd64_avail, ORDER_LITTLE, &why));
	assert_int_equal(d.set.set_nsegs, 2);
	assert_int_equal(d.set.set_nbits, 32634);
	assert_false(dumpset_pa(&d.set, 32634, &pa));
	assert_false(dumpset_pa(&d.set, UINT64_MAX, &pa));
	assert_int_equal(pa, 77);
	assert_true(decode(&d, arm64_avail, ORDER_LITTLE, &why));
	assert_int_equal(d.set.set_nsegs, 7);
	assert_int_equal(d.set.set_nbits, 64816);
}

/* Every bit has a page, and that page has this bit. */
static void
test_inverse(void **state)
{
	const char *why = NULL;
	struct decoded d;

	(void)state;
	assert_true(decode(&d, arm64_avail, ORDER_LITTLE, &why));
	for (uint64_t bit = 0; bit < d.set.set_nbits; bit++) {
		const struct dump_seg *seg;
		uint64_t pa;

		assert_true(dumpset_pa(&d.set, bit, &pa));
		seg = dumpset_find(&d.set, pa >> 12);
		assert_non_null(seg);
		assert_int_equal(seg->seg_bit + (pa >> 12) - seg->seg_start,
		    bit);
	}
}

static void
test_unaligned(void **state)
{
	const char *why = NULL;
	struct decoded d;

	(void)state;
	/* 0x1800 - 0x3001 touches the pages 1, 2 and 3. */
	assert_true(decode(&d, "0018000000000000 0130000000000000",
	    ORDER_LITTLE, &why));
	assert_int_equal(d.set.set_nbits, 3);
	assert_int_equal(d.segs[0].seg_start, 1);
	assert_null(dumpset_find(&d.set, 4));
}

/*
 * Bits 0 and 1 are the pages 1 and 2, bit 2 is page 2 again, bit 3 page 3; bit
 * 4 is page 3 again, of a segment that has no page to itself.
 */
static void
test_shared(void **state)
{
	static const uint64_t pages[] = { 1, 2, NOBIT, 3, NOBIT };
	const char *why = NULL;
	struct decoded d;

	(void)state;
	assert_true(decode(&d,
	    "0010000000000000 0028000000000000 "
	    "0028000000000000 0034000000000000 "
	    "0034000000000000 0038000000000000",
	    ORDER_LITTLE, &why));
	assert_int_equal(d.set.set_nbits, NROWS(pages));
	for (size_t bit = 0; bit < NROWS(pages); bit++) {
		const struct dump_seg *seg;
		uint64_t pa = 77;

		assert_int_equal(dumpset_pa(&d.set, bit, &pa),
		    pages[bit] != NOBIT);
		if (pages[bit] == NOBIT)
			continue;
		assert_int_equal(pa, pages[bit] << 12);
		seg = dumpset_find(&d.set, pages[bit]);
		assert_non_null(seg);
		assert_int_equal(seg->seg_bit + pages[bit] - seg->seg_start,
		    bit);
	}
	for (size_t i = 1; i < d.set.set_nsegs; i++)
		assert_true(d.segs[i].seg_start >= d.segs[i - 1].seg_end);
}

static void
test_big_endian(void **state)
{
	const char *why = NULL;
	struct decoded d;

	(void)state;
	assert_true(decode(&d, "0000000080000000 0000000080004000", ORDER_BIG,
	    &why));
	assert_int_equal(d.set.set_nbits, 4);
	assert_int_equal(d.segs[0].seg_start, 0x80000);
}

/* A section that is full has no end mark. */
static void
test_full_section(void **state)
{
	struct dump_seg segs[1];
	uint8_t bytes[16];
	struct dumpset set;
	const char *why = NULL;

	(void)state;
	hex_decode("0000000000000000 0020000000000000", bytes, sizeof(bytes));
	assert_true(dumpset_decode((struct span){ bytes, sizeof(bytes) },
	    ORDER_LITTLE, 12, segs, &set, &why));
	assert_int_equal(set.set_nbits, 2);
}

static void
test_encode(void **state)
{
	const char *why = NULL;
	uint8_t got[128];
	struct decoded d;

	(void)state;
	assert_true(decode(&d, arm64_avail, ORDER_LITTLE, &why));
	memset(got, 0xff, sizeof(got));
	assert_true(dumpset_encode(&d.set, ORDER_LITTLE, got, sizeof(got)));
	assert_memory_equal(got, d.bytes, sizeof(got));
	/* Seven segments and the end mark. */
	assert_false(dumpset_encode(&d.set, ORDER_LITTLE, got, 127));
	assert_true(decode(&d, "0000000080000000 0000000080004000", ORDER_BIG,
	    &why));
	assert_true(dumpset_encode(&d.set, ORDER_BIG, got, sizeof(got)));
	assert_memory_equal(got, d.bytes, sizeof(got));
}

static void
test_dense(void **state)
{
	struct dump_seg seg;
	struct dumpset set = dumpset_dense(64, 12, &seg);
	uint64_t pa;

	(void)state;
	assert_ptr_equal(dumpset_find(&set, 0), &seg);
	assert_ptr_equal(dumpset_find(&set, 63), &seg);
	assert_null(dumpset_find(&set, 64));
	assert_true(dumpset_pa(&set, 63, &pa));
	assert_int_equal(pa, 63 << 12);
}

/* Bit n of a bitmap is bit n of the words, whatever their byte order. */
static void
test_word(void **state)
{
	static const uint8_t bits_0_and_33_little[8] = { 1, 0, 0, 0, 2 };
	static const uint8_t bits_0_and_33_big[8] = { 0, 0, 0, 1, 0, 0, 0, 2 };
	uint64_t want = UINT64_C(1) | UINT64_C(1) << 33;

	(void)state;
	assert_true(dumpset_word(ORDER_LITTLE, bits_0_and_33_little) == want);
	assert_true(dumpset_word(ORDER_BIG, bits_0_and_33_big) == want);
}

static const struct bad_row {
	const char *name;
	const char *avail;
	const char *why;
} bad_rows[] = {
	{ "refuses: no segment at all", "", "empty" },
	{ "refuses: a segment without pages",
	    "0010000000000000 0010000000000000", "ends before" },
	{ "refuses: a segment that ends before it starts",
	    "0020000000000000 0010000000000000", "ends before" },
	{ "refuses: the same segment twice",
	    "0000000000000000 0020000000000000 "
	    "0000000000000000 0020000000000000",
	    "overlap" },
	{ "refuses: a segment of one page twice",
	    "0010000000000000 0020000000000000 "
	    "0010000000000000 0020000000000000",
	    "overlap" },
	{ "refuses: segments that share a byte",
	    "0010000000000000 0128000000000000 "
	    "0028000000000000 0034000000000000",
	    "overlap" },
	{ "refuses: descending segments",
	    "0000100000000000 0000200000000000 "
	    "0010000000000000 0020000000000000",
	    "descend" },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	const char *why = NULL;
	struct decoded d;

	assert_false(decode(&d, row->avail, ORDER_LITTLE, &why));
	assert_non_null(why);
	if (strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, page_rows, test_page);
	ADD_ROWS(tests, n, bad_rows, test_bad);
	tests[n++] = row_test("segments and bits", test_counts, NULL);
	tests[n++] = row_test("bit to page to bit", test_inverse, NULL);
	tests[n++] = row_test("unaligned bounds", test_unaligned, NULL);
	tests[n++] =
	    row_test("a page that two segments share", test_shared, NULL);
	tests[n++] = row_test("big-endian", test_big_endian, NULL);
	tests[n++] = row_test("no end mark", test_full_section, NULL);
	tests[n++] = row_test("encodes what it decodes", test_encode, NULL);
	tests[n++] = row_test("without segments", test_dense, NULL);
	tests[n++] = row_test("words of the bitmap", test_word, NULL);
	return (RUN_TESTS(tests, n));
}
