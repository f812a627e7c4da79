/*
 * Compressed files: where the dump in them ends, and what is not in its place.
 */
#include <sys/stat.h>

#include <string.h>
#include <unistd.h>

#include "tests/libkvm/packed.h"
#include "tests/support/unit.h"

/* ---- where the dump ends ---- */

#define END_LEN (24 * 1048576)

/* zstd's checksum, or the length that follows gzip's. */
static void
damage_sum(struct packed *out)
{
	out->bytes[out->len - 1] ^= 0x10;
}

static unsigned int nasked;

/* It is known when two megabytes are there. */
static uint64_t
end_at_3m(int fd)
{
	struct stat st;

	nasked++;
	assert_int_equal(fstat(fd, &st), 0);
	return (st.st_size < 2 * 1048576 ? 0 : 3 * 1048576);
}

static uint64_t
end_unknown(int fd)
{
	(void)fd;
	nasked++;
	return (0);
}

static uint64_t
end_far(int fd)
{
	(void)fd;
	nasked++;
	return (END_LEN);
}

/* Until then, and slack, all is kept; the checksum comes after it. */
static const struct end_row {
	const char *name;
	uint64_t (*end)(int fd);
	void (*change)(struct packed *out);
	uint64_t len;
	bool unverified; /* all of it */
	unsigned int max_asked;
} end_rows[] = {
	{ "keeps no more than slack after the dump's end", end_at_3m, NULL,
	    3 * 1048576 + UNPACK_SLACK_LEN, false, 4 },
	{ "the checksum after the dump's end is wrong", end_at_3m, damage_sum,
	    3 * 1048576 + UNPACK_SLACK_LEN, true, 5 },
	{ "what comes after the piece of the dump's end does not matter",
	    end_at_3m, damage_tail, 3 * 1048576 + UNPACK_SLACK_LEN, false, 4 },
	{ "the dump's end is not known", end_unknown, NULL, END_LEN, false, 9 },
	{ "the dump's end is the file's", end_far, NULL, END_LEN, false, 1 },
};

static void
test_end(void **state)
{
	const struct end_row *row = *state;
	const struct unpack_how how = { .uh_end = row->end };
	void (*const adds[])(struct packed *, const uint8_t *,
	    size_t) = { add_gzip_plain, add_zstd };
	uint8_t *bytes = calloc(1, END_LEN);
	static struct packed packed;

	assert_non_null(bytes);
	for (size_t i = 0; i < NROWS(adds); i++) {
		struct unpacked out;
		struct stat st;
		char why[256];

		nasked = 0;
		packed.len = 0;
		adds[i](&packed, bytes, END_LEN);
		if (row->change != NULL)
			row->change(&packed);
		assert_int_equal(unpack_as(&packed, &how, &out, why), 0);
		assert_int_equal(fstat(out.upk_fd, &st), 0);
		assert_int_equal(st.st_size, row->len);
		assert_in_range(nasked, 1, row->max_asked);
		assert_int_equal(damage_total(&out.upk_damage,
				     DAMAGE_UNVERIFIED),
		    row->unverified ? row->len : 0);
		assert_int_equal(out.upk_damage.dmg_where[0] != '\0',
		    row->unverified);
		damage_fini(&out.upk_damage);
		(void)close(out.upk_fd);
	}
	free(bytes);
}

/* ---- pieces that are not in their places ---- */

/* As a copy of the file that has lost one piece, and closed the gap. */
static void
drop_piece(struct packed *out)
{
	size_t len = out->len / NPIECES;

	memmove(out->bytes + 2 * len, out->bytes + 3 * len, out->len - 3 * len);
	out->len -= len;
}

static void
drop_piece_pad(struct packed *out)
{
	drop_piece(out);
	pad(out);
}

static void
drop_end(struct packed *out)
{
	out->len -= out->len / NPIECES;
}

static uint64_t
end_of_data(int fd)
{
	(void)fd;
	return (DATA_LEN);
}

static uint64_t
end_before(int fd)
{
	(void)fd;
	return (DATA_LEN - PIECE_LEN);
}

static const struct place_row {
	const char *name;
	struct unpack_how how;
	void (*change)(struct packed *out);
	size_t certain_len;
	const char *where;
} place_rows[] = {
	{ "in place: the dump ends where it says", { .uh_end = end_of_data },
	    NULL, DATA_LEN, NULL },
	{ "in place: more than the dump", { .uh_end = end_before }, NULL,
	    DATA_LEN, NULL },
	{ "in place: no dump", { .uh_end = NULL }, drop_end,
	    DATA_LEN - PIECE_LEN, NULL },
	{ "in place: no more is wanted",
	    { .uh_end = end_of_data, .uh_len_max = 3 * PIECE_LEN }, NULL,
	    3 * PIECE_LEN, NULL },
	{ "in place: the file is cut in its last piece",
	    { .uh_end = end_of_data }, cut_end, DATA_LEN - PIECE_LEN,
	    " data is cut short" },
	{ "in doubt: a piece is gone", { .uh_end = end_of_data }, drop_piece,
	    PIECE_LEN, " data ends before the dump does" },
	{ "in doubt: a piece is gone, and zeros at the end",
	    { .uh_end = end_of_data }, drop_piece_pad, PIECE_LEN,
	    " data ends before the dump does" },
	{ "in doubt: the last piece is gone", { .uh_end = end_of_data },
	    drop_end, PIECE_LEN, " data ends before the dump does" },
	{ "in doubt: where the dump ends is not known",
	    { .uh_end = end_unknown }, NULL, PIECE_LEN,
	    " data ends before the dump does" },
};

static void
test_place(void **state)
{
	const struct place_row *row = *state;
	void (*const packs[])(struct packed *) = { pack_gzip_pieces,
		pack_zstd_pieces };
	static struct packed packed;

	for (size_t i = 0; i < NROWS(packs); i++) {
		struct unpacked out;
		char why[256];

		pack_anew(&packed, packs[i], row->change);
		assert_int_equal(unpack_as(&packed, &row->how, &out, why), 0);
		assert_why(out.upk_damage.dmg_where, row->where);
		assert_int_equal(certain_of(out.upk_fd, &out.upk_damage),
		    row->certain_len);
		damage_fini(&out.upk_damage);
		(void)close(out.upk_fd);
	}
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	make_data();
	ADD_ROWS(tests, n, end_rows, test_end);
	ADD_ROWS(tests, n, place_rows, test_place);
	return (RUN_TESTS(tests, n));
}
