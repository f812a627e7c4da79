/* The header on the dump device: big-endian, with a parity. */
#include "format/kerneldump.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

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
	{ "refuses: text after the magic", "@19 '!'", 512,
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

/* A dump with everything, that ends in a header at 0x100000. */
static const struct place_row {
	const char *name;
	uint64_t last_off;
	uint32_t version, key_len;
	uint64_t dump_len, extent_len;
	uint32_t sector_len;
	uint64_t first_off; /* of the header */
	const char *why;    /* NULL: it lies there */
} place_rows[] = {
	{ "place: plain", 0x100000, 4, 0, 0x1000, 0x1000, 512, 0xfee00, NULL },
	{ "place: large sectors", 0x100000, 4, 0, 0x1000, 0x1000, 4096, 0xfe000,
	    NULL },
	{ "place: version 1, large sectors", 0x100000, 1, 0, 0x1000, 0x1000,
	    4096, 0xfee00, NULL },
	{ "place: key, more reserved than used", 0x100000, 4, 512, 1, 0x1000,
	    512, 0xfec00, NULL },
	{ "place: all of the device", 0x1200, 4, 0, 0x1000, 0x1000, 512, 0,
	    NULL },
	{ "refuses: no room for the header", 0x11ff, 4, 0, 0x1000, 0x1000, 512,
	    0, "larger than its device" },
	{ "refuses: no room for the key", 0x1001, 4, 512, 0x1000, 0x1000, 512,
	    0, "larger than its device" },
	{ "refuses: no room for the dump", 0xfff, 4, 0, 0x1000, 0x1000, 512, 0,
	    "larger than its device" },
	{ "refuses: the largest lengths", 0x100000, 4, UINT32_MAX, UINT64_MAX,
	    UINT64_MAX, 4096, 0, "larger than its device" },
	{ "refuses: more used than reserved", 0x100000, 4, 0, 0x1001, 0x1000,
	    512, 0, "longer than what is reserved" },
	{ "refuses: no bytes", 0x100000, 4, 0, 0, 0x1000, 512, 0, "no bytes" },
};

static void
test_place(void **state)
{
	const struct place_row *row = *state;
	struct kerneldump_hdr kh = { .kh_magic = KERNELDUMP_MAGIC,
		.kh_version = row->version,
		.kh_key_len = row->key_len,
		.kh_dump_len = row->dump_len,
		.kh_extent_len = row->extent_len };
	struct kerneldump_place kp;
	const char *why = NULL;
	bool ok =
	    kerneldump_place(&kh, row->last_off, row->sector_len, &kp, &why);

	assert_int_equal(ok, row->why == NULL);
	if (!ok) {
		if (strstr(why, row->why) == NULL)
			fail_msg("refused, but because of: %s", why);
		return;
	}
	assert_int_equal(kp.kpl_first_off, row->first_off);
	assert_int_equal(kp.kpl_last_off, row->last_off);
	assert_int_equal(kp.kpl_data_off, row->last_off - row->extent_len);
	assert_int_equal(kp.kpl_key_off, kp.kpl_data_off - row->key_len);
}

/* Half a block of a textdump is none. */
static void
test_text_blocks(void **state)
{
	struct kerneldump_hdr kh = { .kh_magic = KERNELDUMP_MAGIC_TEXT,
		.kh_version = 4,
		.kh_dump_len = 1024,
		.kh_extent_len = 1024 };
	struct kerneldump_place kp;
	const char *why = NULL;

	(void)state;
	assert_true(kerneldump_place(&kh, 0x10000, 512, &kp, &why));
	kh.kh_dump_len = 1023;
	assert_false(kerneldump_place(&kh, 0x10000, 512, &kp, &why));
	assert_non_null(strstr(why, "number of blocks"));
}

/* Clearing spoils the parity and is undone to the last bit. */
static void
test_clear(void **state)
{
	static const char *const magics[] = { KERNELDUMP_MAGIC,
		KERNELDUMP_MAGIC_TEXT };
	struct kerneldump_hdr kh = decoded(version4);

	(void)state;
	for (size_t i = 0; i < NROWS(magics); i++) {
		uint8_t before[KERNELDUMP_HDR_LEN], hdr[KERNELDUMP_HDR_LEN];

		strcpy(kh.kh_magic, magics[i]);
		kerneldump_encode(&kh, before);
		memcpy(hdr, before, sizeof(hdr));
		kerneldump_clear(hdr);
		assert_memory_equal(hdr, KERNELDUMP_MAGIC_CLEARED, 20);
		assert_memory_equal(hdr + 20, before + 20, sizeof(hdr) - 20);
		assert_false(kerneldump_parity_ok(hdr));
		kerneldump_unclear(hdr);
		assert_memory_equal(hdr, before, sizeof(hdr));
	}
}

static void
test_key(void **state)
{
	static const struct {
		const char *bytes;
		bool is;
	} keys[] = {
		{ "01 @33 00000100", true },
		{ "02 @33 00000800", true },
		{ "03 @33 00000100", false },
		{ "01 @33 00000801", false },
		{ "01 @33 00000000", false },
	};
	uint8_t head[KERNELDUMP_KEY_HEAD_LEN];
	struct span bytes = { .base = head, .len = sizeof(head) };

	(void)state;
	for (size_t i = 0; i < NROWS(keys); i++) {
		memset(head, 0, sizeof(head));
		hex_patch(keys[i].bytes, head, sizeof(head));
		assert_int_equal(kerneldump_is_key(bytes), keys[i].is);
	}
	bytes.len--;
	assert_false(kerneldump_is_key(bytes));
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, bad_rows, test_bad);
	ADD_ROWS(tests, n, place_rows, test_place);
	tests[n++] = row_test("version 4", test_version4, NULL);
	tests[n++] = row_test("version 1", test_version1, NULL);
	tests[n++] = row_test("texts without NUL", test_unterminated, NULL);
	tests[n++] = row_test("encodes what it decodes", test_round_trip, NULL);
	tests[n++] = row_test("texts that are too long", test_long_text, NULL);
	tests[n++] = row_test("parity: every bit", test_parity, NULL);
	tests[n++] = row_test("parity: by hand", test_parity_by_hand, NULL);
	tests[n++] =
	    row_test("textdumps, cleared dumps", test_other_magics, NULL);
	tests[n++] = row_test("textdumps: blocks", test_text_blocks, NULL);
	tests[n++] = row_test("clear, and undo it", test_clear, NULL);
	tests[n++] = row_test("the start of a key", test_key, NULL);
	return (RUN_TESTS(tests, n));
}
