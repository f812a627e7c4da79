/*
 * The kernel's message buffer: a ring of text and the struct msgbuf that says
 * where in it the text starts and ends.
 *
 * Positions are sequence numbers modulo mb_seqmod, a multiple of the ring's
 * size, so that "written minus read" is known after the ring has gone round.
 *
 * Facts: FreeBSD's sys/sys/msgbuf.h and sys/kern/subr_msgbuf.c.
 */
#ifndef FORMAT_MSGBUF_H
#define FORMAT_MSGBUF_H

#include "format/bytes.h"

#define MSGBUF_MAGIC 0x063062

/* The part of struct msgbuf that is decoded, for either size of pointer. */
#define MSGBUF_LEN 40

struct msgbuf {
	uint64_t mb_ptr_va; /* the ring */
	uint32_t mb_size;   /* of the ring, bytes */
	uint32_t mb_wseq;   /* where the next byte goes */
	uint32_t mb_rseq;   /* what syslogd reads next */
	uint32_t mb_seqmod;
	bool mb_wrapped; /* the kernel says that the ring wrapped */
};

/* Decode struct msgbuf of a kernel with pointers of ptr_len bytes. */
bool msgbuf_decode(struct span bytes, enum byte_order order,
    unsigned int ptr_len, struct msgbuf *out, const char **why);

/* A part of the ring: len bytes at off. */
struct msgbuf_run {
	uint32_t off;
	uint32_t len;
};

/*
 * The text, oldest byte first: one run, or two if it wraps (an empty run has
 * len 0).  msgbuf_all() gives the whole ring, in which bytes that were never
 * written are NUL; msgbuf_unread() gives the part that syslogd had not read.
 */
void msgbuf_all(const struct msgbuf *mb, struct msgbuf_run run[2]);
void msgbuf_unread(const struct msgbuf *mb, struct msgbuf_run run[2]);

#endif
