/*
 * Compressed files: what they unpack to, and what is said of those that cannot
 * be unpacked.
 */
#include "libkvm/unpack.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "libkvm/unpack_int.h"
#include "tests/support/child.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define DATA_LEN 400000
#define PACK_MAX (2 * DATA_LEN + 1000)

/* unpack.c reads so much at once; what ends there is a case of its own. */
#define CHUNK_LEN 262144

static uint8_t data[DATA_LEN]; /* what the files hold */

struct packed {
	uint8_t bytes[PACK_MAX];
	size_t len;
};

/* Nothing that can be made smaller, so that no cut loses all of it. */
static void
make_data(void)
{
	uint64_t random = 88172645463325252;

	for (size_t i = 0; i < sizeof(data); i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		data[i] = (uint8_t)(random >> 32);
	}
}

/* ---- packing ---- */

/* A gzip member, made longer by as many bytes of a file name. */
static void
add_gzip(struct packed *out, const uint8_t *p, size_t len, size_t name_len)
{
	z_stream z = { .zalloc = Z_NULL };
	gz_header header = { .os = 3 };
	uint8_t *name = calloc(1, name_len + 1);

	assert_non_null(name);
	memset(name, 'n', name_len);
	header.name = name_len > 0 ? name : Z_NULL;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8,
			     Z_DEFAULT_STRATEGY),
	    Z_OK);
	assert_int_equal(deflateSetHeader(&z, &header), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)p;
	z.avail_in = (uInt)len;
	z.next_out = out->bytes + out->len;
	z.avail_out = (uInt)(PACK_MAX - out->len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len = PACK_MAX - z.avail_out;
	(void)deflateEnd(&z);
	free(name);
}

static void
add_gzip_plain(struct packed *out, const uint8_t *p, size_t len)
{
	add_gzip(out, p, len, 0);
}

/* A zstd frame with a checksum, and without what the flag stands for. */
static void
add_zstd_with(struct packed *out, const uint8_t *p, size_t len,
    ZSTD_cParameter without)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	size_t n;

	assert_non_null(z);
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	(void)ZSTD_CCtx_setParameter(z, without, 0);
	n = ZSTD_compress2(z, out->bytes + out->len, PACK_MAX - out->len, p,
	    len);
	assert_false(ZSTD_isError(n));
	out->len += n;
	(void)ZSTD_freeCCtx(z);
}

static void
add_zstd(struct packed *out, const uint8_t *p, size_t len)
{
	add_zstd_with(out, p, len, ZSTD_c_dictIDFlag);
}

static void
pack_plain(struct packed *out)
{
	memcpy(out->bytes, data, DATA_LEN);
	out->len = DATA_LEN;
}

static void
pack_gzip(struct packed *out)
{
	add_gzip(out, data, DATA_LEN, 0);
}

static void
pack_gzip_members(struct packed *out)
{
	add_gzip(out, data, 1000, 0);
	add_gzip(out, data + 1000, 0, 0);
	add_gzip(out, data + 1000, DATA_LEN - 1000, 0);
}

/* The first member ends exactly where the first chunk does. */
static void
pack_gzip_at_chunk(struct packed *out)
{
	size_t half = DATA_LEN / 2;

	add_gzip(out, data, half, 0);
	assert_in_range(out->len, 1, CHUNK_LEN - 2);
	half = CHUNK_LEN - out->len - 1; /* the name's NUL */
	out->len = 0;
	add_gzip(out, data, DATA_LEN / 2, half);
	assert_int_equal(out->len, CHUNK_LEN);
	add_gzip(out, data + DATA_LEN / 2, DATA_LEN - DATA_LEN / 2, 0);
}

static void
pack_zstd(struct packed *out)
{
	add_zstd(out, data, DATA_LEN);
}

static void
pack_zstd_frames(struct packed *out)
{
	static const uint8_t skippable[] = { 0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0,
		'x', 'y', 'z' };

	add_zstd(out, data, 1000);
	memcpy(out->bytes + out->len, skippable, sizeof(skippable));
	out->len += sizeof(skippable);
	add_zstd(out, data + 1000, DATA_LEN - 1000);
}

