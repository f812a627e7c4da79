#include "tests/dumper/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/kerneldump.h"
#include "tests/dumper/sim.h"

#define PATTERN 0xa5

static _Noreturn void
die(const char *what, uint64_t value)
{
	fprintf(stderr, "sink: %s: %#jx\n", what, (uintmax_t)value);
	abort();
}

void
sink_init(struct sink *sink, size_t media_len)
{
	memset(sink, 0, sizeof(*sink));
	sink->media = malloc(media_len);
	if (sink->media == NULL)
		die("out of memory", media_len);
	memset(sink->media, PATTERN, media_len);
	sink->media_len = media_len;
	sink->block_len = 512;
}

void
sink_fini(struct sink *sink)
{
	free(sink->media);
}

static int
open_sink(void *arg)
{
	struct sink *sink = arg;

	sink->nopen++;
	return (sink->open_error);
}

static void
close_sink(void *arg, int error)
{
	struct sink *sink = arg;

	sink->nclose++;
	sink->close_error = error;
	for (unsigned int i = 0; i < DUMP_MAXDEPTH; i++)
		if (sink->pending[i] && sink->stall_write == SINK_NEVER)
			die("closed with a write in flight", i);
}

/* All of a piece is at its physical address, not its first page only. */
static void
check_address(const struct sink *sink, const struct dump_iov *iov)
{
	for (size_t off = 0; off < iov->iv_len; off += DUMP_PAGE_SIZE)
		if (sim_bytes(sink->sim, iov->iv_pa + off) !=
		    (const uint8_t *)iov->iv_base + off)
			die("wrong physical address", iov->iv_pa + off);
}

/* Check dumper.h's promises about pieces. */
static void
check_pieces(const struct sink *sink, const struct dump_iov *iov,
    unsigned int niov)
{
	size_t len = 0;

	if (niov == 0 ||
	    niov > (sink->maxiov != 0 ? sink->maxiov : DUMP_MAXIOV))
		die("number of pieces", niov);
	for (unsigned int i = 0; i < niov; i++) {
		if ((uintptr_t)iov[i].iv_base % DUMP_PAGE_SIZE != 0)
			die("not at a page boundary", i);
		if (iov[i].iv_len == 0 || iov[i].iv_len % sink->block_len != 0)
			die("not whole blocks", iov[i].iv_len);
		if (iov[i].iv_pa == DUMP_NOPA && iov[i].iv_len > DUMP_PAGE_SIZE)
			die("unknown address for more than a page", i);
		if (iov[i].iv_pa != DUMP_NOPA && sink->sim != NULL)
			check_address(sink, &iov[i]);
		len += iov[i].iv_len;
	}
	if (sink->max_io != 0 && len > sink->max_io)
		die("too large a write", len);
}

static int
perform(struct sink *sink, unsigned int number, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	if (number == sink->fail_write)
		return (DUMP_EIO);
	if (off % sink->block_len != 0)
		die("not at a block boundary", off);
	for (unsigned int i = 0; i < niov; i++) {
		if (off > sink->media_len ||
		    iov[i].iv_len > sink->media_len - off)
			die("past the media's end", off);
		memcpy(sink->media + off, iov[i].iv_base, iov[i].iv_len);
		off += iov[i].iv_len;
	}
	if (off > sink->written)
		sink->written = off;
	sink->nunflushed++;
	return (0);
}

/* Count and check a write.  false: it is the one that fails. */
static bool
begin_submit(struct sink *sink, const struct dump_iov *iov, unsigned int niov,
    uint64_t off)
{
	sink->nsubmit++;
	if (sink->before_submit != NULL)
		sink->before_submit(sink, off);
	check_pieces(sink, iov, niov);
	return (sink->nsubmit != sink->fail_submit);
}

static int
submit_now(void *arg, unsigned int tag, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	struct sink *sink = arg;

	if (tag != 0)
		die("a second write in flight", tag);
	if (!begin_submit(sink, iov, niov, off))
		return (DUMP_EIO);
	return (perform(sink, sink->nsubmit, iov, niov, off));
}

static int
submit_later(void *arg, unsigned int tag, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	struct sink *sink = arg;
	unsigned int npending = 1;

	if (tag >= DUMP_MAXDEPTH || sink->pending[tag])
		die("a tag that is in use", tag);
	if (!begin_submit(sink, iov, niov, off))
		return (DUMP_EIO);
	for (unsigned int i = 0; i < DUMP_MAXDEPTH; i++)
		npending += sink->pending[i];
	if (npending > sink->max_pending)
		sink->max_pending = npending;
	sink->pending[tag] = true;
	sink->number[tag] = sink->nsubmit;
	sink->write[tag].iov = iov;
	sink->write[tag].niov = niov;
	sink->write[tag].off = off;
	return (0);
}

/*
 * The newest first, as a device may: what a piece points at is read only now,
 * and must be what it was.
 */
static int
wait_newest(void *arg, unsigned int *tag)
{
	struct sink *sink = arg;
	unsigned int newest = 0;

	for (unsigned int i = 0; i < DUMP_MAXDEPTH; i++) {
		if (sink->pending[i] && sink->number[i] > newest) {
			newest = sink->number[i];
			*tag = i;
		}
	}
	if (newest == 0)
		die("waiting for nothing", 0);
	if (newest == sink->stall_write) {
		*tag = DUMP_MAXDEPTH + 7;
		return (0);
	}
	sink->pending[*tag] = false;
	return (perform(sink, newest, sink->write[*tag].iov,
	    sink->write[*tag].niov, sink->write[*tag].off));
}

static int
flush(void *arg)
{
	struct sink *sink = arg;

	for (unsigned int i = 0; i < DUMP_MAXDEPTH; i++)
		if (sink->pending[i])
			die("flushed with a write in flight", i);
	sink->nunflushed = 0;
	return (++sink->nflush == sink->fail_flush ? DUMP_EIO : 0);
}

struct dump_sink
sink_describe(struct sink *sink, enum dump_media media, unsigned int depth)
{
	return ((struct dump_sink){ .ds_name = "memory",
	    .ds_arg = sink,
	    .ds_media = media,
	    .ds_media_len = sink->media_len,
	    .ds_block_len = sink->block_len,
	    .ds_max_io = (uint32_t)sink->max_io,
	    .ds_maxiov = sink->maxiov,
	    .ds_depth = depth,
	    .ds_open = open_sink,
	    .ds_submit = depth > 0 ? submit_later : submit_now,
	    .ds_wait = depth > 0 ? wait_newest : NULL,
	    .ds_flush = flush,
	    .ds_close = close_sink });
}

bool
sink_untouched(const struct sink *sink, uint64_t start, uint64_t end)
{
	for (uint64_t i = start; i < end; i++)
		if (sink->media[i] != PATTERN)
			return (false);
	return (true);
}

bool
sink_find_dump(const struct sink *sink, uint64_t *off, uint64_t *len)
{
	const uint8_t *last = sink->media + sink->media_len - sink->block_len;
	struct span block = { .base = last, .len = KERNELDUMP_HDR_LEN };
	struct kerneldump_hdr kh;
	const char *why;

	if (!kerneldump_decode(block, &kh, &why) || !kerneldump_parity_ok(last))
		return (false);
	*len = kh.kh_dump_len;
	*off = sink->media_len - sink->block_len - kh.kh_extent_len;
	return (memcmp(sink->media + *off - sink->block_len, last,
		    sink->block_len) == 0);
}
