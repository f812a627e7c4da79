/*
 * Compressed files: what they unpack to, and what is said of those that cannot
 * be unpacked.
 */
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/packed.h"
#include "tests/support/unit.h"

static void
pack_gzip_members(struct packed *out)
{
	add_gzip(out, packed_data, 1000, 0);
	add_gzip(out, packed_data + 1000, 0, 0);
	add_gzip(out, packed_data + 1000, DATA_LEN - 1000, 0);
}

/* The first member ends exactly where the first chunk does. */
static void
pack_gzip_at_chunk(struct packed *out)
{
	size_t half = DATA_LEN / 2;

	add_gzip(out, packed_data, half, 0);
	assert_in_range(out->len, 1, CHUNK_LEN - 2);
	half = CHUNK_LEN - out->len - 1; /* the name's NUL */
	out->len = 0;
	add_gzip(out, packed_data, DATA_LEN / 2, half);
	assert_int_equal(out->len, CHUNK_LEN);
	add_gzip(out, packed_data + DATA_LEN / 2, DATA_LEN - DATA_LEN / 2, 0);
}

static void
pack_zstd_frames(struct packed *out)
{
	static const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0,
		'x', 'y', 'z' };

	add_zstd(out, packed_data, 1000);
	memcpy(out->bytes + out->len, skippable, sizeof(skippable));
	out->len += sizeof(skippable);
	add_zstd(out, packed_data + 1000, DATA_LEN - 1000);
}

static void
cut_in_half(struct packed *out)
{
	out->len /= 2;
}

static void
cut_to_header(struct packed *out)
{
	out->len = 9;
}

static void
damage_magic(struct packed *out)
{
	out->bytes[out->len / 2 + 3] ^= 0x10;
}

static void
damage_quarter(struct packed *out)
{
	out->bytes[out->len / 4 + out->len / 16] ^= 0x10;
}

/* As a disk or a copy of the file that has lost one piece. */
static void
zero_piece(struct packed *out)
{
	size_t len = out->len / NPIECES;

	memset(out->bytes + 2 * len, 0, len);
}

static void
zero_seekable_piece(struct packed *out)
{
	size_t table_len = 8 + NPIECES * 8 + 9;

	out->len -= table_len;
	zero_piece(out);
	out->len += table_len;
}

static void
pad_and_damage(struct packed *out)
{
	pad(out);
	damage_tail(out);
}

static void
one_byte_short_of_magic(struct packed *out)
{
	out->len = 3;
}

static const struct pack_row {
	const char *name;
	void (*pack)(struct packed *out);
	void (*change)(struct packed *out); /* may be NULL */
	size_t min_len, max_len;	    /* what is left of data */
	size_t certain_len;
	const char *why; /* why not all is certain, or it is refused */
} pack_rows[] = {
	{ "plain", pack_plain, NULL, DATA_LEN, DATA_LEN, DATA_LEN, NULL },
	{ "gzip", pack_gzip, NULL, DATA_LEN, DATA_LEN, DATA_LEN, NULL },
	{ "gzip: three members, one of them empty", pack_gzip_members, NULL,
	    DATA_LEN, DATA_LEN, DATA_LEN, NULL },
	{ "gzip: a member ends where a read does", pack_gzip_at_chunk, NULL,
	    DATA_LEN, DATA_LEN, DATA_LEN, NULL },
	{ "gzip: zeros behind the last member", pack_gzip, pad, DATA_LEN,
	    DATA_LEN, DATA_LEN, NULL },
	{ "zstd", pack_zstd, NULL, DATA_LEN, DATA_LEN, DATA_LEN, NULL },
	{ "zstd: two frames and one to skip", pack_zstd_frames, NULL, DATA_LEN,
	    DATA_LEN, DATA_LEN, NULL },
	{ "zstd: zeros behind the last frame", pack_zstd, pad, DATA_LEN,
	    DATA_LEN, DATA_LEN, NULL },
	{ "zstd: seekable", pack_seekable, NULL, DATA_LEN, DATA_LEN, DATA_LEN,
	    NULL },
	{ "gzip: cut in half", pack_gzip, cut_in_half, 1, DATA_LEN - 1, 0,
	    "gzip data is cut short at byte " },
	{ "zstd: cut in half", pack_zstd, cut_in_half, 1, DATA_LEN - 1, 0,
	    "zstd data is cut short at byte " },
	{ "gzip: its last bytes are missing", pack_gzip, cut_end, DATA_LEN,
	    DATA_LEN, 0, "gzip data is cut short" },
	{ "zstd: its last bytes are missing", pack_zstd, cut_end, 1, DATA_LEN,
	    0, "zstd data is cut short" },
	{ "gzip: members before the cut are certain", pack_gzip_members,
	    cut_end, DATA_LEN, DATA_LEN, 1000, "gzip data is cut short" },
	{ "zstd: frames before the cut are certain", pack_zstd_frames, cut_end,
	    1000, DATA_LEN, 1000, "zstd data is cut short" },
	{ "three bytes are too few to be packed", pack_plain,
	    one_byte_short_of_magic, 3, 3, 3, NULL },
	{ "gzip: damaged in the middle", pack_gzip, damage_middle, 1, DATA_LEN,
	    0, "gzip data from byte 0 on is damaged" },
	{ "zstd: damaged in the middle", pack_zstd, damage_middle, 1, DATA_LEN,
	    0, "zstd data from byte 0 on is damaged" },
	{ "gzip: a damaged member among others", pack_gzip_pieces,
	    damage_quarter, DATA_LEN, DATA_LEN, DATA_LEN - PIECE_LEN,
	    "gzip data from byte " },
	{ "zstd: a damaged frame among others", pack_zstd_pieces,
	    damage_quarter, DATA_LEN, DATA_LEN, DATA_LEN - PIECE_LEN,
	    "zstd data from byte " },
	{ "zstd: a damaged magic number loses nothing", pack_zstd_pieces,
	    damage_magic, DATA_LEN, DATA_LEN, DATA_LEN,
	    "zstd data from byte " },
	{ "zstd: a damaged frame of a seekable file", pack_seekable,
	    damage_middle, DATA_LEN, DATA_LEN, DATA_LEN - PIECE_LEN,
	    "zstd data from byte " },
	{ "gzip: zeros in the place of a member", pack_gzip_pieces, zero_piece,
	    2 * PIECE_LEN, 2 * PIECE_LEN, 2 * PIECE_LEN,
	    "gzip data from byte " },
	{ "zstd: zeros in the place of a frame", pack_zstd_pieces, zero_piece,
	    2 * PIECE_LEN, 2 * PIECE_LEN, 2 * PIECE_LEN,
	    "zstd data from byte " },
	{ "zstd: zeros in the place of a frame of a seekable file",
	    pack_seekable, zero_seekable_piece, DATA_LEN, DATA_LEN,
	    DATA_LEN - PIECE_LEN, "zstd data from byte " },
	{ "gzip: text behind the last member", pack_gzip, damage_tail, DATA_LEN,
	    DATA_LEN, DATA_LEN, "gzip data from byte " },
	{ "gzip: text behind zeros", pack_gzip, pad_and_damage, DATA_LEN,
	    DATA_LEN, DATA_LEN, "gzip data from byte " },
	{ "zstd: text behind the last frame", pack_zstd, damage_tail, DATA_LEN,
	    DATA_LEN, DATA_LEN, "zstd data from byte " },
	{ "refuses: nothing but a gzip header", pack_gzip, cut_to_header, 0, 0,
	    0, "gzip data is cut short" },
	{ "refuses: nothing but a zstd header", pack_zstd, cut_to_header, 0, 0,
	    0, "zstd data is cut short" },
};

