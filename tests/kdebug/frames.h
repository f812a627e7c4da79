/*
 * The frames of a thread's stack as a list.
 */
#ifndef TESTS_KDEBUG_FRAMES_H
#define TESTS_KDEBUG_FRAMES_H

#include "kdebug/kdebug.h"

/* The innermost frames of td, at most max.  Returns how many there are. */
static inline size_t
take_frames(struct kdebug *kdb, const struct kdebug_thread *td,
    struct kdebug_frame *frames, size_t max)
{
	struct kdebug_trace *tr = kdebug_trace_create(kdb, td);
	size_t n = 0;

	while (tr != NULL && n < max && kdebug_trace_next(tr, &frames[n]))
		n++;
	kdebug_trace_destroy(tr);
	return (n);
}

#endif
