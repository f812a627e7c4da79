/* The message buffer: where the text starts and ends. */
#include "format/msgbuf.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

/* A ring of 0x100 bytes at 0xfffff80007fe0000, sequence numbers to 0x1000. */
/* clang-format off */
static const char lp64_little[] =
	"0000fe0700f8ffff 62300600 00010000 "	/* ring, magic, size */
	"30020000 10020000 00000000 "		/* wseq, rseq, checksum */
	"00100000 ffffffff 02000000";		/* seqmod, priority, flags */
static const char ilp32_big[] =
	"c0fe0000 00063062 00000100 "
	"00000230 00000210 00000000 "
	"00001000 ffffffff 00000001";
/* clang-format on */

static void
test_lp64(void **state)
{
	uint8_t bytes[MSGBUF_LEN];
	struct msgbuf mb;
	const char *why = NULL;

	(void)state;
	hex_decode(lp64_little, bytes, sizeof(bytes));
	assert_true(msgbuf_decode((struct span){ bytes, sizeof(bytes) },
	    ORDER_LITTLE, 8, &mb, &why));
	assert_true(mb.mb_ptr_va == UINT64_C(0xfffff80007fe0000));
	assert_int_equal(mb.mb_size, 0x100);
	assert_int_equal(mb.mb_wseq, 0x230);
	assert_int_equal(mb.mb_rseq, 0x210);
	assert_int_equal(mb.mb_seqmod, 0x1000);
	assert_true(mb.mb_wrapped);
}

static void
test_ilp32_big(void **state)
{
	uint8_t bytes[36];
	struct msgbuf mb;
	const char *why = NULL;

	(void)state;
	hex_decode(ilp32_big, bytes, sizeof(bytes));
	assert_true(msgbuf_decode((struct span){ bytes, sizeof(bytes) },
	    ORDER_BIG, 4, &mb, &why));
	assert_int_equal(mb.mb_ptr_va, 0xc0fe0000);
	assert_int_equal(mb.mb_size, 0x100);
	assert_int_equal(mb.mb_wseq, 0x230);
	assert_false(mb.mb_wrapped);
}

static const struct bad_row {
	const char *name;
	const char *change;
	size_t len;
	const char *why;
} bad_rows[] = {
	{ "refuses: one byte missing", "", MSGBUF_LEN - 1, "short" },
	{ "refuses: nothing", "", 0, "short" },
	{ "refuses: a wrong magic number", "@8 63", MSGBUF_LEN, "magic" },
	{ "refuses: an empty ring", "@12 00000000", MSGBUF_LEN, "contradicts" },
	{ "refuses: no sequence numbers", "@28 00000000", MSGBUF_LEN,
	    "contradicts" },
	{ "refuses: seqmod is no multiple of the size", "@28 01100000",
	    MSGBUF_LEN, "contradicts" },
	{ "refuses: written beyond seqmod", "@16 00100000", MSGBUF_LEN,
	    "contradicts" },
	{ "refuses: read beyond seqmod", "@20 ffffffff", MSGBUF_LEN,
	    "contradicts" },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	uint8_t bytes[MSGBUF_LEN];
	struct msgbuf mb;
	const char *why = NULL;

	hex_decode(lp64_little, bytes, sizeof(bytes));
	hex_patch(row->change, bytes, sizeof(bytes));
	assert_false(msgbuf_decode((struct span){ bytes, row->len },
	    ORDER_LITTLE, 8, &mb, &why));
	assert_non_null(why);
	if (strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
}

/* A ring of 16 bytes, sequence numbers modulo 256. */
static const struct run_row {
	const char *name;
	uint32_t wseq, rseq;
	struct msgbuf_run all[2], unread[2];
} run_rows[] = {
	{ "nothing written", 0, 0, { { 0, 16 }, { 0, 0 } },
	    { { 0, 0 }, { 0, 0 } } },
	{ "five bytes written, two of them read", 5, 2, { { 5, 11 }, { 0, 5 } },
	    { { 2, 3 }, { 0, 0 } } },
	{ "the ring is just full", 16, 0, { { 0, 16 }, { 0, 0 } },
	    { { 0, 16 }, { 0, 0 } } },
	{ "unread text that wraps", 20, 12, { { 4, 12 }, { 0, 4 } },
	    { { 12, 4 }, { 0, 4 } } },
	{ "more unread than the ring holds", 100, 10, { { 4, 12 }, { 0, 4 } },
	    { { 4, 12 }, { 0, 4 } } },
	{ "the sequence numbers went round", 3, 254, { { 3, 13 }, { 0, 3 } },
	    { { 14, 2 }, { 0, 3 } } },
};

static void
assert_runs_equal(const struct msgbuf_run *got, const struct msgbuf_run *want)
{
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(got[i].len, want[i].len);
		if (want[i].len != 0)
			assert_int_equal(got[i].off, want[i].off);
	}
}

static void
test_runs(void **state)
{
	const struct run_row *row = *state;
	struct msgbuf mb = { .mb_size = 16,
		.mb_seqmod = 256,
		.mb_wseq = row->wseq,
		.mb_rseq = row->rseq };
	struct msgbuf_run run[2];

	msgbuf_all(&mb, run);
	assert_runs_equal(run, row->all);
	msgbuf_unread(&mb, run);
	assert_runs_equal(run, row->unread);
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	tests[n++] = row_test("64 bits, little-endian", test_lp64, NULL);
	tests[n++] = row_test("32 bits, big-endian", test_ilp32_big, NULL);
	ADD_ROWS(tests, n, bad_rows, test_bad);
	ADD_ROWS(tests, n, run_rows, test_runs);
	return (RUN_TESTS(tests, n));
}
