/*
 * Declarations that unpack.c and the decoders share.
 *
 * A packed file consists of pieces that follow each other: members of gzip,
 * frames of zstd and lz4, streams of xz and bzip2.  A decoder reads with
 * unpack_fill(), puts what it decodes with unpack_put(), goes from piece to
 * piece with unpack_next(), and ends when one of them says so.
 */
#ifndef LIBKVM_UNPACK_INT_H
#define LIBKVM_UNPACK_INT_H

#include "libkvm/spool.h"
#include "libkvm/unpack.h"

#define UNPACK_CHUNK_LEN 262144

/* How a piece ends. */
enum unpack_end {
	UNPACK_DONE,	/* whole, and its checksum is right if it has one */
	UNPACK_CUT,	/* the file ends before it does */
	UNPACK_DAMAGED, /* it cannot be decoded, or its checksum is wrong */
	UNPACK_STOPPED	/* unpack_read() or unpack_put() returned an error */
};

struct unpack {
	const struct unpack_how *up_how;
	const char *up_name; /* of the kind of compression */
	int up_in_fd;	     /* the packed file */
	uint64_t up_in_len;
	uint64_t up_in_done;	   /* so much of it was read */
	const uint8_t *up_next;	   /* in up_in: what is not decoded yet */
	size_t up_left;		   /* bytes at up_next */
	uint64_t up_pad_unit;	   /* of zeros between pieces: pk_pad_unit */
	uint64_t up_piece_in_off;  /* of the piece in the packed file */
	uint64_t up_piece_out_off; /* of what it unpacks to */
	/*
	 * Where in the output what the second piece unpacked to starts.  Its
	 * place is right if no piece before it is gone, which no checksum tells.
	 * 0: one piece.
	 */
	uint64_t up_second_off;
	/*
	 * What follows from here on was found again after damage: its place is
	 * right if one piece was damaged, not two that touch.  0: no such thing.
	 */
	uint64_t up_found_off;
	uint64_t up_budget; /* bytes that searches after damage may look at */
	struct spool up_spool;
	struct damage *up_damage;
	bool up_is_checked;  /* uh_wanted() was asked */
	bool up_is_unwanted; /* and has said no */
	uint64_t up_end;     /* of uh_end(); 0: not known */
	uint64_t up_ask_len; /* ask for it when so much is unpacked */
	int up_errno;	     /* see unpack_open(); 0: nothing went wrong */
	char *up_why;
	size_t up_why_len;
	uint8_t *up_in; /* UNPACK_CHUNK_LEN each */
	uint8_t *up_out;
};

/* Set the error, unless there is one.  Returns false. */
bool unpack_fail(struct unpack *u, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* See to it that up_left is not 0.  false: the file ends, or an error. */
bool unpack_fill(struct unpack *u);

/*
 * Go to the next piece.  Zeros that last to the file's end are skipped, as gzip(1)
 * skips those that fill up a block; zeros between pieces are skipped if the format
 * allows as many.  false: there is no piece, or none that is wanted.
 */
bool unpack_next(struct unpack *u);

/* Read on at off; what is in up_in is not read again. */
bool unpack_read_at(struct unpack *u, uint64_t off);

/* Write the first len bytes of up_out.  false: no more is wanted. */
bool unpack_put(struct unpack *u, size_t len);

/* Go on writing at off.  false: no more is wanted. */
bool unpack_put_at(struct unpack *u, uint64_t off);

/* The same after damage: what comes in between is lost. */
bool unpack_put_found_at(struct unpack *u, uint64_t off);

/*
 * The piece has ended like that, cut or damaged; detail, which may be NULL, says
 * more about it.
 */
void unpack_note(struct unpack *u, enum unpack_end end, const char *detail);

/* Take from up_budget what a search costs.  false: that was too little. */
bool unpack_spend(struct unpack *u, uint64_t cost);

/* Are the last bytes of a file zeros?  Those that were looked at are paid for. */
bool unpack_is_padding(struct unpack *u, struct span rest);

/* Is it the magic number of a frame of zstd or lz4 that holds no data? */
static inline bool
unpack_is_skippable(uint32_t magic)
{
	return ((magic & 0xfffffff0) == 0x184d2a50);
}

/*
 * Note it if the frame that starts the piece has no checksum at its end: the
 * byte after its magic number lacks that bit.  Frames of another kind hold no
 * data.
 */
void unpack_note_unsummed(struct unpack *u, uint32_t magic, uint8_t has_sum);

/* What the piece was unpacked to is not verified. */
void unpack_doubt(struct unpack *u);

/*
 * All is unpacked.  Note what need not be in its place, by where the dump says
 * that it ends.
 */
void unpack_doubt_places(struct unpack *u);

/* The decoders. */
void unpack_gzip(struct unpack *u);
void unpack_zstd(struct unpack *u);
void unpack_xz(struct unpack *u);
void unpack_bzip2(struct unpack *u);
void unpack_lz4(struct unpack *u);

#endif
