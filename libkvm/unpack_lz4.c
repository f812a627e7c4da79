/*
 * lz4, by liblz4: frames that follow each other, some of which hold no data
 * (skippable ones).  What comes after damage is lost; the frames before it are
 * certain.  The format: LZ4 Frame Format Description.
 */
#include <errno.h>
#include <lz4frame.h>
#include <string.h>

#include "libkvm/unpack_int.h"

#define FRAME_MAGIC 0x184d2204

/*
 * In the header's first byte, FLG: a checksum of the content.  That of a block
 * does not cover the word before it, which says how long the block is and
 * whether it is packed.
 */
#define HAS_SUM 0x04

/* Its library tells errors apart by their names only. */
static enum unpack_end
end_of(struct unpack *u, const char *error, const char **why)
{
	if (strcmp(error, "ERROR_allocation_failed") == 0) {
		(void)unpack_fail(u, ENOMEM, "out of memory");
		return (UNPACK_STOPPED);
	}
	*why = error;
	return (UNPACK_DAMAGED);
}

static enum unpack_end
decode_frame(struct unpack *u, LZ4F_dctx *z, const char **why)
{
	size_t in_len, out_len = 0, left;

	unpack_note_unsummed(u, FRAME_MAGIC, HAS_SUM);
	do {
		/* A full buffer may have left more to come. */
		if (out_len < UNPACK_CHUNK_LEN && !unpack_fill(u))
			return (u->up_errno != 0 ? UNPACK_STOPPED : UNPACK_CUT);
		in_len = u->up_left;
		out_len = UNPACK_CHUNK_LEN;
		left = LZ4F_decompress(z, u->up_out, &out_len, u->up_next,
		    &in_len, NULL);
		if (LZ4F_isError(left))
			return (end_of(u, LZ4F_getErrorName(left), why));
		u->up_next += in_len;
		u->up_left -= in_len;
		if (!unpack_put(u, out_len))
			return (UNPACK_STOPPED);
	} while (left != 0);
	return (UNPACK_DONE);
}

void
unpack_lz4(struct unpack *u)
{
	const char *why = NULL;
	enum unpack_end end;
	LZ4F_dctx *z;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&z, LZ4F_VERSION))) {
		(void)unpack_fail(u, ENOMEM, "out of memory");
		return;
	}
	do {
		end = decode_frame(u, z, &why);
	} while (end == UNPACK_DONE && unpack_next(u));
	if (end == UNPACK_CUT || end == UNPACK_DAMAGED) {
		unpack_note(u, end, why);
		unpack_doubt(u);
	}
	(void)LZ4F_freeDecompressionContext(z);
}
