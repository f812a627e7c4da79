/*
 * Gathers pieces into writes and keeps several of them in flight.
 *
 * A slot is one write: its pieces point at memory where it lies, or at pages of
 * the slot's own that were made up.  A slot in flight is not reused before its
 * write is done, so what its pieces point at does not change meanwhile.
 *
 * The first error sticks: nothing is submitted after it.
 */
#include "dumper/dumper_int.h"

/* Small enough that progress, watchdog and cancel are called often. */
#define DEFAULT_MAX_IO (1024 * 1024)

static const _Alignas(DUMP_PAGE_SIZE) uint8_t zero_page[DUMP_PAGE_SIZE];

void
stream_init(struct stream *st, struct attempt *at)
{
	const struct dump_sink *sink = at->at_sink;

	*st = (struct stream){ .st_sink = sink,
		.st_work = at->at_work,
		.st_attempt = at,
		.st_depth = 1,
		.st_maxiov = DUMP_MAXIOV,
		.st_max_io = DEFAULT_MAX_IO };
	if (sink->ds_wait != NULL && sink->ds_depth > 1)
		st->st_depth = sink->ds_depth < DUMP_MAXDEPTH ? sink->ds_depth :
								DUMP_MAXDEPTH;
	if (sink->ds_maxiov != 0 && sink->ds_maxiov < DUMP_MAXIOV)
		st->st_maxiov = sink->ds_maxiov;
	if (sink->ds_max_io != 0)
		st->st_max_io = sink->ds_max_io & ~PAGE_MASK;
	for (unsigned int i = 0; i < DUMP_MAXDEPTH; i++)
		memset(&at->at_work->wk_slots[i], 0, sizeof(struct slot));
}

static struct slot *
current(const struct stream *st)
{
	return (&st->st_work->wk_slots[st->st_slot]);
}

static void
fail(struct stream *st, int error)
{
	if (st->st_error == 0)
		st->st_error = error;
}

/* Wait for any write.  A tag that is not in flight is a driver's bug: EIO. */
static bool
wait_any(struct stream *st)
{
	const struct dump_sink *sink = st->st_sink;
	unsigned int tag = DUMP_MAXDEPTH;
	int error = sink->ds_wait(sink->ds_arg, &tag);

	fail(st, error);
	if (tag >= st->st_depth || !st->st_work->wk_slots[tag].slot_busy) {
		fail(st, DUMP_EIO);
		return (false);
	}
	st->st_work->wk_slots[tag].slot_busy = false;
	return (true);
}

/* Find a slot that is not in flight; if all are, wait for the first. */
static unsigned int
free_slot(struct stream *st)
{
	do {
		for (unsigned int i = 0; i < st->st_depth; i++)
			if (!st->st_work->wk_slots[i].slot_busy)
				return (i);
	} while (wait_any(st));
	return (0); /* the error keeps all others from using it */
}

static void
claim(struct stream *st)
{
	struct slot *slot;

	st->st_slot = free_slot(st);
	slot = current(st);
	slot->slot_niov = 0;
	slot->slot_nstaged = 0;
	slot->slot_len = 0;
}

/* Send what is gathered, if anything. */
static int
submit(struct stream *st)
{
	const struct dump_sink *sink = st->st_sink;
	struct slot *slot = current(st);
	int error;

	if (slot->slot_niov == 0 || st->st_error != 0)
		return (st->st_error);
	if (slot->slot_len > st->st_end - st->st_off) {
		fail(st, DUMP_EIO); /* more than was planned */
		return (st->st_error);
	}
	error = sink->ds_submit(sink->ds_arg, st->st_slot, slot->slot_iov,
	    slot->slot_niov, st->st_off);
	fail(st, error);
	slot->slot_busy = error == 0 && sink->ds_wait != NULL;
	st->st_off += slot->slot_len;
	return (st->st_error);
}

/* The same, then call the hooks and go on in another slot. */
static int
send_data(struct stream *st)
{
	uint64_t start = st->st_attempt->at_data_off;

	if (submit(st) == 0)
		fail(st, attempt_poll(st->st_attempt, st->st_off - start));
	claim(st);
	return (st->st_error);
}

void
stream_seek(struct stream *st, uint64_t off, uint64_t len)
{
	st->st_off = off;
	st->st_end = off + len;
}

/* Does the piece follow the last one in memory? */
static bool
extends(const struct dump_iov *last, const uint8_t *base, uint64_t pa)
{
	return (pa != DUMP_NOPA && last->iv_pa != DUMP_NOPA &&
	    last->iv_pa + last->iv_len == pa &&
	    (const uint8_t *)last->iv_base + last->iv_len == base);
}

/* The bytes that the slot can still take: pieces start at page boundaries. */
static size_t
room(const struct stream *st)
{
	return ((st->st_max_io - current(st)->slot_len) & ~PAGE_MASK);
}

/* Make room for a page or more: a full slot is sent only when more comes. */
static int
make_room(struct stream *st, const uint8_t *base, uint64_t pa)
{
	const struct slot *slot = current(st);

	if (room(st) > 0 &&
	    (slot->slot_niov < st->st_maxiov ||
		extends(&slot->slot_iov[slot->slot_niov - 1], base, pa)))
		return (st->st_error);
	return (send_data(st));
}

/* A staged page may not be filled yet: it is not sent before more comes. */
int
stream_add(struct stream *st, const void *base, uint64_t pa, size_t len)
{
	const uint8_t *from = base;

	while (len > 0 && make_room(st, from, pa) == 0) {
		struct slot *slot = current(st);
		struct dump_iov *next = &slot->slot_iov[slot->slot_niov];
		size_t n = room(st) < len ? room(st) : len;

		if (slot->slot_niov > 0 && extends(next - 1, from, pa)) {
			next[-1].iv_len += n;
		} else {
			*next = (struct dump_iov){ from, pa, n };
			slot->slot_niov++;
		}
		slot->slot_len += n;
		from += n;
		pa = pa == DUMP_NOPA ? pa : pa + n;
		len -= n;
	}
	return (st->st_error);
}

int
stream_zero(struct stream *st)
{
	return (stream_add(st, zero_page, DUMP_NOPA, sizeof(zero_page)));
}

int
stream_stage(struct stream *st, size_t len, uint8_t **page)
{
	struct slot *slot = current(st);

	if ((slot->slot_nstaged == STAGE_PAGES ||
		slot->slot_niov == st->st_maxiov ||
		slot->slot_len + len > st->st_max_io) &&
	    send_data(st) != 0)
		return (st->st_error);
	slot = current(st);
	*page = st->st_work->wk_stage[st->st_slot][slot->slot_nstaged++];
	return (stream_add(st, *page, DUMP_NOPA, len));
}

int
stream_drain(struct stream *st)
{
	(void)submit(st);
	for (unsigned int i = 0; i < st->st_depth; i++)
		while (st->st_work->wk_slots[i].slot_busy && wait_any(st))
			;
	claim(st);
	return (st->st_error);
}
