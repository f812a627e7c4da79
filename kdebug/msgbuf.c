/*
 * The message buffer.  Its structure says where in the ring the text starts,
 * so it is asked for first; a minidump also has a copy of the ring itself, for
 * the case that the pages of the ring cannot be reached.
 */
#include "format/msgbuf.h"

#include <stdlib.h>
#include <string.h>

#include "kdebug/kdebug_int.h"
#include "libkvm/array.h"

/* More than any kernel has, bytes: kern.msgbufsize is some 100 KB. */
#define RING_MAX (256u << 20)

/* The text while it is gathered. */
struct text {
	char *tx_bytes; /* ours, until it is handed out */
	size_t tx_len;
	size_t tx_room;
};

static bool
check(const struct kvm_core *core, const uint8_t *bytes, struct msgbuf *mb,
    const char **why)
{
	struct span span = { bytes, MSGBUF_LEN };

	if (!msgbuf_decode(span, core->kc_order, core->kc_ptr_len, mb, why))
		return (false);
	*why = "struct msgbuf names a ring that is too large";
	return (mb->mb_size <= RING_MAX);
}

/* struct msgbuf as the kernel's memory has it. */
static bool
read_struct(struct kdebug *kdb, struct msgbuf *mb, const char **why)
{
	uint8_t bytes[MSGBUF_LEN];
	kvaddr_t va, mb_va;

	*why = kvm_has_symbols(kdb->kdb_kd) ?
	    "the kernel has no symbol msgbufp" :
	    "the kernel file has no symbols";
	if (!layout_symbol(kdb, "msgbufp", &va))
		return (false);
	*why = "struct msgbuf is not in the dump";
	if (!mem_word(kdb, va, &mb_va) ||
	    !mem_read(kdb, mb_va, bytes, sizeof(bytes)))
		return (false);
	return (check(kdb->kdb_core, bytes, mb, why));
}

/*
 * struct msgbuf as it lies behind a minidump's copy of the ring.  It was made
 * right behind the ring when the kernel booted, so it is in the bytes that
 * round the copy up, unless they are too few.
 */
static bool
read_struct_copy(struct kdebug *kdb, struct msgbuf *mb)
{
	const struct minidump_hdr *hdr = kdb->kdb_core->kc_minidump;
	uint8_t bytes[MSGBUF_LEN];
	const char *why;

	return (hdr != NULL &&
	    kvm_read_msgbuf(kdb->kdb_kd, hdr->md_msgbuf_len, bytes,
		sizeof(bytes)) == (kssize_t)sizeof(bytes) &&
	    check(kdb->kdb_core, bytes, mb, &why) &&
	    mb->mb_size == hdr->md_msgbuf_len);
}

/*
 * Find out where the text lies.  false: there is none.  mb_seqmod is 0 if only
 * the ring was found, so that nobody knows what of it was read.
 */
static bool
find_ring(struct kdebug *kdb, struct msgbuf *mb)
{
	const struct minidump_hdr *hdr = kdb->kdb_core->kc_minidump;
	const char *why;

	if (read_struct(kdb, mb, &why) || read_struct_copy(kdb, mb))
		return (true);
	kdb_note(kdb, "message buffer: %s", why);
	if (hdr == NULL || hdr->md_msgbuf_len == 0 ||
	    hdr->md_msgbuf_len > RING_MAX)
		return (false);
	kdb_note(kdb,
	    "message buffer: shown from its start, which need not be its oldest line");
	*mb = (struct msgbuf){ .mb_size = hdr->md_msgbuf_len };
	return (true);
}

/* Add len bytes, without their NULs. */
static void
text_add(struct text *tx, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\0')
			tx->tx_bytes[tx->tx_len++] = bytes[i];
	}
}

/* Make room for len more bytes.  One at least, so that text is never NULL. */
static bool
text_reserve(struct text *tx, size_t len)
{
	char *bytes =
	    array_reserve(tx->tx_bytes, tx->tx_len + len + 1, &tx->tx_room, 1);

	if (bytes == NULL)
		return (false);
	tx->tx_bytes = bytes;
	return (true);
}

/*
 * Read len bytes of the ring at off, from memory or else from the minidump's
 * copy of it.
 */
static bool
read_ring(struct kdebug *kdb, const struct msgbuf *mb, uint32_t off, char *buf,
    size_t len)
{
	return (mem_read(kdb, mb->mb_ptr_va + off, buf, len) ||
	    kvm_read_msgbuf(kdb->kdb_kd, off, buf, len) == (kssize_t)len);
}

/* false: out of memory.  What the dump does not have is left out. */
static bool
add_run(struct kdebug *kdb, const struct msgbuf *mb, struct msgbuf_run run,
    struct text *tx)
{
	uint32_t page_len = kdb->kdb_core->kc_page_size;
	char page[16384];

	while (run.len > 0) {
		/* To the end of a page: the next may be missing. */
		uint32_t n =
		    page_len - (uint32_t)((mb->mb_ptr_va + run.off) % page_len);

		if (n > run.len)
			n = run.len;
		if (n > sizeof(page))
			n = sizeof(page);
		if (!text_reserve(tx, n))
			return (false);
		if (read_ring(kdb, mb, run.off, page, n))
			text_add(tx, page, n);
		else
			kdb_note(kdb,
			    "message buffer: parts of it are not in the dump");
		run.off += n;
		run.len -= n;
	}
	return (true);
}

char *
kdebug_msgbuf(struct kdebug *kdb, enum kdebug_msgbuf_part part, size_t *len)
{
	struct msgbuf_run run[2];
	struct text tx = { 0 };
	struct msgbuf mb;

	if (kdb->kdb_core == NULL || !find_ring(kdb, &mb))
		return (NULL);
	if (part == KDEBUG_MSGBUF_UNREAD && mb.mb_seqmod != 0)
		msgbuf_unread(&mb, run);
	else
		msgbuf_all(&mb, run);
	if (!text_reserve(&tx, 0) || !add_run(kdb, &mb, run[0], &tx) ||
	    !add_run(kdb, &mb, run[1], &tx)) {
		kdb_note(kdb, "message buffer: out of memory");
		free(tx.tx_bytes);
		return (NULL);
	}
	*len = tx.tx_len;
	return (tx.tx_bytes);
}
