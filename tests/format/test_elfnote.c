/* Notes of ELF cores, and QEMU's of a CPU. */
#include "format/elfnote.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

/* Three notes; the second has neither name nor descriptor. */
#define NOTES                                                                  \
	"05000000 06000000 01000000 'CORE' 00000000 'sixsix' 0000"             \
	"00000000 00000000 07000000"                                           \
	"05000000 04000000 00000000 'QEMU' 00000000 'four'"
#define NOTES_LEN 68

static void
test_next(void **state)
{
	uint8_t bytes[NOTES_LEN];
	struct span rest = { bytes, sizeof(bytes) };
	struct elfnote en;

	(void)state;
	hex_decode(NOTES, bytes, sizeof(bytes));
	assert_true(elfnote_next(ORDER_LITTLE, &rest, &en));
	assert_true(elfnote_is(&en, "CORE", 1));
	assert_false(elfnote_is(&en, "CORE", 2));
	assert_false(elfnote_is(&en, "COR", 1));
	assert_int_equal(en.en_desc.len, 6);
	assert_memory_equal(en.en_desc.base, "sixsix", 6);
	assert_true(elfnote_next(ORDER_LITTLE, &rest, &en));
	assert_true(elfnote_is(&en, "", 7));
	assert_int_equal(en.en_desc.len, 0);
	assert_true(elfnote_next(ORDER_LITTLE, &rest, &en));
	assert_true(elfnote_is(&en, "QEMU", 0));
	assert_memory_equal(en.en_desc.base, "four", 4);
	assert_false(elfnote_next(ORDER_LITTLE, &rest, &en));
}

static void
test_big_endian(void **state)
{
	uint8_t bytes[16];
	struct span rest = { bytes, sizeof(bytes) };
	struct elfnote en;

	(void)state;
	hex_decode("00000002 00000001 01020304 'x' 00 0000", bytes,
	    sizeof(bytes));
	assert_false(elfnote_next(ORDER_BIG, &rest, &en));
	hex_decode("00000002 00000000 01020304 'x' 00 0000", bytes,
	    sizeof(bytes));
	rest = (struct span){ bytes, sizeof(bytes) };
	assert_true(elfnote_next(ORDER_BIG, &rest, &en));
	assert_true(elfnote_is(&en, "x", 0x01020304));
	assert_int_equal(rest.len, 0);
}

/* Notes that are cut, or claim more than there is: the walk ends. */
static const struct cut_row {
	const char *name;
	const char *bytes;
	size_t len;
} cut_rows[] = {
	{ "no bytes", "", 0 },
	{ "a header cut short", "00000000 00000000 000000", 11 },
	{ "a name that does not fit", "05000000 00000000 00000000 'CORE'", 16 },
	{ "a descriptor that does not fit", "00000000 05000000 00000000 'four'",
	    16 },
	{ "lengths that wrap", "ffffffff ffffffff 00000000 'four'", 16 },
};

static void
test_cut(void **state)
{
	const struct cut_row *row = *state;
	uint8_t bytes[32];
	struct span rest = { bytes, row->len };
	struct elfnote en;

	hex_decode(row->bytes, bytes, sizeof(bytes));
	assert_false(elfnote_next(ORDER_LITTLE, &rest, &en));
}

static const char qemu[] = "01000000 b8010000"
			   "@264 887766554433f2ff"
			   "@416 00e0290000000000 a000000000000000"
			   "@432 00c0000200f8ffff";

static const struct qemu_row {
	const char *name;
	const char *change;
	size_t len;
	bool good;
	uint64_t kernel_gs_base;
} qemu_rows[] = {
	{ "QEMU's note", "", 440, true, 0xfffff8000200c000 },
	{ "of before 2.12", "@4 b0010000", 432, true, 0 },
	{ "larger than it says", "", 500, true, 0xfffff8000200c000 },
	{ "cut short", "@4 00000000", 431, false, 0 },
	{ "smaller than it says", "", 436, false, 0 },
	{ "of another version", "02", 440, false, 0 },
};

static void
test_qemu(void **state)
{
	const struct qemu_row *row = *state;
	struct qemu_cpu qc = { 0 };
	uint8_t bytes[512];

	hex_decode(qemu, bytes, sizeof(bytes));
	hex_patch(row->change, bytes, sizeof(bytes));
	assert_int_equal(qemu_cpu_decode((struct span){ bytes, row->len }, &qc),
	    row->good);
	if (!row->good)
		return;
	assert_true(qc.qc_cr3 == 0x29e000);
	assert_true(qc.qc_cr4 == 0xa0);
	assert_true(qc.qc_gs_base == 0xfff2334455667788);
	assert_true(qc.qc_kernel_gs_base == row->kernel_gs_base);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(cut_rows) + NROWS(qemu_rows) + 2] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_big_endian),
	};
	size_t n = 2;

	ADD_ROWS(tests, n, cut_rows, test_cut);
	ADD_ROWS(tests, n, qemu_rows, test_qemu);
	return (RUN_TESTS(tests, n));
}
