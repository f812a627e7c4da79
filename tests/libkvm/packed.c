/*
 * Files packed by gzip and zstd.
 */
#include "tests/libkvm/packed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/support/temp.h"
#include "tests/support/unit.h"

uint8_t packed_data[DATA_LEN];

void
make_data(void)
{
	uint64_t random = 88172645463325252;

	for (size_t i = 0; i < sizeof(packed_data); i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		packed_data[i] = (uint8_t)(random >> 32);
	}
}

void
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

void
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

void
add_zstd(struct packed *out, const uint8_t *p, size_t len)
{
	add_zstd_with(out, p, len, ZSTD_c_dictIDFlag);
}

void
pack_plain(struct packed *out)
{
	memcpy(out->bytes, packed_data, DATA_LEN);
	out->len = DATA_LEN;
}

void
pack_gzip(struct packed *out)
{
	add_gzip(out, packed_data, DATA_LEN, 0);
}

void
pack_zstd(struct packed *out)
{
	add_zstd(out, packed_data, DATA_LEN);
}

void
pack_zstd_pieces(struct packed *out)
{
	for (size_t i = 0; i < NPIECES; i++)
		add_zstd(out, packed_data + i * PIECE_LEN, PIECE_LEN);
}

void
pack_gzip_pieces(struct packed *out)
{
	for (size_t i = 0; i < NPIECES; i++)
		add_gzip(out, packed_data + i * PIECE_LEN, PIECE_LEN, 0);
}

void
put32(struct packed *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out->bytes[out->len++] = (uint8_t)(value >> 8 * i);
}

void
put_seek_footer(struct packed *out, uint32_t nentries)
{
	put32(out, nentries);
	out->bytes[out->len++] = 0; /* no checksums */
	put32(out, 0x8f92eab1);
}

void
pack_seekable(struct packed *out)
{
	uint32_t packed_len[NPIECES];

	for (size_t i = 0; i < NPIECES; i++) {
		size_t start = out->len;

		add_zstd_with(out, packed_data + i * PIECE_LEN, PIECE_LEN,
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

void
pack_anew(struct packed *out, void (*pack)(struct packed *out),
    void (*change)(struct packed *out))
{
	out->len = 0;
	pack(out);
	if (change != NULL)
		change(out);
}

void
cut_end(struct packed *out)
{
	out->len -= 3;
}

void
damage_middle(struct packed *out)
{
	out->bytes[out->len / 2] ^= 0x10;
}

void
damage_tail(struct packed *out)
{
	memcpy(out->bytes + out->len, "this is no member and no frame", 30);
	out->len += 30;
}

void
pad(struct packed *out)
{
	memset(out->bytes + out->len, 0, CHUNK_LEN + 512);
	out->len += CHUNK_LEN + 512;
}

int
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

int
unpack(const struct packed *packed, struct damage *damage, char why[256])
{
	const struct unpack_how how = { .uh_whole = false };
	struct unpacked out;
	int error = unpack_as(packed, &how, &out, why);

	assert_true(error == 0 || error == EINVAL);
	*damage = out.upk_damage;
	return (out.upk_fd);
}

size_t
length_of(int fd, const struct damage *damage)
{
	static uint8_t got[DATA_LEN + 1];
	ssize_t n = pread(fd, got, sizeof(got), 0);

	assert_in_range(n, 0, DATA_LEN);
	for (uint64_t at = 0; at < (uint64_t)n;) {
		uint64_t len = (uint64_t)n - at;
		enum damage_kind kind;

		if (!damage_at(damage, at, &len, &kind))
			assert_memory_equal(got + at, packed_data + at, len);
		at += len;
	}
	return ((size_t)n);
}

size_t
certain_of(int fd, const struct damage *damage)
{
	return (length_of(fd, damage) -
	    (size_t)damage_total(damage, DAMAGE_LOST) -
	    (size_t)damage_total(damage, DAMAGE_UNVERIFIED));
}

void
assert_why(const char *got, const char *want)
{
	if (want == NULL ? got[0] != '\0' : strstr(got, want) == NULL)
		fail_msg("because of: %s", got);
}
