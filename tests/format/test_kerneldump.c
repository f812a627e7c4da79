/* The header on the dump device: big-endian, with a parity. */
#include "format/kerneldump.h"

#include <string.h>

#include "tests/format/hex.h"
#include "tests/format/unit.h"

/* clang-format off */
static const char version4[] =
	"@0 'FreeBSD Kernel Dump' @20 'amd64' "
	"@32 00000004 00000002 "			/* versions */
	"@40 000000000666a000 000000005f000001 "	/* length, time */
	"@56 00000200 00001000 "			/* key, block */
	"@64 'host.example' @128 'FreeBSD 14.0' 0a @320 'page fault' "
	"@495 02 0000000007000000";			/* zstd, extent */
static const char version1[] =
	"@0 'FreeBSD Kernel Dump' @20 'i386' "
	"@32 00000001 00000002 "
	"@40 000000000666a000 000000005f000001 "
	"@56 00000200 "					/* block */
	"@60 'host.example' @124 'FreeBSD 6.2' @316 'page fault'";
/* clang-format on */

static struct kerneldump_hdr
decoded(const char *text)
{
	uint8_t bytes[KERNELDUMP_HDR_LEN];
	struct kerneldump_hdr kh;
	const char *why = NULL;

	hex_decode(text, bytes, sizeof(bytes));
	if (!kerneldump_decode((struct span){ bytes, sizeof(bytes) }, &kh,
		&why))
		fail_msg("%s", why);
	return (kh);
}

static void
test_version4(void **state)
{
	struct kerneldump_hdr kh = decoded(version4);

	(void)state;
	assert_string_equal(kh.kh_magic, KERNELDUMP_MAGIC);
	assert_string_equal(kh.kh_architecture, "amd64");
	assert_int_equal(kh.kh_version, 4);
	assert_int_equal(kh.kh_arch_version, 2);
	assert_int_equal(kh.kh_dump_len, 0x666a000);
	assert_int_equal(kh.kh_dump_time, 0x5f000001);
	assert_int_equal(kh.kh_key_len, 512);
	assert_int_equal(kh.kh_block_len, 4096);
	assert_string_equal(kh.kh_hostname, "host.example");
	assert_string_equal(kh.kh_version_string, "FreeBSD 14.0\n");
	assert_string_equal(kh.kh_panic_string, "page fault");
	assert_int_equal(kh.kh_compression, KERNELDUMP_COMP_ZSTD);
	assert_int_equal(kh.kh_extent_len, 0x7000000);
}

static void
test_version1(void **state)
{
	struct kerneldump_hdr kh = decoded(version1);

	(void)state;
	assert_string_equal(kh.kh_architecture, "i386");
	assert_int_equal(kh.kh_version, 1);
	assert_int_equal(kh.kh_key_len, 0);
	assert_int_equal(kh.kh_block_len, 512);
	assert_string_equal(kh.kh_hostname, "host.example");
	assert_string_equal(kh.kh_version_string, "FreeBSD 6.2");
	assert_string_equal(kh.kh_panic_string, "page fault");
	assert_int_equal(kh.kh_compression, KERNELDUMP_COMP_NONE);
	assert_int_equal(kh.kh_extent_len, 0x666a000);
}

/* Strings that fill their field have no NUL in it, and get one. */
static void
test_unterminated(void **state)
{
	uint8_t bytes[KERNELDUMP_HDR_LEN];
	struct kerneldump_hdr kh;
	const char *why = NULL;

	(void)state;
	hex_decode(version4, bytes, sizeof(bytes));
	memset(bytes + 20, 'a', 12);
	memset(bytes + 64, 'h', 64);
	memset(bytes + 128, 'v', 192);
	memset(bytes + 320, 'p', 175);
	assert_true(kerneldump_decode((struct span){ bytes, sizeof(bytes) },
	    &kh, &why));
	assert_int_equal(strlen(kh.kh_architecture), 12);
	assert_int_equal(strlen(kh.kh_hostname), 64);
	assert_int_equal(strlen(kh.kh_version_string), 192);
	assert_int_equal(strlen(kh.kh_panic_string), 175);
}

static void
test_round_trip(void **state)
{
	struct kerneldump_hdr kh = decoded(version4);
	uint8_t want[KERNELDUMP_HDR_LEN], got[KERNELDUMP_HDR_LEN];

	(void)state;
	hex_decode(version4, want, sizeof(want));
	kerneldump_encode(&kh, got);
	/* All but the parity, which the text above does not state. */
	assert_memory_equal(got, want, 508);
	assert_true(kerneldump_parity_ok(got));
	assert_false(kerneldump_parity_ok(want));
}

