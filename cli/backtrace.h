/*
 * A thread's backtrace as the commands and the remote server print it.
 *
 * Where there is a left, at most *left frames are printed, and taken off it: the
 * threads of a damaged dump can all have one endless stack.
 */
#ifndef CLI_BACKTRACE_H
#define CLI_BACKTRACE_H

#include <stdio.h>

#include "cli/json.h"
#include "cli/open.h"

/* How many frames the threads of dump may have together: see vmcore-bt(1). */
uint64_t backtrace_budget(const struct dump *dump);

/* As text: a line that names the thread, and one for each frame. */
void backtrace_print(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td, uint64_t *left);

/*
 * The array of its frames, as JSON in one line of at most max bytes.  If there are
 * more frames, the last one has a member "cut", which is true.  false: no memory.
 */
bool backtrace_print_frames(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td, size_t max);

/* The thread's object in bt --json, frames included. */
void backtrace_put(struct json_stream *jst, const struct dump *dump,
    const struct kdebug_thread *td, uint64_t *left);

#endif
