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

static const struct part_row {
	const char *name;
	const char *text;
	unsigned int idx;
	bool want; /* then it is: */
	struct mbr_part part;
} part_rows[] = {
	{ "part: FreeBSD's", "@446 " ACTIVE, 0, true,
	    { 63, 0x1fffa1, MBR_FREEBSD_SLICE } },
	{ "part: the second", "@446 " ACTIVE PLAIN, 1, true,
	    { 0x200000, 0x100000, MBR_OTHER } },
	{ "part: Linux's swap", "@446 " PLAIN "@450 82", 0, true,
	    { 0x200000, 0x100000, MBR_LINUX_SWAP } },
	{ "part: extended", "@446 " PLAIN "@450 05", 0, true,
	    { 0x200000, 0x100000, MBR_EXTENDED } },
	{ "part: extended with LBA", "@446 " PLAIN "@450 0f", 0, true,
	    { 0x200000, 0x100000, MBR_EXTENDED } },
	{ "part: Linux's extended", "@446 " PLAIN "@450 85", 0, true,
	    { 0x200000, 0x100000, MBR_EXTENDED } },
	{ "part: protective", "@446 " PLAIN "@450 ee", 0, true,
	    { 0x200000, 0x100000, MBR_PROTECTIVE } },
	{ "part: unused", "@446 " ACTIVE NONE, 1, false, { 0 } },
};

static void
test_part(void **state)
{
	const struct part_row *row = *state;
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sizeof(sector) };
	struct mbr_part part;

	hex_decode(row->text, sector, sizeof(sector));
	assert_int_equal(mbr_part(bytes, row->idx, &part), row->want);
	if (!row->want)
		return;
	assert_int_equal(part.mbp_first_lba, row->part.mbp_first_lba);
	assert_int_equal(part.mbp_nsectors, row->part.mbp_nsectors);
	assert_int_equal(part.mbp_kind, row->part.mbp_kind);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(sector_rows) + NROWS(part_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, sector_rows, test_sector);
	ADD_ROWS(tests, n, part_rows, test_part);
	return (RUN_TESTS(tests, n));
}
