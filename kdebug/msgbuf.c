/*
 * The message buffer.  Its structure says where in the ring the text starts,
 * so it is asked for first; a minidump also has a copy of the ring itself, for
 * the case that the pages of the ring cannot be reached.
 */
#include "format/msgbuf.h"

#include "kdebug/kdebug_int.h"

/* More than any kernel has, bytes: kern.msgbufsize is some 100 KB. */
#define RING_MAX (256u << 20)

/*
 * As much of a ring is shown, bytes.  Pages of a ring may be mapped to one page
 * of memory, so that a small dump names a large one.
 */
#define SHOWN_MAX (16u << 20)

/* The ring, and where its structure was found. */
struct ring {
	struct msgbuf rg_mb;
	bool rg_copied; /* in a minidump's copy of the ring, or nowhere */
};

/* The way of the text to the caller. */
struct ring_text {
	kdebug_text_cb *rtx_put;
	void *rtx_arg;
	int64_t rtx_len;   /* bytes handed out */
	uint64_t rtx_read; /* bytes of the ring that the dump has */
	bool rtx_holes;	   /* parts of the ring are not in the dump */
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

/*
 * struct msgbuf as the kernel's memory has it.  If it is not found, *why is the
 * reason, or NULL if the symbol that leads to it is missing.
 */
static bool
read_struct(struct kdebug *kdb, struct msgbuf *mb, const char **why)
{
	uint8_t bytes[MSGBUF_LEN];
	kvaddr_t va, mb_va;

	*why = NULL;
	if (!layout_symbol(kdb, "msgbufp", &va))
		return (false);
	*why = "struct msgbuf is not in the dump";
	if (!mem_word(kdb, va, &mb_va) ||
	    !mem_read(kdb, mb_va, bytes, sizeof(bytes)))
		return (false);
	return (check(kdb->kdb_core, bytes, mb, why));
}

/*
 * struct msgbuf after a minidump's copy of the ring.  It was made directly
 * after the ring when the kernel booted, so it is in the bytes that round the
 * copy up, unless they are too few.
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

/* why is that of read_struct(). */
static void
note_no_struct(struct kdebug *kdb, const char *why)
{
	if (why != NULL)
		kdb_note(kdb, "message buffer: %s", why);
	else
		kdb_note_symbol(kdb, "message buffer", "msgbufp");
}

/*
 * Find out where the text lies.  false: there is none.  mb_seqmod is 0 if only
 * the ring was found: what of it was read is not known then.
 */
static bool
find_ring(struct kdebug *kdb, struct ring *rg)
{
	const struct minidump_hdr *hdr = kdb->kdb_core->kc_minidump;
	const char *why;

	if (read_struct(kdb, &rg->rg_mb, &why)) {
		rg->rg_copied = false;
		return (true);
	}
	rg->rg_copied = true;
	if (read_struct_copy(kdb, &rg->rg_mb))
		return (true);
	if (kdb->kdb_core->kc_exec_path != NULL)
		note_no_struct(kdb, why);
	if (hdr == NULL || hdr->md_msgbuf_len == 0 ||
	    hdr->md_msgbuf_len > RING_MAX)
		return (false);
	rg->rg_mb = (struct msgbuf){ .mb_size = hdr->md_msgbuf_len };
	return (true);
}

/* Hand out len bytes, without their NULs. */
static void
put_text(struct ring_text *tx, char *bytes, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\0')
			bytes[n++] = bytes[i];
	}
	tx->rtx_len += (int64_t)n;
	if (n > 0)
		tx->rtx_put(tx->rtx_arg, bytes, n);
}

static bool
read_memory(struct kdebug *kdb, const struct ring *rg, uint32_t off, char *buf,
    size_t len)
{
	return (mem_read(kdb, rg->rg_mb.mb_ptr_va + off, buf, len));
}

static bool
read_copy(struct kdebug *kdb, uint32_t off, char *buf, size_t len)
{
	return (kvm_read_msgbuf(kdb->kdb_kd, off, buf, len) == (kssize_t)len);
}

