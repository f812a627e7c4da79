/* ELF cores as a dying kernel writes them. */
#include "format/elfcore.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

/* clang-format off */
static const char amd64[] =
	"@0 7f 'ELF' 020101ff "			/* 64 bits, LSB, standalone */
	"@16 0400 3e00 00000000 "		/* core, x86-64, e_version 0 */
	"@32 4000000000000000 "			/* e_phoff */
	"@52 4000 3800 0300";			/* e_phentsize, e_phnum */
static const char amd64_load[] =
	"01000000 04000000 0010000000000000 "	/* load, R, offset */
	"0000100000000000 0000200000000000 "	/* virtual, physical */
	"00f0000000000000 0000010000000000 "	/* in file, in memory */
	"0010000000000000";
static const char arm_big[] =
	"@0 7f 'ELF' 010201ff "
	"@16 0004 0028 00000000 "
	"@28 00000034 "
	"@40 0034 0020 0001";
static const char arm_big_delta[] =
	"6fb5d000 00000000 c0000000 80200000 "
	"00000000 00000000 00000000 00000000";
/* clang-format on */

static bool
decode(const char *text, const char *change, size_t len,
    struct elfcore_hdr *hdr, const char **why)
{
	uint8_t bytes[ELFCORE_HDR_LEN];

	hex_decode(text, bytes, sizeof(bytes));
	hex_patch(change, bytes, sizeof(bytes));
	return (elfcore_decode((struct span){ bytes, len }, hdr, why));
}

static void
test_amd64(void **state)
{
	struct elfcore_phdr ph;
	struct elfcore_hdr hdr;
	const char *why = NULL;
	uint8_t bytes[56];

	(void)state;
	assert_true(decode(amd64, "", 64, &hdr, &why));
	assert_true(hdr.eh_is64);
	assert_int_equal(hdr.eh_order, ORDER_LITTLE);
	assert_int_equal(hdr.eh_machine, ELFCORE_EM_X86_64);
	assert_int_equal(hdr.eh_phoff, 64);
	assert_int_equal(hdr.eh_phentsize, 56);
	assert_int_equal(hdr.eh_phnum, 3);

	hex_decode(amd64_load, bytes, sizeof(bytes));
	assert_true(elfcore_phdr_decode(&hdr, (struct span){ bytes, 56 }, &ph));
	assert_int_equal(ph.ph_type, ELFCORE_PT_LOAD);
	assert_int_equal(ph.ph_off, 0x1000);
	assert_int_equal(ph.ph_va, 0x100000);
	assert_int_equal(ph.ph_pa, 0x200000);
	assert_int_equal(ph.ph_file_len, 0xf000);
	assert_int_equal(ph.ph_mem_len, 0x10000);
	assert_false(elfcore_phdr_decode(&hdr, (struct span){ bytes, 55 },
	    &ph));
}

static void
test_arm_big(void **state)
{
	struct elfcore_phdr ph;
	struct elfcore_hdr hdr;
	const char *why = NULL;
	uint8_t bytes[32];

	(void)state;
	assert_true(decode(arm_big, "", 52, &hdr, &why));
	assert_false(hdr.eh_is64);
	assert_int_equal(hdr.eh_order, ORDER_BIG);
	assert_int_equal(hdr.eh_machine, ELFCORE_EM_ARM);
	assert_int_equal(hdr.eh_phoff, 52);
	assert_int_equal(hdr.eh_phentsize, 32);
	assert_int_equal(hdr.eh_phnum, 1);

	hex_decode(arm_big_delta, bytes, sizeof(bytes));
	assert_true(elfcore_phdr_decode(&hdr, (struct span){ bytes, 32 }, &ph));
	assert_int_equal(ph.ph_type, ELFCORE_PT_DUMP_DELTA);
	assert_int_equal(ph.ph_va, 0xc0000000);
	assert_int_equal(ph.ph_pa, 0x80200000);
	assert_int_equal(ph.ph_mem_len, 0);
	assert_false(elfcore_phdr_decode(&hdr, (struct span){ bytes, 31 },
	    &ph));
}