/* Any flipped bit shows. */
static void
test_parity(void **state)
{
	struct kerneldump_hdr kh = decoded(version4);
	uint8_t hdr[KERNELDUMP_HDR_LEN];

	(void)state;
	kerneldump_encode(&kh, hdr);
	for (size_t bit = 0; bit < sizeof(hdr) * 8; bit++) {
		hdr[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(kerneldump_parity_ok(hdr));
		hdr[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(kerneldump_parity_ok(hdr));
}

/* The parity of a header whose bytes can be summed by hand. */
static void
test_parity_by_hand(void **state)
{
	uint8_t hdr[KERNELDUMP_HDR_LEN];

	(void)state;
	hex_decode("01020304 10203040 @508 11223344", hdr, sizeof(hdr));
	assert_true(kerneldump_parity_ok(hdr));
}

/* A text that is too long is cut, and the field keeps its NUL. */
static void
test_long_text(void **state)
{
	struct kerneldump_hdr kh = decoded(version4);
	struct kerneldump_hdr again;
	uint8_t hdr[KERNELDUMP_HDR_LEN];
	const char *why = NULL;

	(void)state;
	memset(kh.kh_panic_string, 'p', sizeof(kh.kh_panic_string) - 1);
	kerneldump_encode(&kh, hdr);
	assert_true(kerneldump_decode((struct span){ hdr, sizeof(hdr) }, &again,
	    &why));
	assert_int_equal(strlen(again.kh_panic_string), 174);
	assert_string_equal(again.kh_version_string, kh.kh_version_string);

	/* That of the version still ends in a newline. */
	memset(kh.kh_version_string, 'v', sizeof(kh.kh_version_string) - 1);
	kerneldump_encode(&kh, hdr);
	assert_true(kerneldump_decode((struct span){ hdr, sizeof(hdr) }, &again,
	    &why));
	assert_int_equal(strlen(again.kh_version_string), 191);
	assert_int_equal(again.kh_version_string[189], 'v');
	assert_int_equal(again.kh_version_string[190], '\n');
	assert_int_equal(again.kh_compression, KERNELDUMP_COMP_ZSTD);
}

static const struct bad_row {
	const char *name;
	const char *change;
	size_t len;
	const char *why;
} bad_rows[] = {
	{ "refuses: another magic", "@0 'NetBSD'", 512, "not a kernel dump" },
	{ "refuses: text behind the magic", "@19 '!'", 512,
	    "not a kernel dump" },
	{ "refuses: version 0", "@32 00000000", 512, "version" },
	{ "refuses: version 2", "@32 00000002", 512, "version" },
	{ "refuses: version 5", "@32 00000005", 512, "version" },
	{ "refuses: little-endian", "@32 04000000", 512, "version" },
	{ "refuses: one byte missing", "", 511, "shorter" },
	{ "refuses: nothing", "", 0, "shorter" },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	uint8_t bytes[KERNELDUMP_HDR_LEN];
	struct kerneldump_hdr kh;
	const char *why = NULL;

	hex_decode(version4, bytes, sizeof(bytes));
	hex_patch(row->change, bytes, sizeof(bytes));
	assert_false(kerneldump_decode((struct span){ bytes, row->len }, &kh,
	    &why));
	assert_non_null(why);
	if (strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
}

/* Headers of textdumps, and of dumps that were saved already. */
static void
test_other_magics(void **state)
{
	static const char *const magics[] = { "@0 'FreeBSD Text Dump' 0000",
		"@0 'Cleared Kernel Dump'" };
	uint8_t bytes[KERNELDUMP_HDR_LEN];
	struct kerneldump_hdr kh;
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < NROWS(magics); i++) {
		hex_decode(version4, bytes, sizeof(bytes));
		hex_patch(magics[i], bytes, sizeof(bytes));
		assert_true(kerneldump_decode((struct span){ bytes,
						  sizeof(bytes) },
		    &kh, &why));
		assert_memory_equal(kh.kh_magic, bytes, 20);
	}
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, bad_rows, test_bad);
	tests[n++] = row_test("version 4", test_version4, NULL);
	tests[n++] = row_test("version 1", test_version1, NULL);
	tests[n++] = row_test("texts without NUL", test_unterminated, NULL);
	tests[n++] = row_test("encodes what it decodes", test_round_trip, NULL);
	tests[n++] = row_test("texts that are too long", test_long_text, NULL);
	tests[n++] = row_test("parity: every bit", test_parity, NULL);
	tests[n++] = row_test("parity: by hand", test_parity_by_hand, NULL);
	tests[n++] =
	    row_test("textdumps, cleared dumps", test_other_magics, NULL);
	return (RUN_TESTS(tests, n));
}
