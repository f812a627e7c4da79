/*
 * zstd: frames that follow each other, some of which hold no data (skippable
 * ones).  RFC 8878.
 *
 * A frame consists of blocks, each of which says how long it is, so that the
 * end of a damaged one can be found unless that is what is damaged; else the
 * next frame is searched for.  Where in the output it belongs follows from
 * how long the damaged frame's data is.  Two say that:
 *
 *  - the table at the end of a file in the seekable format, which has the
 *    lengths of all frames, and is believed if these fill the file;
 *  - the frame's header, if it is not what is damaged: its first block must
 *    have been found, and be damaged or decode.
 *
 * What is found by searching must be followed by frames to the end of the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "format/bytes.h"
#include "libkvm/mapping.h"
#include "libkvm/unpack_int.h"

#define FRAME_MAGIC   0xfd2fb528
#define FRAME_MIN_LEN 9 /* magic, header of 2, an empty block */
#define HAS_SUM	      4 /* in the header's first byte */

/* contrib/seekable_format/zstd_seekable_compression_format.md */
#define SEEK_SKIPPABLE	0x184d2a5e
#define SEEK_MAGIC	0x8f92eab1
#define SEEK_FOOTER_LEN 9
#define SEEK_HAS_SUMS	0x80

/*
 * The bytes of the file that searches after damage may look at, for each byte of
 * the file.  So many that are unpacked once more cost as much as one of them.
 */
#define SEARCH_RATIO   64
#define UNPACKED_RATIO 16

struct zstd {
	struct unpack *zs_u;
	ZSTD_DCtx *zs_z;	/* owned */
	struct mapping *zs_map; /* owned; of the file, NULL: not yet */
	const char *zs_why;	/* libzstd's text */
};

/* Where the next frame is, or the end of the file. */
struct frame_place {
	uint64_t fpl_in_off;
	uint64_t fpl_out_off;
};

/* ---- one frame ---- */

/* Decode what is in the buffer.  UNPACK_CUT: it has no end there. */
static enum unpack_end
decode(struct zstd *zs, ZSTD_inBuffer *in)
{
	ZSTD_outBuffer out = { .pos = 0, .size = 0 };
	size_t left;

	while (in->pos < in->size || out.pos == out.size) {
		out = (ZSTD_outBuffer){ .dst = zs->zs_u->up_out,
			.size = UNPACK_CHUNK_LEN };
		left = ZSTD_decompressStream(zs->zs_z, &out, in);
		if (!unpack_put(zs->zs_u, out.pos))
			return (UNPACK_STOPPED);
		if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) {
			(void)unpack_fail(zs->zs_u, ENOMEM, "out of memory");
			return (UNPACK_STOPPED);
		}
		if (ZSTD_isError(left)) {
			zs->zs_why = ZSTD_getErrorName(left);
			return (UNPACK_DAMAGED);
		}
		if (left == 0)
			return (UNPACK_DONE);
	}
	return (UNPACK_CUT);
}

static enum unpack_end
decode_frame(struct zstd *zs)
{
	struct unpack *u = zs->zs_u;
	enum unpack_end end = UNPACK_CUT;

	unpack_note_unsummed(u, FRAME_MAGIC, HAS_SUM);
	while (end == UNPACK_CUT && unpack_fill(u)) {
		ZSTD_inBuffer in = { .src = u->up_next, .size = u->up_left };

		end = decode(zs, &in);
		u->up_next += in.pos;
		u->up_left -= in.pos;
	}
	return (u->up_errno != 0 ? UNPACK_STOPPED : end);
}

static bool
next_frame(struct zstd *zs)
{
	(void)ZSTD_DCtx_reset(zs->zs_z, ZSTD_reset_session_only);
	return (unpack_next(zs->zs_u));
}

/* ---- the damaged frame once more ---- */

/* How long the header is, by its first byte after the magic number. */
static size_t
header_len(uint8_t descriptor)
{
	static const uint8_t dict_len[] = { 0, 1, 2, 4 };
	static const uint8_t size_len[] = { 0, 2, 4, 8 };
	bool single = (descriptor & 0x20) != 0;
	size_t len = 5 + !single + dict_len[descriptor & 3];

	return (len + size_len[descriptor >> 6] +
	    (single && descriptor >> 6 == 0));
}

