/* GUID partition tables, made by hand in sectors of 512 bytes. */
#include "format/gpt.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

#define SECTOR_LEN 512
#define ARRAY_LEN  256

/* Two entries: freebsd-swap in sectors 34 to 99, freebsd-ufs in 100 to 199. */
static const char array_text[] =
    "b57c6e51cf6ed611 8ff800022d09712b @32 2200000000000000 6300000000000000 "
    "@128 b67c6e51cf6ed611 8ff800022d09712b "
    "@160 6400000000000000 c700000000000000";

/* Its two sums were made by another program. */
static const char header_text[] =
    "'EFI PART' 00000100 5c000000 "	      /* revision, length */
    "d23b4a80 00000000 "		      /* sum */
    "0100000000000000 e703000000000000 "      /* this sector, the other */
    "2200000000000000 c503000000000000 "      /* usable ones */
    "@72 0200000000000000 02000000 80000000 " /* array */
    "e8dd56c2";				      /* its sum */

/* Bit by bit, as IEEE 802.3 defines it. */
static uint32_t
slow_crc(uint32_t crc, const uint8_t *bytes, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
	}
	return (~crc);
}

/* The header above, changed, with a right sum unless fix is false. */
static bool
decode(const char *change, size_t len, bool fix, struct gpt_hdr *out,
    const char **why)
{
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = len };

	hex_decode(header_text, sector, sizeof(sector));
	hex_patch(change, sector, sizeof(sector));
	if (fix) {
		uint32_t hdr_len = le32dec(sector + 12);

		memset(sector + 16, 0, 4);
		if (hdr_len <= sizeof(sector))
			le32enc(sector + 16, slow_crc(0, sector, hdr_len));
	}
	return (gpt_decode(bytes, 1, slow_crc, out, why));
}

static void
test_header(void **state)
{
	const char *why = NULL;
	struct gpt_hdr hdr;

	(void)state;
	if (!decode("", SECTOR_LEN, false, &hdr, &why))
		fail_msg("%s", why);
	assert_int_equal(hdr.gh_other_lba, 999);
	assert_int_equal(hdr.gh_array_lba, 2);
	assert_int_equal(hdr.gh_nentries, 2);
	assert_int_equal(hdr.gh_entry_len, 128);
	assert_int_equal(gpt_array_len(&hdr), ARRAY_LEN);
}

/* Told by its first 8 bytes, whatever else is wrong. */
static void
test_signature(void **state)
{
	uint8_t sector[8];
	struct span bytes = { .base = sector, .len = sizeof(sector) };

	(void)state;
	hex_decode("'EFI PART'", sector, sizeof(sector));
	assert_true(gpt_is(bytes));
	bytes.len--;
	assert_false(gpt_is(bytes));
	bytes.len++;
	sector[7] = 'U';
	assert_false(gpt_is(bytes));
}

