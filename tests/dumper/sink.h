/*
 * A sink in memory, which fails when it is told to, and what it was asked for.
 */
#ifndef TESTS_DUMPER_SINK_H
#define TESTS_DUMPER_SINK_H

#include "dumper/dumper.h"

/* Never the number of a call. */
#define SINK_NEVER 0

struct sink {
	uint8_t *media;
	size_t media_len;
	uint64_t written; /* DUMP_MEDIA_FILE: after the last byte written */
	unsigned int nsubmit; /* calls so far; the first is number 1 */
	unsigned int nflush;
	unsigned int nunflushed; /* writes that the last flush did not cover */
	unsigned int nopen;
	unsigned int nclose;
	int close_error;
	unsigned int fail_submit; /* which call fails at once */
	unsigned int fail_write;  /* which write fails when it is waited for */
	unsigned int fail_flush;
	unsigned int stall_write; /* waiting for which write finds nothing */
	int open_error;
	void (*before_submit)(struct sink *sink, uint64_t off);
	void *before_arg;
	bool pending[DUMP_MAXDEPTH];
	unsigned int number[DUMP_MAXDEPTH]; /* of the call */
	struct {
		const struct dump_iov *iov;
		unsigned int niov;
		uint64_t off;
	} write[DUMP_MAXDEPTH];
	unsigned int max_pending;
	size_t max_io;
	unsigned int maxiov;
	uint32_t block_len;
	struct sim *sim; /* to check physical addresses with, or NULL */
};

/* Media of so many bytes, filled with a pattern that no dump has. */
void sink_init(struct sink *sink, size_t media_len);
void sink_fini(struct sink *sink);

/* As the dumper sees it: blocking, or with several writes in flight. */
struct dump_sink sink_describe(struct sink *sink, enum dump_media media,
    unsigned int depth);

/* Does the media hold a pattern from start to end still? */
bool sink_untouched(const struct sink *sink, uint64_t start, uint64_t end);

/*
 * The dump on the media by its trailing header, which must agree with the
 * leading one: where, and how long.  false: there is no valid dump.
 */
bool sink_find_dump(const struct sink *sink, uint64_t *off, uint64_t *len);

#endif
