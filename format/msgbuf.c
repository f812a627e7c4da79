/*
 * struct msgbuf of either size of pointer, and the runs of text in its ring:
 * see msgbuf.h.
 */
#include "format/msgbuf.h"

/* Older kernels have an int here that means "needs a newline": bit 0. */
#define FLAG_WRAP 2

bool
msgbuf_decode(struct span bytes, enum byte_order order, unsigned int ptr_len,
    struct msgbuf *out, const char **why)
{
	struct span rest;
	struct msgbuf mb;
	const uint8_t *p;

	/* msg_ptr, then 32-bit fields: magic size wseq rseq cksum seqmod ... */
	if (!span_sub(bytes, ptr_len, 32, &rest)) {
		*why = "struct msgbuf is cut short";
		return (false);
	}
	p = rest.base;
	if (dec32(order, p) != MSGBUF_MAGIC) {
		*why = "struct msgbuf has a wrong magic number";
		return (false);
	}
	mb.mb_ptr_va =
	    ptr_len == 8 ? dec64(order, bytes.base) : dec32(order, bytes.base);
	mb.mb_size = dec32(order, p + 4);
	mb.mb_wseq = dec32(order, p + 8);
	mb.mb_rseq = dec32(order, p + 12);
	mb.mb_seqmod = dec32(order, p + 20);
	mb.mb_wrapped = (dec32(order, p + 28) & FLAG_WRAP) != 0;
	if (mb.mb_size == 0 || mb.mb_seqmod % mb.mb_size != 0 ||
	    mb.mb_wseq >= mb.mb_seqmod || mb.mb_rseq >= mb.mb_seqmod) {
		*why = "struct msgbuf contradicts itself";
		return (false);
	}
	*out = mb;
	return (true);
}

/* The len bytes from seq on, in one or two runs. */
static void
cut(const struct msgbuf *mb, uint64_t seq, uint32_t len,
    struct msgbuf_run run[2])
{
	uint32_t off = (uint32_t)(seq % mb->mb_size);
	uint32_t first = mb->mb_size - off;

	if (first > len)
		first = len;
	run[0] = (struct msgbuf_run){ .off = off, .len = first };
	run[1] = (struct msgbuf_run){ .off = 0, .len = len - first };
}

/*
 * Older kernels do not say whether the ring wrapped.  It need not be known:
 * until it does, the bytes from the write position on are NUL.
 */
void
msgbuf_all(const struct msgbuf *mb, struct msgbuf_run run[2])
{
	cut(mb, mb->mb_wseq, mb->mb_size, run);
}

void
msgbuf_unread(const struct msgbuf *mb, struct msgbuf_run run[2])
{
	uint32_t len = mb->mb_wseq >= mb->mb_rseq ?
	    mb->mb_wseq - mb->mb_rseq :
	    mb->mb_wseq + (mb->mb_seqmod - mb->mb_rseq);

	if (len > mb->mb_size)
		len = mb->mb_size;
	cut(mb, (uint64_t)mb->mb_wseq + mb->mb_seqmod - len, len, run);
}
