/*
 * A thread's backtrace as the commands and the remote server print it.
 */
#ifndef CLI_BACKTRACE_H
#define CLI_BACKTRACE_H

#include <stdio.h>

#include "cli/json.h"
#include "cli/open.h"

/* As text: a line that names the thread, and one for each frame. */
void backtrace_print(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td);

/* The array of its frames.  NULL: no memory. */
json_t *backtrace_frames_json(const struct dump *dump,
    const struct kdebug_thread *td);

/* The thread's object in bt --json, frames included.  NULL: no memory. */
json_t *backtrace_json(const struct dump *dump, const struct kdebug_thread *td);

#endif
