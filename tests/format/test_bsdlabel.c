/* bsdlabels, made by hand. */
#include "format/bsdlabel.h"

#include "tests/support/hex.h"
#include "tests/support/unit.h"

#define SECTOR_LEN 512

/* Partitions: size, offset, fsize, type of file system and three bytes. */
#define MAGICS "57455682 @40 00020000 @132 57455682 @138 0800 "
#define ROOT   "@148 00100000 00000000 00080000 07 08 0000 "
#define SWAP   "@164 00080000 00100000 00000000 01 00 0000 "
#define RAW    "@180 00200000 00000000 00000000 00 00 0000 "
#define LABEL  MAGICS ROOT SWAP RAW

static const struct row {
	const char *name;
	const char *change;
	uint32_t idx;
	bool want; /* then it is: */
	struct bsdlabel_part part;
} rows[] = {
	{ "ufs", "", 0, true, { 0, 4096, false } },
	{ "swap", "", 1, true, { 4096, 2048, true } },
	{ "unused", "@176 00", 1, true, { 4096, 2048, true } },
	{ "the whole slice", "", 2, false, { 0 } },
	{ "no sectors", "", 3, false, { 0 } },
	{ "behind the last one", "@138 0100", 1, false, { 0 } },
	{ "more than any label has", "@138 ffff", 22, false, { 0 } },
	{ "counted from the disk's start",
	    "@152 3f000000 @168 3f100000 @184 "
	    "3f000000",
	    1, true, { 4096, 2048, true } },
	{ "before the slice", "@184 01100000", 1, false, { 0 } },
	{ "the last numbers", "@164 ffffffff ffffffff", 1, true,
	    { 0xffffffff, 0xffffffff, true } },
};

static void
test_part(void **state)
{
	const struct row *row = *state;
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sizeof(sector) };
	struct bsdlabel_part part;

	hex_decode(LABEL, sector, sizeof(sector));
	hex_patch(row->change, sector, sizeof(sector));
	assert_true(bsdlabel_is(bytes, SECTOR_LEN));
	assert_int_equal(bsdlabel_part(bytes, row->idx, &part), row->want);
	if (!row->want)
		return;
	assert_int_equal(part.blp_first, row->part.blp_first);
	assert_int_equal(part.blp_nsectors, row->part.blp_nsectors);
	assert_int_equal(part.blp_may_dump, row->part.blp_may_dump);
}

static const struct label_row {
	const char *name;
	const char *change;
	size_t len;
	uint32_t sector_len;
	bool want;
} label_rows[] = {
	{ "a label", "", 512, 512, true },
	{ "a label of larger sectors", "@40 00100000", 512, 4096, true },
	{ "no label: no first magic", "00", 512, 512, false },
	{ "no label: no second magic", "@132 00", 512, 512, false },
	{ "no label: other sectors", "", 512, 1024, false },
	{ "no label: cut", "", BSDLABEL_LEN - 1, 512, false },
};

static void
test_label(void **state)
{
	const struct label_row *row = *state;
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = row->len };

	hex_decode(LABEL, sector, sizeof(sector));
	hex_patch(row->change, sector, sizeof(sector));
	assert_int_equal(bsdlabel_is(bytes, row->sector_len), row->want);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + NROWS(label_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_part);
	ADD_ROWS(tests, n, label_rows, test_label);
	return (RUN_TESTS(tests, n));
}
