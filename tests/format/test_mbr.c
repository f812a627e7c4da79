/* First sectors of disks, made by hand. */
#include "format/mbr.h"

#include "tests/support/hex.h"
#include "tests/support/unit.h"

#define SECTOR_LEN 512

/* An entry: status, CHS, type, CHS, first sector, how many. */
#define ACTIVE "80 010100 a5 feffff 3f000000 a1ff1f00 "
#define PLAIN  "00 feffff 83 feffff 00002000 00001000 "
#define NONE   "00 000000 00 000000 00000000 00000000 "
#define MARK   "@510 55aa"

static const struct sector_row {
	const char *name;
	const char *text;
	bool want;
} sector_rows[] = {
	{ "an empty sector", "", false },
	{ "a mark and no partition", MARK, false },
	{ "one partition", "@446 " ACTIVE MARK, true },
	{ "the fourth entry only", "@446 " NONE NONE NONE PLAIN MARK, true },
	{ "around a GUID partition table",
	    "@446 00 000200 ee ffffff 01000000 ffffffff " MARK, true },
	{ "no mark", "@446 " ACTIVE, false },
	{ "half of a mark", "@446 " ACTIVE "@510 55", false },
	{ "no type", "@446 80 010100 00 feffff 3f000000 a1ff1f00 " MARK,
	    false },
	{ "no first sector", "@446 80 010100 a5 feffff 00000000 a1ff1f00 " MARK,
	    false },
	{ "no length", "@446 80 010100 a5 feffff 3f000000 00000000 " MARK,
	    false },
	{ "code in one of the entries",
	    "@446 " PLAIN "eb 3c90 6d 6b6673 2e666174 00020401 " MARK, false },
};

static void
test_sector(void **state)
{
	const struct sector_row *row = *state;
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sizeof(sector) };

	hex_decode(row->text, sector, sizeof(sector));
	assert_int_equal(mbr_has_partitions(bytes), row->want);
	bytes.len--;
	assert_false(mbr_has_partitions(bytes));
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(sector_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, sector_rows, test_sector);
	return (RUN_TESTS(tests, n));
}
