/*
 * Files packed by gzip and zstd, whole and damaged, and what they unpack to.
 */
#ifndef TESTS_LIBKVM_PACKED_H
#define TESTS_LIBKVM_PACKED_H

#include "libkvm/unpack.h"

#define DATA_LEN 400000
#define PACK_MAX (2 * DATA_LEN + 1000)

/* unpack.c reads so much at once; what ends there is a case of its own. */
#define CHUNK_LEN 262144

/* Frames of equal length, so that all but the last say the same of themselves. */
#define NPIECES	  8
#define PIECE_LEN (DATA_LEN / NPIECES)

extern uint8_t packed_data[DATA_LEN]; /* what the files hold */

struct packed {
	uint8_t bytes[PACK_MAX];
	size_t len;
};

/* Nothing that can be made smaller, so that no cut loses all of it. */
void make_data(void);

/* ---- Packing: all append ---- */

/* A gzip member, made longer by as many bytes of a file name. */
void add_gzip(struct packed *out, const uint8_t *p, size_t len,
    size_t name_len);
void add_gzip_plain(struct packed *out, const uint8_t *p, size_t len);

/* A frame with a checksum and its length. */
void add_zstd(struct packed *out, const uint8_t *p, size_t len);

/* All of packed_data, in one piece or in NPIECES. */
void pack_plain(struct packed *out);
void pack_gzip(struct packed *out);
void pack_zstd(struct packed *out);
void pack_zstd_pieces(struct packed *out);
void pack_gzip_pieces(struct packed *out);

/* Frames that do not say how long they are, and the table that does. */
void pack_seekable(struct packed *out);

/* A number, little-endian; and the end of such a table. */
void put32(struct packed *out, uint32_t value);
void put_seek_footer(struct packed *out, uint32_t nentries);

/* Pack anew by one of these, and change that; change may be NULL. */
void pack_anew(struct packed *out, void (*pack)(struct packed *out),
    void (*change)(struct packed *out));

/* ---- Changes ---- */

void cut_end(struct packed *out);
void damage_middle(struct packed *out);
void damage_tail(struct packed *out);

/* More than one read's worth of zeros after it. */
void pad(struct packed *out);

/* ---- Unpacking ---- */

/* Of a file that is gone again.  As unpack_open(). */
int unpack_as(const struct packed *packed, const struct unpack_how *how,
    struct unpacked *out, char why[256]);

/* Without a wish.  Returns the descriptor, or -1. */
int unpack(const struct packed *packed, struct damage *damage, char why[256]);

/*
 * How much of packed_data the file holds; it holds nothing else, but for what is said
 * to be damaged.
 */
size_t length_of(int fd, const struct damage *damage);

/* How many bytes are certain. */
size_t certain_of(int fd, const struct damage *damage);

/* What was said has that text in it; NULL: nothing was said. */
void assert_why(const char *got, const char *want);

#endif
