/*
 * Compressed files: what damage may cost, and what is told of a long operation.
 */
#include <string.h>
#include <unistd.h>

#include "libkvm/unpack_int.h"
#include "tests/libkvm/packed.h"
#include "tests/support/unit.h"

/* ---- what a search may cost ---- */

static const struct padding_row {
	const char *name;
	uint8_t rest[8];
	size_t len;
	uint64_t budget, left;
	bool is;
} padding_rows[] = {
	{ "padding: nothing", { 0 }, 0, 5, 5, true },
	{ "padding: zeros", { 0 }, 8, 9, 1, true },
	{ "padding: zeros that cost too much", { 0 }, 8, 7, 0, false },
	{ "no padding: a byte after zeros", { 0, 0, 0, 1 }, 4, 9, 6, false },
	{ "no padding: a byte first", { 1 }, 8, 9, 9, false },
};

static void
test_padding(void **state)
{
	const struct padding_row *row = *state;
	struct unpack u = { .up_budget = row->budget };

	assert_int_equal(unpack_is_padding(&u,
			     (struct span){ row->rest, row->len }),
	    row->is);
	assert_int_equal(u.up_budget, row->left);
}

/* What is wrong with it: its block is of a kind that there is not. */
#define BAD_FRAME                                                              \
	{                                                                      \
		0x28, 0xb5, 0x2f, 0xfd, 0, 0, 7, 0, 0                          \
	}

/*
 * A seekable file of n frames of 9 bytes, and of rest_len bytes after them. Its
 * table says that each unpacks to a byte, and so does the rest.
 */
static void
pack_bad(struct packed *out, const uint8_t frame[9], uint32_t n,
    uint32_t rest_len)
{
	uint32_t nentries = n + (rest_len > 0);

	for (uint32_t i = 0; i < n; i++) {
		memcpy(out->bytes + out->len, frame, 9);
		out->len += 9;
	}
	out->len += rest_len;
	put32(out, 0x184d2a5e);
	put32(out, nentries * 8 + 9);
	for (uint32_t i = 0; i < nentries; i++) {
		put32(out, i < n ? 9 : rest_len);
		put32(out, 1);
	}
	put_seek_footer(out, nentries);
}

/* The table is read for each frame: 8 KB a thousand times, of a file of 17 KB. */
static void
pack_long_table(struct packed *out)
{
	static const uint8_t frame[9] = BAD_FRAME;

	pack_bad(out, frame, 1000, 0);
}

/*
 * From each of 30 frames on, 8 MB can be decoded if their headers are passed
 * over.  These have a bit that must not be there, and a block that goes to the
 * end of the next one's header.
 */
static void
pack_long_chain(struct packed *out)
{
	static const uint8_t frame[9] = { 0x28, 0xb5, 0x2f, 0xfd, 8, 0, 6 << 3,
		0, 0 };
	static const uint8_t rest_head[6] = { 0x28, 0xb5, 0x2f, 0xfd, 8, 0 };
	static const uint8_t zeros_128k[4] = { 2, 0, 16, 0 };
	enum { N = 30, NBLOCKS = 64 };
	uint8_t *rest = out->bytes + sizeof(frame) * N;

	memcpy(rest, rest_head, sizeof(rest_head));
	for (size_t i = 0; i < NBLOCKS; i++)
		memcpy(rest + sizeof(rest_head) + i * 4, zeros_128k, 4);
	pack_bad(out, frame, N, sizeof(rest_head) + NBLOCKS * 4);
}

/* Zeros instead of frames.  From each on, they are read up to their end. */
static void
pack_long_zeros(struct packed *out)
{
	static const uint8_t frame[9] = BAD_FRAME, lost[9] = { 0 };
	enum { N = 200, REST_LEN = 100000 };

	memset(out->bytes + sizeof(lost) * N, 0, REST_LEN);
	pack_bad(out, lost, N, REST_LEN);
	memcpy(out->bytes, frame, sizeof(frame)); /* a file of zstd */
}

static const struct cost_row {
	const char *name;
	void (*pack)(struct packed *out);
	size_t min_runs, max_runs; /* of damage: a frame each */
} cost_rows[] = {
	{ "cost: a table that is long is looked at 136 times", pack_long_table,
	    136, 136 },
	{ "cost: once more, but not 30 times, to the end of the file",
	    pack_long_chain, 1, 1 },
	{ "cost: zeros are read 64 times, not 200", pack_long_zeros, 65, 65 },
};

static void
test_cost(void **state)
{
	const struct cost_row *row = *state;
	static struct packed packed;
	struct damage damage;
	char why[256];
	int fd;

	pack_anew(&packed, row->pack, NULL);
	fd = unpack(&packed, &damage, why);
	if (fd < 0)
		fail_msg("%s", why);
	assert_in_range(damage.dmg_nruns, row->min_runs, row->max_runs);
	damage_fini(&damage);
	(void)close(fd);
}

/* ---- progress ---- */

struct reports {
	uint64_t first, last, total;
	unsigned int n;
	bool goes_back;
};

static void
on_report(void *arg, uint64_t done, uint64_t total)
{
	struct reports *r = arg;

	if (r->n++ == 0)
		r->first = done;
	r->goes_back = r->goes_back || done < r->last;
	r->last = done;
	r->total = total;
}

static void
test_progress(void **state)
{
	struct reports r = { .first = 99 };
	struct kvm_progress progress = { .kpr_report = on_report,
		.kpr_arg = &r };
	const struct unpack_how how = { .uh_progress = &progress };
	static struct packed packed;
	struct unpacked out;
	char why[256];

	(void)state;
	pack_anew(&packed, pack_gzip, NULL);
	assert_int_equal(unpack_as(&packed, &how, &out, why), 0);
	(void)close(out.upk_fd);
	assert_in_range(r.n, 3, 100);
	assert_int_equal(r.first, 0);
	assert_int_equal(r.last, packed.len);
	assert_int_equal(r.total, packed.len);
	assert_false(r.goes_back);
	/* A file that is not packed is no long operation. */
	r.n = 0;
	pack_anew(&packed, pack_plain, NULL);
	assert_int_equal(unpack_as(&packed, &how, &out, why), 0);
	(void)close(out.upk_fd);
	assert_int_equal(r.n, 0);
}

/* A file of small frames, all damaged, is still read once. */
static void
test_read_once(void **state)
{
	struct reports r = { .first = 0 };
	struct kvm_progress progress = { .kpr_report = on_report,
		.kpr_arg = &r };
	const struct unpack_how how = { .uh_progress = &progress };
	static const uint8_t frame[9] = BAD_FRAME;
	static struct packed packed;
	struct unpacked out;
	char why[256];

	(void)state;
	pack_bad(&packed, frame, 50, 0);
	assert_int_equal(unpack_as(&packed, &how, &out, why), 0);
	assert_int_equal(out.upk_damage.dmg_nruns, 50);
	damage_fini(&out.upk_damage);
	(void)close(out.upk_fd);
	/* Once more at the end of the file, and when all is done. */
	assert_int_equal(r.n, 3);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	make_data();
	ADD_ROWS(tests, n, padding_rows, test_padding);
	ADD_ROWS(tests, n, cost_rows, test_cost);
	tests[n++] = row_test("progress", test_progress, NULL);
	tests[n++] =
	    row_test("cost: 50 damaged frames, one read", test_read_once, NULL);
	return (RUN_TESTS(tests, n));
}