static void
test_pack(void **state)
{
	const struct pack_row *row = *state;
	static struct packed packed;
	struct damage damage;
	char why[256];
	int fd;

	pack_anew(&packed, row->pack, row->change);
	fd = unpack(&packed, &damage, why);
	if (row->max_len == 0) {
		assert_int_equal(fd, -1);
		assert_why(why, row->why);
		return;
	}
	if (fd < 0)
		fail_msg("%s", why);
	assert_why(damage.dmg_where, row->why);
	assert_in_range(length_of(fd, &damage), row->min_len, row->max_len);
	assert_int_equal(certain_of(fd, &damage), row->certain_len);
	damage_fini(&damage);
	(void)close(fd);
}

/* ---- one wrong byte, anywhere ---- */

static const struct flip_row {
	const char *name;
	void (*pack)(struct packed *out);
	size_t step;
	bool cut; /* the file's last byte is missing, too */
} flip_rows[] = {
	{ "one wrong byte: gzip", pack_gzip, 39877, false },
	{ "one wrong byte: zstd", pack_zstd, 39877, false },
	{ "one wrong byte: gzip members", pack_gzip_pieces, 19937, false },
	{ "one wrong byte: zstd frames", pack_zstd_pieces, 19937, false },
	{ "one wrong byte: seekable", pack_seekable, 19937, false },
	{ "one wrong byte and a cut: gzip", pack_gzip, 39877, true },
	{ "one wrong byte and a cut: zstd", pack_zstd, 39877, true },
	{ "one wrong byte and a cut: zstd frames", pack_zstd_pieces, 39877,
	    true },
	{ "one wrong byte and a cut: gzip members", pack_gzip_pieces, 39877,
	    true },
};

static void
flip_one(const struct packed *good, size_t at, uint8_t bits, bool cut)
{
	static struct packed packed;
	struct damage damage;
	char why[256];
	int fd;

	packed = *good;
	packed.bytes[at] ^= bits;
	packed.len -= cut;
	fd = unpack(&packed, &damage, why);
	if (fd < 0)
		return;
	/* Where magic numbers were, the file is taken for a plain one. */
	if (at >= 4)
		(void)length_of(fd, &damage);
	damage_fini(&damage);
	(void)close(fd);
}

/* No byte that is not named is wrong; nor is one in another place. */
static void
test_flip(void **state)
{
	const struct flip_row *row = *state;
	static struct packed good;
	size_t piece;

	pack_anew(&good, row->pack, NULL);
	piece = good.len / NPIECES;
	for (size_t at = 0; at < good.len - 1; at += row->step)
		flip_one(&good, at, 0x10, row->cut);
	/* Around the ends of pieces, where lengths and checksums are. */
	for (size_t i = 0; i < 16; i++) {
		flip_one(&good, i, (uint8_t)(1 << i % 8), row->cut);
		flip_one(&good, good.len - 1 - i, 0x04, row->cut);
		flip_one(&good, piece * 2 - 8 + i, 0x41, row->cut);
	}
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	make_data();
	ADD_ROWS(tests, n, pack_rows, test_pack);
	ADD_ROWS(tests, n, flip_rows, test_flip);
	return (RUN_TESTS(tests, n));
}