/* Is this a frame, of whose magic number one byte may be damaged? */
static bool
may_be_frame(struct span frame)
{
	uint8_t magic[4];
	int nright = 0;

	enc32(ORDER_LITTLE, magic, FRAME_MAGIC);
	for (size_t i = 0; i < sizeof(magic); i++)
		nright +=
		    frame.len >= FRAME_MIN_LEN && frame.base[i] == magic[i];
	return (nright >= 3);
}

/*
 * Decode the frame with a header that does not say how long the data is: it
 * goes as far as the blocks do, and to its end if only the header was damaged.
 * It is paid for when it is done: a stop midway would lose what was unpacked
 * before.  *packed_len: what was decoded of the frame.
 */
static enum unpack_end
decode_again(struct zstd *zs, struct span frame, size_t *packed_len)
{
	struct unpack *u = zs->zs_u;
	uint8_t header[] = { 0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3 };
	ZSTD_inBuffer in = { .src = header, .size = sizeof(header) };
	size_t len;
	enum unpack_end end;

	*packed_len = 0;
	if (u->up_budget == 0 || !may_be_frame(frame))
		return (UNPACK_DAMAGED);
	len = header_len(frame.base[4]);
	if (len > frame.len)
		return (UNPACK_DAMAGED);
	header[4] = frame.base[4] & HAS_SUM;
	(void)ZSTD_DCtx_reset(zs->zs_z, ZSTD_reset_session_only);
	if (!unpack_put_at(u, u->up_piece_out_off))
		return (UNPACK_STOPPED);
	end = decode(zs, &in);
	in =
	    (ZSTD_inBuffer){ .src = frame.base + len, .size = frame.len - len };
	if (end == UNPACK_CUT)
		end = decode(zs, &in);
	*packed_len = len + in.pos;
	(void)unpack_spend(u,
	    in.pos +
		(u->up_spool.spl_len - u->up_piece_out_off) / UNPACKED_RATIO);
	return (end);
}

/* ---- where the next frame is ---- */

static bool
is_frame(struct span file, uint64_t off)
{
	uint32_t magic;

	if (file.len - off < 4)
		return (false);
	magic = dec32(ORDER_LITTLE, file.base + off);
	return (magic == FRAME_MAGIC || unpack_is_skippable(magic));
}

/* The end of the frame at off, by what its blocks say.  false: nowhere. */
static bool
find_end(struct zstd *zs, struct span file, uint64_t off, uint64_t *end)
{
	size_t left = file.len - (size_t)off;
	size_t len = ZSTD_findFrameCompressedSize(file.base + off, left);
	uint64_t cost = ZSTD_isError(len) ? left : len;

	if (!unpack_spend(zs->zs_u, cost) || ZSTD_isError(len))
		return (false);
	*end = off + len;
	return (true);
}

static bool
is_boundary(struct zstd *zs, struct span file, uint64_t off)
{
	return (is_frame(file, off) ||
	    unpack_is_padding(zs->zs_u,
		(struct span){ file.base + off, file.len - (size_t)off }));
}

/* Do frames follow each other from off to the end of the file? */
static bool
are_frames(struct zstd *zs, struct span file, uint64_t off)
{
	while (is_frame(file, off))
		if (!find_end(zs, file, off, &off))
			return (false);
	return (is_boundary(zs, file, off));
}

/* Find the next frame, which is not where the damaged one's blocks end. */
static bool
search_frame(struct zstd *zs, struct span file, uint64_t *off)
{
	*off = zs->zs_u->up_piece_in_off + FRAME_MIN_LEN;
	for (; *off < file.len && zs->zs_u->up_budget > 0; ++*off)
		if (is_frame(file, *off) && are_frames(zs, file, *off))
			return (true);
	return (false);
}

/* ---- how long its data is ---- */

struct seek_table {
	struct span sk_entries;
	uint32_t sk_count;
	size_t sk_entry_len;
};

/* Find the table, which is a skippable frame at the end of the file. */
static bool
find_table(struct span file, struct seek_table *sk)
{
	const uint8_t *footer = file.base + file.len - SEEK_FOOTER_LEN;
	uint64_t len;

	if (file.len < SEEK_FOOTER_LEN + 8 ||
	    dec32(ORDER_LITTLE, footer + 5) != SEEK_MAGIC)
		return (false);
	sk->sk_count = dec32(ORDER_LITTLE, footer);
	sk->sk_entry_len = (footer[4] & SEEK_HAS_SUMS) != 0 ? 12 : 8;
	len = (uint64_t)sk->sk_count * sk->sk_entry_len;
	if (len > file.len - SEEK_FOOTER_LEN - 8 ||
	    dec32(ORDER_LITTLE, footer - len - 8) != SEEK_SKIPPABLE)
		return (false);
	sk->sk_entries = (struct span){ footer - len, (size_t)len };
	return (true);
}