/* Frames of equal length, so that all but the last say the same of themselves. */
#define NPIECES	  8
#define PIECE_LEN (DATA_LEN / NPIECES)

static void
pack_zstd_pieces(struct packed *out)
{
	for (size_t i = 0; i < NPIECES; i++)
		add_zstd(out, data + i * PIECE_LEN, PIECE_LEN);
}

static void
pack_gzip_pieces(struct packed *out)
{
	for (size_t i = 0; i < NPIECES; i++)
		add_gzip(out, data + i * PIECE_LEN, PIECE_LEN, 0);
}

static void
put32(struct packed *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out->bytes[out->len++] = (uint8_t)(value >> 8 * i);
}

static void
put_seek_footer(struct packed *out, uint32_t nentries)
{
	put32(out, nentries);
	out->bytes[out->len++] = 0; /* no checksums */
	put32(out, 0x8f92eab1);
}

/* Frames that do not say how long they are, and the table that does. */
static void
pack_seekable(struct packed *out)
{
	uint32_t packed_len[NPIECES];

	for (size_t i = 0; i < NPIECES; i++) {
		size_t start = out->len;

		add_zstd_with(out, data + i * PIECE_LEN, PIECE_LEN,
		    ZSTD_c_contentSizeFlag);
		packed_len[i] = (uint32_t)(out->len - start);
	}
	put32(out, 0x184d2a5e);
	put32(out, NPIECES * 8 + 9);
	for (size_t i = 0; i < NPIECES; i++) {
		put32(out, packed_len[i]);
		put32(out, PIECE_LEN);
	}
	put_seek_footer(out, NPIECES);
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
cut_end(struct packed *out)
{
	out->len -= 3;
}

static void
damage_middle(struct packed *out)
{
	out->bytes[out->len / 2] ^= 0x10;
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

/* zstd's checksum, or the length that follows gzip's. */
static void
damage_sum(struct packed *out)
{
	out->bytes[out->len - 1] ^= 0x10;
}

static void
damage_tail(struct packed *out)
{
	memcpy(out->bytes + out->len, "this is no member and no frame", 30);
	out->len += 30;
}

/* More than one read's worth. */
static void
pad(struct packed *out)
{
	memset(out->bytes + out->len, 0, CHUNK_LEN + 512);
	out->len += CHUNK_LEN + 512;
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

/* ---- unpacking ---- */

static int
unpack_as(const struct packed *packed, const struct unpack_how *how,
    struct unpacked *out, char why[256])
{
	char path[TEMP_PATH_LEN];
	int error;

	why[0] = '\0';
	temp_named(packed->bytes, packed->len, path);
	error = unpack_open(path, how, out, why, 256);
	(void)unlink(path);
	if (error != 0)
		assert_int_equal(out->upk_fd, -1);
	return (error);
}

/* Without a wish.  Returns the descriptor, or -1. */
static int
unpack(const struct packed *packed, struct damage *damage, char why[256])
{
	const struct unpack_how how = { .uh_whole = false };
	struct unpacked out;
	int error = unpack_as(packed, &how, &out, why);

	assert_true(error == 0 || error == EINVAL);
	*damage = out.upk_damage;
	return (out.upk_fd);
}

/*
 * How much of data the file holds; it holds nothing else, but for what is said
 * to be damaged.
 */
static size_t
length_of(int fd, const struct damage *damage)
{
	static uint8_t got[DATA_LEN + 1];
	ssize_t n = pread(fd, got, sizeof(got), 0);

	assert_in_range(n, 0, DATA_LEN);
	for (uint64_t at = 0; at < (uint64_t)n;) {
		uint64_t len = (uint64_t)n - at;
		enum damage_kind kind;

		if (!damage_at(damage, at, &len, &kind))
			assert_memory_equal(got + at, data + at, len);
		at += len;
	}
	return ((size_t)n);
}

/* How many bytes are certain. */
static size_t
certain_of(int fd, const struct damage *damage)
{
	return (length_of(fd, damage) -
	    (size_t)damage_total(damage, DAMAGE_LOST) -
	    (size_t)damage_total(damage, DAMAGE_UNVERIFIED));
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
assert_why(const char *got, const char *want)
{
	if (want == NULL ? got[0] != '\0' : strstr(got, want) == NULL)
		fail_msg("because of: %s", got);
}

static void
test_pack(void **state)
{
	const struct pack_row *row = *state;
	static struct packed packed;
	struct damage damage;
	char why[256];
	int fd;

	packed.len = 0;
	row->pack(&packed);
	if (row->change != NULL)
		row->change(&packed);
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

	good.len = 0;
	row->pack(&good);
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

/* ---- what is wanted ---- */

static bool
want_nothing(struct span start)
{
	return (start.len == 0);
}

static bool
want_data(struct span start)
{
	return (memcmp(start.base, data, start.len) == 0);
}

static const struct how_row {
	const char *name;
	struct unpack_how how;
	void (*change)(struct packed *out);
	size_t min_len, max_len;
	const char *why;
} how_rows[] = {
	{ "the start is wanted", { .uh_wanted = want_data }, NULL, DATA_LEN,
	    DATA_LEN, NULL },
	{ "the start is not wanted", { .uh_wanted = want_nothing }, NULL, 4608,
	    CHUNK_LEN, NULL },
	{ "no more than is wanted", { .uh_len_max = 5000 }, NULL, 5000,
	    CHUNK_LEN, NULL },
	{ "whole: it is", { .uh_whole = true }, NULL, DATA_LEN, DATA_LEN,
	    NULL },
	{ "refuses: whole, but damaged", { .uh_whole = true }, damage_middle, 0,
	    0, "is damaged" },
	{ "refuses: whole, but cut", { .uh_whole = true }, cut_end, 0, 0,
	    "is cut short" },
};

static void
test_how(void **state)
{
	const struct how_row *row = *state;
	void (*const packs[])(struct packed *) = { pack_gzip, pack_zstd };
	static struct packed packed;

	for (size_t i = 0; i < NROWS(packs); i++) {
		struct unpacked out;
		char why[256];
		int error;

		packed.len = 0;
		packs[i](&packed);
		if (row->change != NULL)
			row->change(&packed);
		error = unpack_as(&packed, &row->how, &out, why);
		assert_why(why, row->why);
		assert_int_equal(error, row->why != NULL ? EINVAL : 0);
		if (error != 0)
			continue;
		assert_in_range(length_of(out.upk_fd, &out.upk_damage),
		    row->min_len, row->max_len);
		(void)close(out.upk_fd);
	}
}

/* A dump is mostly zeros; they take no space, wherever they are. */
static void
test_holes(void **state)
{
	enum { LEN = 16 * 1048576, AT = 5000001 };
	uint8_t *bytes = calloc(1, LEN);
	uint8_t *got = malloc(LEN);
	static struct packed packed;
	struct damage damage;
	struct stat st;
	char why[256];
	int fd;

	(void)state;
	assert_non_null(bytes);
	assert_non_null(got);
	memcpy(bytes + AT, data, 10000);
	packed.len = 0;
	add_zstd(&packed, bytes, LEN);
	fd = unpack(&packed, &damage, why);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, LEN);
	assert_in_range(st.st_blocks, 1, LEN / 512 / 4);
	assert_int_equal(pread(fd, got, LEN, 0), LEN);
	assert_memory_equal(got, bytes, LEN);
	(void)close(fd);
	free(got);
	free(bytes);
}

/* ---- where the dump ends ---- */

#define END_LEN (24 * 1048576)

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

		packed.len = 0;
		packs[i](&packed);
		if (row->change != NULL)
			row->change(&packed);
		assert_int_equal(unpack_as(&packed, &row->how, &out, why), 0);
		assert_why(out.upk_damage.dmg_where, row->where);
		assert_int_equal(certain_of(out.upk_fd, &out.upk_damage),
		    row->certain_len);
		damage_fini(&out.upk_damage);
		(void)close(out.upk_fd);
	}
}

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

	packed.len = 0;
	row->pack(&packed);
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
	packed.len = 0;
	pack_gzip(&packed);
	assert_int_equal(unpack_as(&packed, &how, &out, why), 0);
	(void)close(out.upk_fd);
	assert_in_range(r.n, 3, 100);
	assert_int_equal(r.first, 0);
	assert_int_equal(r.last, packed.len);
	assert_int_equal(r.total, packed.len);
	assert_false(r.goes_back);
	/* A file that is not packed is no long operation. */
	r.n = 0;
	packed.len = 0;
	pack_plain(&packed);
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

/* ---- where it unpacks to ---- */

static size_t
count_files(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return (n - 2);
}

static void
unpack_in(const void *arg)
{
	const char *dir = arg;
	static struct packed packed;
	const struct unpack_how how = { .uh_whole = true };
	char path[TEMP_PATH_LEN];
	struct unpacked out;
	char why[256];
	int error;

	pack_gzip(&packed);
	temp_named(packed.bytes, packed.len, path);
	assert_int_equal(setenv("TMPDIR", dir, 1), 0);
	error = unpack_open(path, &how, &out, why, sizeof(why));
	(void)unlink(path);
	if (error != 0) {
		assert_int_equal(error, EIO);
		assert_non_null(strstr(why, "TMPDIR"));
		_exit(2);
	}
	assert_int_equal(length_of(out.upk_fd, &out.upk_damage), DATA_LEN);
}

static void
test_tmpdir(void **state)
{
	char dir[] = "/tmp/vmcore-test.XXXXXX";
	char none[sizeof(dir) + 8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(none, sizeof(none), "%s/none", dir);
	assert_int_equal(run_child(unpack_in, dir), CHILD_OK);
	assert_int_equal(count_files(dir), 0);
	assert_int_equal(run_child(unpack_in, none), 2);
	assert_int_equal(run_child(unpack_in, ""), CHILD_OK);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_tmpdir_too_long(void **state)
{
	static char dir[2000];

	(void)state;
	memset(dir, 'd', sizeof(dir) - 1);
	assert_int_equal(run_child(unpack_in, dir), 2);
}

/* ---- what is no file ---- */

static void
open_special(const void *path)
{
	const struct unpack_how how = { .uh_whole = true };
	struct unpacked out;
	char why[256];

	assert_int_not_equal(unpack_open(path, &how, &out, why, sizeof(why)),
	    0);
	(void)alarm(0);
	_exit(strstr(why, "not a regular file") != NULL	   ? 2 :
		strstr(why, "No such file or dir") != NULL ? 3 :
							     4);
}

/* Nobody writes to the FIFO: waiting for that would be for ever. */
static void
test_special(void **state)
{
	char dir[] = "/tmp/vmcore-test.XXXXXX";
	char fifo[sizeof(dir) + 8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(run_child(open_special, fifo), 3);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(run_child(open_special, fifo), 2);
	assert_int_equal(run_child(open_special, dir), 2);
	assert_int_equal(run_child(open_special, "/dev/null"), 2);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	struct CMUnitTest tests[80];
	size_t n = 0;

	make_data();
	ADD_ROWS(tests, n, pack_rows, test_pack);
	ADD_ROWS(tests, n, flip_rows, test_flip);
	ADD_ROWS(tests, n, how_rows, test_how);
	ADD_ROWS(tests, n, end_rows, test_end);
	ADD_ROWS(tests, n, place_rows, test_place);
	ADD_ROWS(tests, n, padding_rows, test_padding);
	ADD_ROWS(tests, n, cost_rows, test_cost);
	tests[n++] = row_test("zeros become holes", test_holes, NULL);
	tests[n++] = row_test("progress", test_progress, NULL);
	tests[n++] =
	    row_test("cost: 50 damaged frames, one read", test_read_once, NULL);
	tests[n++] =
	    row_test("TMPDIR: left empty, missing, unset", test_tmpdir, NULL);
	tests[n++] = row_test("TMPDIR: too long", test_tmpdir_too_long, NULL);
	tests[n++] = row_test("FIFO, directory, device, nothing: refused",
	    test_special, NULL);
	return (RUN_TESTS(tests, n));
}
