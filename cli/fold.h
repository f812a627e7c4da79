/*
 * Folds recursion in a trace: if the same functions call each other repeatedly,
 * two rounds are shown and the others are counted in one line.
 *
 * Frames are passed one at a time and kept only while they may still have to be
 * shown, so the memory does not depend on the length of a trace.
 */
#ifndef CLI_FOLD_H
#define CLI_FOLD_H

#include "kdebug/kdebug.h"

/* Frames of the longest cycle that is recognized. */
#define FOLD_CYCLE_MAX 16

/* Frames that are kept: a cycle, and the part of a round that follows it. */
#define FOLD_KEPT (2 * FOLD_CYCLE_MAX)

struct fold {
	/* Show frame number n, from 0. */
	void (*fo_show)(void *arg, size_t n, const struct kdebug_frame *frame);
	/* Report that n frames repeat the ncycle frames at cycle. */
	void (*fo_repeat)(void *arg, size_t n,
	    const struct kdebug_frame *const *cycle, size_t ncycle);
	void *fo_arg; /* for both */

	struct kdebug_frame fo_kept[FOLD_KEPT]; /* the last ones, by number */
	size_t fo_nframes;			/* handed in */
	size_t fo_nshown; /* shown, or counted in a line */
	size_t fo_ncycle; /* frames of the cycle; 0: in none */
};

/* Take the next frame.  fo starts as zeros but for functions and argument. */
void fold_add(struct fold *fo, const struct kdebug_frame *frame);

/* There are no more frames: show what is still kept. */
void fold_end(struct fold *fo);

#endif
