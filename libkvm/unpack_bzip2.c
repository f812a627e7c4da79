/*
 * bzip2, by libbz2: streams that follow each other, with a checksum for each
 * block and for all.  What comes after damage is lost; the streams before it are
 * certain.
 */
#include <bzlib.h>
#include <errno.h>

#include "libkvm/unpack_int.h"

/* Decode what was read of the file, as far as the output has room. */
static int
decode_some(struct unpack *u, bz_stream *z)
{
	int error;

	z->next_in = (char *)(uintptr_t)u->up_next;
	z->avail_in = (unsigned int)u->up_left;
	z->next_out = (char *)u->up_out;
	z->avail_out = UNPACK_CHUNK_LEN;
	error = BZ2_bzDecompress(z);
	u->up_next += u->up_left - z->avail_in;
	u->up_left = z->avail_in;
	return (error);
}

static enum unpack_end
end_of(struct unpack *u, int error)
{
	switch (error) {
	case BZ_STREAM_END:
		return (UNPACK_DONE);
	case BZ_MEM_ERROR:
		(void)unpack_fail(u, ENOMEM, "out of memory");
		return (UNPACK_STOPPED);
	default:
		return (UNPACK_DAMAGED);
	}
}

static enum unpack_end
decode_stream(struct unpack *u, bz_stream *z)
{
	int error = BZ_OK;

	z->avail_out = UNPACK_CHUNK_LEN;
	while (error == BZ_OK) {
		/* A full buffer may have left more to come. */
		if (z->avail_out != 0 && !unpack_fill(u))
			return (u->up_errno != 0 ? UNPACK_STOPPED : UNPACK_CUT);
		error = decode_some(u, z);
		if (!unpack_put(u, UNPACK_CHUNK_LEN - z->avail_out))
			return (UNPACK_STOPPED);
	}
	return (end_of(u, error));
}

/* A decoder is good for one stream. */
static enum unpack_end
unpack_stream(struct unpack *u)
{
	bz_stream z = { .opaque = NULL };
	enum unpack_end end;

	if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
		return (end_of(u, BZ_MEM_ERROR));
	end = decode_stream(u, &z);
	(void)BZ2_bzDecompressEnd(&z);
	return (end);
}

void
unpack_bzip2(struct unpack *u)
{
	enum unpack_end end;

	do {
		end = unpack_stream(u);
	} while (end == UNPACK_DONE && unpack_next(u));
	if (end == UNPACK_CUT || end == UNPACK_DAMAGED) {
		unpack_note(u, end, NULL);
		unpack_doubt(u);
	}
}
