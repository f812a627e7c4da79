/*
 * A thread of the dump as the commands print it.
 */
#ifndef CLI_THREAD_H
#define CLI_THREAD_H

#include "cli/json.h"
#include "kdebug/kdebug.h"

/* An object with the known registers, by gdb's names. */
json_t *registers_json(const struct kdebug *kdb,
    const struct kdebug_regs *regs);

/* Its object in ps --json and bt --json, without frames.  NULL: no memory. */
json_t *thread_json(const struct kdebug *kdb, const struct kdebug_thread *td);

#endif
