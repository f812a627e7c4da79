/*
 * xz, by liblzma: streams that follow each other, with zeros between them.
 * What comes after damage is lost; the streams before it are certain.
 */
#include <errno.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdlib.h>

#include "libkvm/unpack_int.h"

/* xz -9 needs 65 MB; this is enough for dictionaries of 128 MB. */
#define MEMORY_MAX (UINT64_C(192) << 20)

struct xz {
	struct unpack *xz_u;
	lzma_stream xz_z;
	uint64_t xz_memory_max;
};

/* Decode some of the file. */
static lzma_ret
decode_some(struct xz *xz)
{
	struct unpack *u = xz->xz_u;
	lzma_stream *z = &xz->xz_z;
	lzma_action action = unpack_fill(u) ? LZMA_RUN : LZMA_FINISH;
	lzma_ret ret;

	z->next_in = u->up_next;
	z->avail_in = u->up_left;
	ret = lzma_code(z, action);
	u->up_next = z->next_in;
	u->up_left = z->avail_in;
	return (ret);
}

/* Decode until the output is full, or the stream or the file ends. */
static lzma_ret
decode_chunk(struct xz *xz)
{
	lzma_stream *z = &xz->xz_z;
	lzma_ret ret = LZMA_OK;

	z->next_out = xz->xz_u->up_out;
	z->avail_out = UNPACK_CHUNK_LEN;
	while (ret == LZMA_OK && z->avail_out > 0) {
		ret = decode_some(xz);
		if (ret != LZMA_NO_CHECK && ret != LZMA_UNSUPPORTED_CHECK)
			continue;
		xz->xz_u->up_damage->dmg_unsummed = true;
		ret = LZMA_OK;
	}
	return (ret);
}

static enum unpack_end
end_of(const struct xz *xz, lzma_ret ret)
{
	switch (ret) {
	case LZMA_STREAM_END:
		return (UNPACK_DONE);
	case LZMA_BUF_ERROR:
		return (UNPACK_CUT);
	case LZMA_MEM_ERROR:
		(void)unpack_fail(xz->xz_u, ENOMEM, "out of memory");
		return (UNPACK_STOPPED);
	case LZMA_MEMLIMIT_ERROR:
		(void)unpack_fail(xz->xz_u, EINVAL,
		    "takes %" PRIu64
		    " MB of memory to unpack, more than %" PRIu64
		    " MB: " SPOOL_NOLIMIT
		    "=1 in the environment unpacks it all the same",
		    lzma_memusage(&xz->xz_z) >> 20, MEMORY_MAX >> 20);
		return (UNPACK_STOPPED);
	default:
		return (UNPACK_DAMAGED);
	}
}

static enum unpack_end
decode_stream(struct xz *xz)
{
	struct unpack *u = xz->xz_u;
	lzma_ret ret = lzma_stream_decoder(&xz->xz_z, xz->xz_memory_max,
	    LZMA_TELL_NO_CHECK | LZMA_TELL_UNSUPPORTED_CHECK);

	while (ret == LZMA_OK) {
		ret = decode_chunk(xz);
		if (u->up_errno != 0 ||
		    !unpack_put(u, UNPACK_CHUNK_LEN - xz->xz_z.avail_out))
			return (UNPACK_STOPPED);
	}
	return (end_of(xz, ret));
}

void
unpack_xz(struct unpack *u)
{
	struct xz xz = { .xz_u = u,
		.xz_z = LZMA_STREAM_INIT,
		.xz_memory_max =
		    getenv(SPOOL_NOLIMIT) != NULL ? UINT64_MAX : MEMORY_MAX };
	enum unpack_end end;

	do {
		end = decode_stream(&xz);
	} while (end == UNPACK_DONE && unpack_next(u));
	if (end == UNPACK_CUT || end == UNPACK_DAMAGED) {
		unpack_note(u, end, NULL);
		unpack_doubt(u);
	}
	lzma_end(&xz.xz_z);
}
