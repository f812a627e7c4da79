/*
 * The message buffer: a ring of all that was printed, for dmesg and for dumps.
 * Its layout is FreeBSD's (format/msgbuf.h reads it), and the structure follows
 * the ring directly.
 */
#ifndef KERNEL_SYS_MSGBUF_H
#define KERNEL_SYS_MSGBUF_H

#include "kernel/sys/param.h"

#define MSG_MAGIC   0x063062
#define MSGBUF_SIZE (96 * 1024) /* ring and structure */
#define MSGBUF_WRAP 0x02	/* msg_flags: the ring has gone round */

/* Sequence numbers are positions modulo msg_seqmod, a multiple of the size. */
struct msgbuf {
	char *msg_ptr;
	uint32_t msg_magic;
	uint32_t msg_size;
	uint32_t msg_wseq;  /* where the next character goes */
	uint32_t msg_rseq;  /* where a reader is */
	uint32_t msg_cksum; /* the sum of the ring's characters */
	uint32_t msg_seqmod;
	int msg_lastpri;
	uint32_t msg_flags;
	uint64_t msg_lock[4]; /* FreeBSD's size; not needed here */
};
static_assert(sizeof(struct msgbuf) == 72, "FreeBSD's layout");
static_assert(offsetof(struct msgbuf, msg_wseq) == 16, "FreeBSD's layout");
static_assert(offsetof(struct msgbuf, msg_flags) == 36, "FreeBSD's layout");

extern struct msgbuf *msgbufp;

void msgbuf_addchar(struct msgbuf *mbp, int c);

#endif
