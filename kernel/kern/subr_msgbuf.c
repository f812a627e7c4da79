/*
 * The message buffer: ring and structure in one static piece, the structure
 * last, so that a dump's copy of the ring, rounded up to pages, holds it too.
 */
#include "kernel/sys/msgbuf.h"

#define RING_SIZE (MSGBUF_SIZE - sizeof(struct msgbuf))

/* Sequence numbers wrap around after this many rings. */
#define SEQMOD_RINGS 16

static struct {
	char ring[RING_SIZE];
	struct msgbuf mb;
} msgbuf_space __aligned(PAGE_SIZE) = {
	.mb = {
		.msg_ptr = msgbuf_space.ring,
		.msg_magic = MSG_MAGIC,
		.msg_size = RING_SIZE,
		.msg_seqmod = SEQMOD_RINGS * RING_SIZE,
		.msg_lastpri = -1,
	},
};
static_assert(sizeof(msgbuf_space) == MSGBUF_SIZE, "no padding in between");

struct msgbuf *msgbufp = &msgbuf_space.mb;

void
msgbuf_addchar(struct msgbuf *mbp, int c)
{
	uint32_t pos = mbp->msg_wseq % mbp->msg_size;

	mbp->msg_cksum += (uint8_t)c - (uint32_t)(uint8_t)mbp->msg_ptr[pos];
	mbp->msg_ptr[pos] = (char)c;
	mbp->msg_wseq = (mbp->msg_wseq + 1) % mbp->msg_seqmod;
	if (pos + 1 == mbp->msg_size)
		mbp->msg_flags |= MSGBUF_WRAP;
}