/*
 * Read len bytes of the ring at off, from where its structure was found: a
 * kernel goes on to write to its memory after the minidump's copy is made.
 */
static bool
read_ring(struct kdebug *kdb, const struct ring *rg, uint32_t off, char *buf,
    size_t len)
{
	if (rg->rg_copied)
		return (read_copy(kdb, off, buf, len) ||
		    read_memory(kdb, rg, off, buf, len));
	return (read_memory(kdb, rg, off, buf, len) ||
	    read_copy(kdb, off, buf, len));
}

/* Bytes that the dump does not have are left out. */
static void
put_run(struct kdebug *kdb, const struct ring *rg, struct msgbuf_run run,
    struct ring_text *tx)
{
	char piece[1024];

	while (run.len > 0) {
		/* To the end of a piece of a page: the next may be missing. */
		uint32_t n = (uint32_t)(sizeof(piece) -
		    (rg->rg_mb.mb_ptr_va + run.off) % sizeof(piece));

		if (n > run.len)
			n = run.len;
		if (read_ring(kdb, rg, run.off, piece, n)) {
			tx->rtx_read += n;
			put_text(tx, piece, n);
		} else {
			tx->rtx_holes = true;
		}
		run.off += n;
		run.len -= n;
	}
}

/* Keep the newest bytes, if there are too many. */
static void
shorten(struct kdebug *kdb, struct msgbuf_run run[2])
{
	uint64_t len = (uint64_t)run[0].len + run[1].len;
	uint32_t cut = len > SHOWN_MAX ? (uint32_t)(len - SHOWN_MAX) : 0;

	if (cut != 0)
		kdb_note(kdb, "message buffer: only its newest %u MiB shown",
		    SHOWN_MAX >> 20);
	for (size_t i = 0; i < 2; i++) {
		uint32_t n = cut < run[i].len ? cut : run[i].len;

		run[i].off += n;
		run[i].len -= n;
		cut -= n;
	}
}

/* Say what is not there, or not in its place. */
static void
note_text(struct kdebug *kdb, const struct msgbuf *mb,
    enum kdebug_msgbuf_part part, const struct ring_text *tx)
{
	if (tx->rtx_holes && tx->rtx_read == 0)
		kdb_note(kdb, "message buffer: not in the dump");
	else if (tx->rtx_holes)
		kdb_note(kdb,
		    "message buffer: parts of it are not in the dump");
	else if (tx->rtx_len == 0 && part == KDEBUG_MSGBUF_UNREAD)
		kdb_note(kdb, "nothing unread in the message buffer");
	else if (tx->rtx_len == 0)
		kdb_note(kdb, "nothing in the message buffer");
	if (tx->rtx_len != 0 && mb->mb_seqmod == 0)
		kdb_note(kdb,
		    "message buffer: shown from its start, which need not be its oldest line");
}

int64_t
kdebug_msgbuf(struct kdebug *kdb, enum kdebug_msgbuf_part part,
    kdebug_text_cb *put, void *arg)
{
	struct ring_text tx = { .rtx_put = put, .rtx_arg = arg };
	struct msgbuf_run run[2];
	const struct msgbuf *mb;
	struct ring rg;

	if (kdb->kdb_core == NULL || !find_ring(kdb, &rg))
		return (-1);
	mb = &rg.rg_mb;
	if (part == KDEBUG_MSGBUF_UNREAD && mb->mb_seqmod == 0) {
		kdb_note(kdb,
		    "message buffer: only struct msgbuf says what was not read");
		return (-1);
	}
	if (part == KDEBUG_MSGBUF_UNREAD)
		msgbuf_unread(mb, run);
	else
		msgbuf_all(mb, run);
	shorten(kdb, run);
	put_run(kdb, &rg, run[0], &tx);
	put_run(kdb, &rg, run[1], &tx);
	note_text(kdb, mb, part, &tx);
	return (tx.rtx_holes && tx.rtx_read == 0 ? -1 : tx.rtx_len);
}