/* Any flipped bit of the header shows. */
static void
test_header_bits(void **state)
{
	uint8_t sector[SECTOR_LEN];
	struct span bytes = { .base = sector, .len = sizeof(sector) };
	const char *why = NULL;
	struct gpt_hdr hdr;

	(void)state;
	hex_decode(header_text, sector, sizeof(sector));
	for (size_t bit = 0; bit < 92 * 8; bit++) {
		sector[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(gpt_decode(bytes, 1, slow_crc, &hdr, &why));
		sector[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(gpt_decode(bytes, 1, slow_crc, &hdr, &why));
}

static void
test_partitions(void **state)
{
	uint8_t bytes[ARRAY_LEN];
	struct span array = { .base = bytes, .len = sizeof(bytes) };
	const char *why = NULL;
	struct gpt_part part;
	struct gpt_hdr hdr;

	(void)state;
	hex_decode(array_text, bytes, sizeof(bytes));
	assert_true(decode("", SECTOR_LEN, false, &hdr, &why));
	assert_true(gpt_array_ok(&hdr, array, slow_crc));
	assert_true(gpt_part_decode(&hdr, array, 0, &part));
	assert_int_equal(part.gp_kind, GPT_FREEBSD_SWAP);
	assert_int_equal(part.gp_first_lba, 34);
	assert_int_equal(part.gp_last_lba, 99);
	assert_true(gpt_part_decode(&hdr, array, 1, &part));
	assert_int_equal(part.gp_kind, GPT_OTHER);
	assert_false(gpt_part_decode(&hdr, array, 2, &part));
	assert_false(gpt_part_decode(&hdr, array, UINT32_MAX, &part));

	/* Damaged, cut, unused, backwards. */
	array.len--;
	assert_false(gpt_array_ok(&hdr, array, slow_crc));
	assert_false(gpt_part_decode(&hdr, array, 1, &part));
	bytes[40] = 33;
	array.len++;
	assert_false(gpt_array_ok(&hdr, array, slow_crc));
	assert_false(gpt_part_decode(&hdr, array, 0, &part));
	memset(bytes + 128, 0, 16);
	assert_false(gpt_part_decode(&hdr, array, 1, &part));
}

static const struct row {
	const char *name;
	const char *change;
	size_t len;
	const char *why; /* NULL: it is taken */
} rows[] = {
	{ "a longer header", "@12 00020000", 512, NULL },
	{ "an array of 1 MiB", "@80 00200000", 512, NULL },
	{ "entries of 1 MiB", "@80 01000000 00001000", 512, NULL },
	{ "refuses: another signature", "'EFI PARU'", 512, "no partition" },
	{ "refuses: a cut sector", "", 91, "no partition" },
	{ "refuses: no bytes", "", 0, "no partition" },
	{ "refuses: a header of 91 bytes", "@12 5b000000", 512, "length" },
	{ "refuses: a header beyond its sector", "@12 01020000", 512,
	    "length" },
	{ "refuses: a header without end", "@12 ffffffff", 512, "length" },
	{ "refuses: another sector's", "@24 02", 512, "another sector" },
	{ "refuses: no entries", "@80 00000000", 512, "size of the array" },
	{ "refuses: entries of 127 bytes", "@84 7f000000", 512,
	    "size of the array" },
	{ "refuses: entries of no bytes", "@84 00000000", 512,
	    "size of the array" },
	{ "refuses: an array of more than 1 MiB", "@80 01200000", 512,
	    "size of the array" },
	{ "refuses: a size that wraps", "@80 00000002", 512,
	    "size of the array" },
	{ "refuses: the largest size", "@80 ffffffff ffffffff", 512,
	    "size of the array" },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	const char *why = NULL;
	struct gpt_hdr hdr;
	bool ok = decode(row->change, row->len, true, &hdr, &why);

	assert_int_equal(ok, row->why == NULL);
	if (!ok && strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
}

static const struct kind_row {
	const char *name;
	const char *type;
	enum gpt_kind want;
} kind_rows[] = {
	{ "kind: freebsd-swap", "b57c6e51cf6ed611 8ff800022d09712b",
	    GPT_FREEBSD_SWAP },
	{ "kind: linux-swap", "6dfd5706aba4c443 84e50933c84b4f4f",
	    GPT_OTHER_SWAP },
	{ "kind: dragonfly-swap", "bdfd589da51cdc11 881701301bb8a9f5",
	    GPT_OTHER_SWAP },
	{ "kind: freebsd", "b47c6e51cf6ed611 8ff800022d09712b",
	    GPT_FREEBSD_SLICE },
	{ "kind: freebsd-ufs", "b67c6e51cf6ed611 8ff800022d09712b", GPT_OTHER },
};

static void
test_kind(void **state)
{
	const struct kind_row *row = *state;
	uint8_t bytes[ARRAY_LEN];
	struct span array = { .base = bytes, .len = sizeof(bytes) };
	const char *why = NULL;
	struct gpt_part part;
	struct gpt_hdr hdr;

	hex_decode(array_text, bytes, sizeof(bytes));
	hex_patch(row->type, bytes, sizeof(bytes));
	assert_true(decode("", SECTOR_LEN, false, &hdr, &why));
	assert_true(gpt_part_decode(&hdr, array, 0, &part));
	assert_int_equal(part.gp_kind, row->want);
}

/*
 * A disk of 1000 sectors and its two partitions, changed.  Whether the first is
 * one to write to.
 */
static const struct write_row {
	const char *name;
	const char *hdr, *array;
	uint64_t nsectors;
	uint32_t idx;
	const char *why; /* NULL: it is one */
} write_rows[] = {
	{ "writable", "", "", 1000, 0, NULL },
	{ "writable: the first sectors there are", "@40 22", "", 1000, 0,
	    NULL },
	{ "writable: neighbours", "", "@168 64", 1000, 0, NULL },
	{ "writable: up to the last sector", "", "@40 c503 @168 c603 @160 c603",
	    1000, 0, NULL },
	{ "writable: a table after them", "@72 c603", "", 1000, 0, NULL },
	{ "not writable: ufs", "", "", 1000, 1, "not a freebsd-swap" },
	{ "not writable: linux-swap", "",
	    "@0 6dfd5706aba4c443 84e50933c84b4f4f", 1000, 0,
	    "not a freebsd-swap" },
	{ "not writable: not there", "", "", 1000, 2, "no such" },
	{ "not writable: unused", "", "@0 00000000 00000000 00000000 00000000",
	    1000, 0, "no such" },
	{ "not writable: before the first sector", "", "@32 21", 1000, 0,
	    "where partitions" },
	{ "not writable: past the last sector", "",
	    "@40 c603 @160 c703 @168 c703", 1000, 0, "where partitions" },
	{ "not writable: without an end", "", "@40 ffffffff ffffffff", 1000, 0,
	    "where partitions" },
	{ "not writable: the next one's first sector", "", "@40 64", 1000, 0,
	    "overlaps" },
	{ "not writable: inside of another", "", "@160 2300 @168 2400", 1000, 0,
	    "overlaps" },
	{ "not writable: the disk is smaller", "", "", 966, 0, "in the way" },
	{ "not writable: the disk has one sector", "", "", 1, 0, "in the way" },
	{ "not writable: from the header on", "@40 01", "", 1000, 0,
	    "in the way" },
	{ "not writable: to the disk's end", "@48 e7", "", 1000, 0,
	    "in the way" },
	{ "not writable: the table among them", "@72 22", "", 1000, 0,
	    "in the way" },
	{ "not writable: the table reaches them", "@40 02", "", 1000, 0,
	    "in the way" },
};

static void
test_writable(void **state)
{
	const struct write_row *row = *state;
	uint8_t bytes[ARRAY_LEN];
	struct span array = { .base = bytes, .len = sizeof(bytes) };
	const char *why = NULL;
	struct gpt_part part;
	struct gpt_hdr hdr;
	bool ok;

	hex_decode(array_text, bytes, sizeof(bytes));
	hex_patch(row->array, bytes, sizeof(bytes));
	assert_true(decode(row->hdr, SECTOR_LEN, true, &hdr, &why));
	ok = gpt_part_writable(&hdr, array, row->idx, row->nsectors, &part,
	    &why);
	assert_int_equal(ok, row->why == NULL);
	if (!ok && strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
	if (ok)
		assert_int_equal(part.gp_first_lba, 34);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_row);
	ADD_ROWS(tests, n, kind_rows, test_kind);
	ADD_ROWS(tests, n, write_rows, test_writable);
	tests[n++] = row_test("signature", test_signature, NULL);
	tests[n++] = row_test("header", test_header, NULL);
	tests[n++] = row_test("header: every bit", test_header_bits, NULL);
	tests[n++] = row_test("partitions", test_partitions, NULL);
	return (RUN_TESTS(tests, n));
}
