/*
 * gzip: members, each with the CRC of what it unpacks to and its length modulo
 * 2^32, which follow each other.  RFC 1952.
 *
 * After a damaged member the next one is searched for.  Where in the output it
 * belongs is only known if its predecessor's length is, so a place is believed
 * if all of this holds:
 *
 *  - from there members follow each other to the end of the file, all of whose
 *    CRCs are right: bytes that look like a member do not;
 *  - the length that stands before it is exact: deflate makes no data shorter
 *    than 1/1032, so that a short member unpacks to less than 2^32 bytes;
 *  - the damage is not in the length: then the CRC is right, and what was
 *    decoded is the length.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "format/bytes.h"
#include "libkvm/mapping.h"
#include "libkvm/unpack_int.h"

#define GZIP	    (16 + MAX_WBITS)
#define HEADER_LEN  10
#define TRAILER_LEN 8
#define RATIO_MAX   1032

/*
 * The bytes that may be read and unpacked in a search for members.  A place where
 * one might start costs some, too, since a decoder is set up for it.
 */
#define SEARCH_FREE  (UINT64_C(256) << 20)
#define SEARCH_RATIO 16
#define SEARCH_PLACE 4096

struct gzip {
	struct unpack *gz_u;
	z_stream gz_z;
};

/* ---- one member ---- */

/* Decode what was read of the file, as far as the output has room. */
static int
inflate_some(struct gzip *gz)
{
	struct unpack *u = gz->gz_u;
	z_stream *z = &gz->gz_z;
	int error;

	z->next_in = (Bytef *)(uintptr_t)u->up_next;
	z->avail_in = (uInt)u->up_left;
	z->next_out = u->up_out;
	z->avail_out = UNPACK_CHUNK_LEN;
	error = inflate(z, Z_NO_FLUSH);
	u->up_next = z->next_in;
	u->up_left = z->avail_in;
	return (error);
}

static enum unpack_end
inflate_member(struct gzip *gz)
{
	struct unpack *u = gz->gz_u;
	z_stream *z = &gz->gz_z;
	int error = Z_OK;

	z->avail_out = 0;
	do {
		/* A full buffer may have left more to come. */
		if (z->avail_out != 0 && !unpack_fill(u))
			return (u->up_errno != 0 ? UNPACK_STOPPED : UNPACK_CUT);
		error = inflate_some(gz);
		if (!unpack_put(u, UNPACK_CHUNK_LEN - z->avail_out))
			return (UNPACK_STOPPED);
	} while (error == Z_OK || error == Z_BUF_ERROR);
	return (error == Z_STREAM_END ? UNPACK_DONE : UNPACK_DAMAGED);
}

static bool
next_member(struct gzip *gz)
{
	(void)inflateReset(&gz->gz_z);
	return (unpack_next(gz->gz_u));
}

/* ---- after damage ---- */

/* Could a member start at off, after another one? */
static bool
is_header(struct span file, uint64_t off)
{
	const uint8_t *p = file.base + off;

	return (p[0] == 0x1f && p[1] == 0x8b && p[2] == Z_DEFLATED &&
	    (p[3] & 0xe0) == 0);
}

/* inflate() to nowhere; what it eats and what it makes are paid for. */
static int
inflate_away(struct gzip *gz, z_stream *z)
{
	uInt before = z->avail_in;
	int error;

	z->next_out = gz->gz_u->up_out;
	z->avail_out = UNPACK_CHUNK_LEN;
	error = inflate(z, Z_NO_FLUSH);
	return (unpack_spend(gz->gz_u,
		    before - z->avail_in + UNPACK_CHUNK_LEN - z->avail_out) ?
		error :
		Z_BUF_ERROR);
}

/*
 * Unpack members to the end of the file, to nowhere.  false: not all are good, or
 * to know that would cost too much.
 */