static void
test_phnum(void **state)
{
	struct elfcore_hdr hdr = { .eh_is64 = true, .eh_order = ORDER_LITTLE };
	uint8_t bytes[64];
	uint32_t n;

	(void)state;
	hex_decode("@28 12345678 @44 01000100", bytes, sizeof(bytes));
	assert_true(elfcore_phnum_decode(&hdr, (struct span){ bytes, 64 }, &n));
	assert_int_equal(n, 0x10001);
	assert_false(elfcore_phnum_decode(&hdr, (struct span){ bytes, 63 },
	    &n));
	hdr = (struct elfcore_hdr){ .eh_order = ORDER_BIG };
	assert_true(elfcore_phnum_decode(&hdr, (struct span){ bytes, 40 }, &n));
	assert_int_equal(n, 0x12345678);
	assert_false(elfcore_phnum_decode(&hdr, (struct span){ bytes, 39 },
	    &n));
}

static const struct bad_row {
	const char *name;
	const char *bytes;
	const char *change;
	size_t len;
	const char *why;
} bad_rows[] = {
	{ "refuses: another magic", amd64, "@1 'elf'", 64, "not an ELF" },
	{ "refuses: class 0", amd64, "@4 00", 64, "not an ELF" },
	{ "refuses: class 3", amd64, "@4 03", 64, "not an ELF" },
	{ "refuses: byte order 0", amd64, "@5 00", 64, "not an ELF" },
	{ "refuses: byte order 3", amd64, "@5 03", 64, "not an ELF" },
	{ "refuses: an executable", amd64, "@16 0200", 64, "not a core" },
	{ "refuses: program headers of 55 bytes", amd64, "@54 3700", 64,
	    "too short" },
	{ "refuses: program headers of 31 bytes", arm_big, "@42 001f", 52,
	    "too short" },
	{ "refuses: 63 bytes of a 64-bit header", amd64, "", 63, "shorter" },
	{ "refuses: 51 bytes of a 32-bit header", arm_big, "", 51, "shorter" },
	{ "refuses: 15 bytes", amd64, "", 15, "not an ELF" },
	{ "refuses: nothing", amd64, "", 0, "not an ELF" },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	struct elfcore_hdr hdr;
	const char *why = NULL;

	assert_false(decode(row->bytes, row->change, row->len, &hdr, &why));
	assert_non_null(why);
	if (strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
}

static void
test_encode(void **state)
{
	const struct elfcore_phdr ph = { .ph_type = ELFCORE_PT_LOAD,
		.ph_off = 0x1000,
		.ph_va = 0x100000,
		.ph_pa = 0x200000,
		.ph_file_len = 0xf000,
		.ph_mem_len = 0x10000 };
	uint8_t want[ELFCORE_HDR_LEN];
	uint8_t got[ELFCORE_HDR_LEN];

	(void)state;
	hex_decode(amd64, want, sizeof(want));
	hex_patch("@6 01 @58 4000", want, sizeof(want)); /* e_shentsize */
	elfcore_encode(ELFCORE_EM_X86_64, 3, got);
	assert_memory_equal(got, want, ELFCORE_HDR_LEN);
	hex_decode(amd64_load, want, ELFCORE_PHDR_LEN);
	elfcore_phdr_encode(&ph, got);
	assert_memory_equal(got, want, ELFCORE_PHDR_LEN);
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	tests[n++] = row_test("amd64", test_amd64, NULL);
	tests[n++] = row_test("arm, big-endian", test_arm_big, NULL);
	tests[n++] =
	    row_test("more than 65535 program headers", test_phnum, NULL);
	tests[n++] = row_test("encodes as a kernel does", test_encode, NULL);
	ADD_ROWS(tests, n, bad_rows, test_bad);
	return (RUN_TESTS(tests, n));
}
