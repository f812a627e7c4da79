/*
 * Recursion in a trace, told in a line: where the same functions called each
 * other again and again, the repetitions after the second are counted.
 *
 * Frames are handed in one by one and kept only as long as they may have to be
 * printed, so a trace of any length takes the same memory.
 */
#ifndef CLI_FOLD_H
#define CLI_FOLD_H

#include "kdebug/kdebug.h"

/* Frames of the longest cycle that is recognized. */
#define FOLD_CYCLE_MAX 16

/* Frames that are kept: a cycle, and what is past it but no whole one. */
#define FOLD_KEPT (2 * FOLD_CYCLE_MAX)

struct fold {
	/* What to do with a frame, whose number is n, that is shown. */
	void (*fo_show)(void *arg, size_t n, const struct kdebug_frame *frame);
	/* The same for n frames that repeat the ncycle frames at cycle. */
	void (*fo_repeat)(void *arg, size_t n,
	    const struct kdebug_frame *const *cycle, size_t ncycle);
	void *fo_arg; /* for both */

	struct kdebug_frame fo_kept[FOLD_KEPT]; /* the last ones, by number */
	size_t fo_nframes;			/* handed in */
	size_t fo_nshown; /* shown or told as repetitions */
	size_t fo_ncycle; /* frames of the cycle; 0: in none */
};

/* Start with zeros but for the functions and their argument. */
void fold_add(struct fold *fo, const struct kdebug_frame *frame);

/* There are no more frames. */
void fold_end(struct fold *fo);

#endif
