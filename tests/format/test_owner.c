/* Owners of pages: where a header says they are, and their numbers. */
#include "format/owner.h"

#include <string.h>

#include "format/minidump.h"
#include "tests/support/hex.h"
#include "tests/support/unit.h"

/* Pages start at 0x411000; a bitmap of 0x8000 bytes has 0x20000 of owners. */
static const char amd64_v1[] =
    "@0 'minidump FreeBSD/amd64' "
    "@24 01000000 00800000 00800000 00004000 "
    "@40 00000080ffffffff 0000000000f8ffff 0000000000fcffff ";

#define MAGIC "@4032 'vmcore owners' "

static const struct hdr_row {
	const char *name;
	const char *owners; /* over amd64_v1 */
	struct owners_hdr want;
} hdr_rows[] = {
	{ "none", "", { 0, 0 } },
	{ "after the pages", MAGIC "@4048 0050410000000000 0000020000000000",
	    { 0x415000, 0x20000 } },
	{ "of no pages", MAGIC "@4048 0010410000000000 0000020000000000",
	    { 0x411000, 0x20000 } },
	{ "at the end of the world",
	    MAGIC "@4048 00f0ffffffffffff 0000020000000000",
	    { UINT64_C(0xfffffffffffff000), 0x20000 } },
	{ "ignored: before the pages",
	    MAGIC "@4048 0000410000000000 0000020000000000", { 0, 0 } },
	{ "ignored: inside of a page",
	    MAGIC "@4048 0110410000000000 0000020000000000", { 0, 0 } },
	{ "ignored: too short", MAGIC "@4048 0050410000000000 ffff010000000000",
	    { 0, 0 } },
	{ "ignored: too long", MAGIC "@4048 0050410000000000 0000020001000000",
	    { 0, 0 } },
	{ "ignored: another name",
	    "@4032 'vmcore ownerS' @4048 0050410000000000 0000020000000000",
	    { 0, 0 } },
	{ "ignored: a longer name",
	    "@4032 'vmcore owners2' @4048 0050410000000000 0000020000000000",
	    { 0, 0 } },
};

static void
test_hdr(void **state)
{
	const struct hdr_row *row = *state;
	uint8_t page[MINIDUMP_HDR_LEN];
	uint8_t again[MINIDUMP_HDR_LEN];
	struct minidump_hdr hdr;
	const char *why = NULL;

	hex_decode(amd64_v1, page, sizeof(page));
	hex_patch(row->owners, page, sizeof(page));
	assert_true(minidump_decode((struct span){ page, sizeof(page) },
	    ORDER_LITTLE, &hdr, &why));
	assert_true(hdr.md_owners.oh_off == row->want.oh_off);
	assert_true(hdr.md_owners.oh_len == row->want.oh_len);

	assert_true(minidump_encode(&hdr, again, &why));
	if (row->want.oh_len == 0)
		hex_decode(amd64_v1, page, sizeof(page));
	assert_memory_equal(again, page, sizeof(page));
}

static const struct name_row {
	const char *name;
	enum page_owner owner;
	unsigned int number;
} name_rows[] = {
	{ "unknown", OWNER_UNKNOWN, 0 },
	{ "free", OWNER_FREE, 1 },
	{ "user", OWNER_USER, 2 },
	{ "file cache", OWNER_FILE, 3 },
	{ "object", OWNER_OBJECT, 4 },
	{ "kernel image", OWNER_IMAGE, 5 },
	{ "boot", OWNER_BOOT, 6 },
	{ "kernel heap", OWNER_HEAP, 7 },
	{ "kernel stack", OWNER_STACK, 8 },
	{ "page table", OWNER_TABLE, 9 },
	{ "user page table", OWNER_USER_TABLE, 10 },
	{ "reverse map", OWNER_PV, 11 },
	{ "VM", OWNER_VM, 12 },
	{ "page array", OWNER_ARRAY, 13 },
	{ "never dumped", OWNER_NEVER, 14 },
};

static void
test_name(void **state)
{
	const struct name_row *row = *state;

	assert_int_equal(row->owner, row->number);
	assert_string_equal(owner_name(row->owner), row->name);
	assert_int_equal(owner_phrase(row->owner) == NULL, row->number == 0);
}

/* Dumps that were written stay what they are. */
static void
test_all(void **state)
{
	(void)state;
	assert_int_equal(NROWS(name_rows), OWNER_COUNT);
	assert_true(OWNER_COUNT <= 1 << OWNER_BITS);
	assert_string_equal(owner_name(OWNER_COUNT), "unknown");
	assert_null(owner_phrase(OWNER_COUNT));
}

static void
test_halves(void **state)
{
	uint8_t byte = 0;

	(void)state;
	byte = owner_encode(byte, 6, OWNER_USER);
	assert_int_equal(byte, 0x02);
	byte = owner_encode(byte, 7, OWNER_NEVER);
	assert_int_equal(byte, 0xe2);
	assert_int_equal(owner_decode(byte, 6), OWNER_USER);
	assert_int_equal(owner_decode(byte, 7), OWNER_NEVER);
	assert_int_equal(owner_decode(0x1f, 0), OWNER_UNKNOWN);
	assert_int_equal(owner_decode(0xf1, 1), OWNER_UNKNOWN);
}

int
main(void)
{
	struct CMUnitTest tests[40];
	size_t n = 0;

	ADD_ROWS(tests, n, hdr_rows, test_hdr);
	ADD_ROWS(tests, n, name_rows, test_name);
	tests[n++] = row_test("all owners fit, and no other", test_all, NULL);
	tests[n++] = row_test("two in a byte", test_halves, NULL);
	return (RUN_TESTS(tests, n));
}