/* The row of the seek table for the frame. */
static bool
look_up(struct unpack *u, struct span file, struct frame_place *next)
{
	struct seek_table sk;
	uint64_t in_off = 0, out_off = 0;
	bool found = false;

	if (!find_table(file, &sk) || !unpack_spend(u, sk.sk_entries.len))
		return (false);
	for (uint32_t i = 0; i < sk.sk_count; i++) {
		const uint8_t *entry = sk.sk_entries.base + i * sk.sk_entry_len;
		bool here = in_off == u->up_piece_in_off &&
		    out_off == u->up_piece_out_off;

		in_off += dec32(ORDER_LITTLE, entry);
		out_off += dec32(ORDER_LITTLE, entry + 4);
		if (here && !found)
			*next = (struct frame_place){ in_off, out_off };
		found = found || here;
	}
	/* Together they must lead to the table. */
	return (found &&
	    in_off + 8 == (uint64_t)(sk.sk_entries.base - file.base));
}

/* What the header says of it, of which done bytes were decoded. */
static bool
trust_header(struct zstd *zs, struct span file, uint64_t done,
    struct frame_place *next)
{
	const struct unpack *u = zs->zs_u;
	uint64_t off = u->up_piece_in_off;
	unsigned long long len =
	    ZSTD_getFrameContentSize(file.base + off, file.len - (size_t)off);

	if (len == ZSTD_CONTENTSIZE_UNKNOWN || len == ZSTD_CONTENTSIZE_ERROR ||
	    len < done || len > u->up_spool.spl_max_len)
		return (false);
	next->fpl_out_off = u->up_piece_out_off + len;
	if (find_end(zs, file, off, &next->fpl_in_off) &&
	    is_boundary(zs, file, next->fpl_in_off))
		return (true);
	return (done > 0 && search_frame(zs, file, &next->fpl_in_off));
}

/* ---- after damage ---- */

static bool
resume_at(struct zstd *zs, const struct frame_place *next)
{
	struct unpack *u = zs->zs_u;

	return (unpack_put_found_at(u, next->fpl_out_off) &&
	    unpack_read_at(u, next->fpl_in_off) && next_frame(zs));
}

static bool
resume_in(struct zstd *zs, struct span file)
{
	struct unpack *u = zs->zs_u;
	uint64_t off = u->up_piece_in_off;
	struct span frame = { file.base + off, file.len - (size_t)off };
	size_t packed_len;
	enum unpack_end end = decode_again(zs, frame, &packed_len);
	uint64_t done = u->up_spool.spl_len - u->up_piece_out_off;
	struct frame_place next = { off + packed_len, u->up_spool.spl_len };

	if (end == UNPACK_STOPPED)
		return (false);
	if (end == UNPACK_DONE && (frame.base[4] & HAS_SUM) != 0)
		return (resume_at(zs, &next));
	unpack_doubt(u);
	if (look_up(u, file, &next) || trust_header(zs, file, done, &next))
		return (resume_at(zs, &next));
	return (false);
}

/* A frame was not whole.  Is there more? */
static bool
go_on(struct zstd *zs, enum unpack_end end)
{
	struct unpack *u = zs->zs_u;

	if (end == UNPACK_STOPPED)
		return (false);
	unpack_note(u, end, zs->zs_why);
	if (zs->zs_map == NULL && u->up_in_len <= SIZE_MAX)
		zs->zs_map = mapping_create(u->up_in_fd, (size_t)u->up_in_len);
	if (end == UNPACK_CUT || zs->zs_map == NULL) {
		unpack_doubt(u);
		return (false);
	}
	return (resume_in(zs,
	    (struct span){ zs->zs_map->mp_base, (size_t)u->up_in_len }));
}

void
unpack_zstd(struct unpack *u)
{
	struct zstd zs = { .zs_u = u, .zs_z = ZSTD_createDCtx() };
	enum unpack_end end;

	u->up_budget = SEARCH_RATIO * u->up_in_len;
	if (zs.zs_z == NULL) {
		(void)unpack_fail(u, ENOMEM, "out of memory");
		return;
	}
	do {
		end = decode_frame(&zs);
	} while (end == UNPACK_DONE ? next_frame(&zs) : go_on(&zs, end));
	mapping_destroy(zs.zs_map);
	(void)ZSTD_freeDCtx(zs.zs_z);
}