static bool
are_members(struct gzip *gz, struct span file, uint64_t off)
{
	struct unpack *u = gz->gz_u;
	z_stream z = { .next_in = (Bytef *)(uintptr_t)(file.base + off),
		.avail_in = (uInt)(file.len - off) };
	int error;

	if (file.len - off > u->up_budget || !unpack_spend(u, SEARCH_PLACE)) {
		u->up_budget = 0;
		return (false);
	}
	error = inflateInit2(&z, GZIP);
	while (error == Z_OK) {
		error = inflate_away(gz, &z);
		if (error != Z_STREAM_END)
			continue;
		if (unpack_is_padding(u,
			(struct span){ z.next_in, z.avail_in }))
			break;
		error = inflateReset(&z);
	}
	(void)inflateEnd(&z);
	return (error == Z_STREAM_END);
}

/* The length of the damaged member, which a next one at off would follow. */
static bool
find_length(const struct gzip *gz, struct span file, uint64_t off,
    uint64_t *out)
{
	const struct unpack *u = gz->gz_u;
	uint64_t packed_len = off - u->up_piece_in_off;
	uint64_t done = u->up_spool.spl_len - u->up_piece_out_off;
	const uint8_t *trailer = file.base + off - TRAILER_LEN;

	*out = dec32(ORDER_LITTLE, trailer + 4);
	if (dec32(ORDER_LITTLE, trailer) == (uint32_t)gz->gz_z.adler &&
	    (*out & UINT32_MAX) != (done & UINT32_MAX))
		*out = done;
	return (*out >= done && *out <= packed_len * RATIO_MAX &&
	    packed_len <= UINT32_MAX / RATIO_MAX);
}

/* Go on after the damage, at the member that starts at off. */
static bool
resume_at(struct gzip *gz, uint64_t off, uint64_t len)
{
	struct unpack *u = gz->gz_u;
	uint64_t out_off = u->up_piece_out_off + len;

	return (unpack_read_at(u, off) && unpack_put_found_at(u, out_off) &&
	    next_member(gz));
}

static bool
resume_in(struct gzip *gz, struct span file)
{
	uint64_t start = gz->gz_u->up_piece_in_off;
	uint64_t off = start + HEADER_LEN + TRAILER_LEN;
	uint64_t len;

	/* Zeros do not tell how many members they stand for. */
	if (file.base[start] == 0)
		return (false);
	for (; off + HEADER_LEN <= file.len && gz->gz_u->up_budget > 0; off++)
		if (is_header(file, off) && find_length(gz, file, off, &len) &&
		    are_members(gz, file, off))
			return (resume_at(gz, off, len));
	return (false);
}

/* Find the next member.  false: what follows is lost. */
static bool
resume(struct gzip *gz)
{
	struct unpack *u = gz->gz_u;
	struct mapping *mp;
	bool found;

	if (u->up_in_len > UINT32_MAX)
		return (false);
	mp = mapping_create(u->up_in_fd, (size_t)u->up_in_len);
	if (mp == NULL)
		return (false);
	found =
	    resume_in(gz, (struct span){ mp->mp_base, (size_t)u->up_in_len });
	mapping_destroy(mp);
	return (found);
}

/* ---- the file ---- */

/* A member was not whole.  Is there more? */
static bool
go_on(struct gzip *gz, enum unpack_end end)
{
	struct unpack *u = gz->gz_u;

	if (end == UNPACK_STOPPED)
		return (false);
	unpack_note(u, end, gz->gz_z.msg);
	unpack_doubt(u);
	return (end == UNPACK_DAMAGED && resume(gz));
}

void
unpack_gzip(struct unpack *u)
{
	struct gzip gz = { .gz_u = u };
	enum unpack_end end;

	u->up_budget = SEARCH_FREE + SEARCH_RATIO * u->up_in_len;
	if (inflateInit2(&gz.gz_z, GZIP) != Z_OK) {
		(void)unpack_fail(u, ENOMEM, "out of memory");
		return;
	}
	do {
		end = inflate_member(&gz);
	} while (end == UNPACK_DONE ? next_member(&gz) : go_on(&gz, end));
	(void)inflateEnd(&gz.gz_z);
}
