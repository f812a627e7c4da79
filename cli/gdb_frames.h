/*
 * A thread's frames in the format that gdb_unwinder.py reads.
 */
#ifndef CLI_GDB_FRAMES_H
#define CLI_GDB_FRAMES_H

#include <stdio.h>

#include "cli/open.h"

/* Enough frames for gdb to show the function of a thread. */
#define GDB_FRAMES_FIRST 2

/*
 * Print the thread's frames, innermost first, at most max of them: a line
 *
 *	thread ID
 *
 * with "cut" after it if the stack has more frames than are ever told, and one
 * for each frame, numbers in hexadecimal:
 *
 *	PC ADDRESS REGISTER=VALUE ... : SYMBOL
 *
 * ADDRESS is what gdb is to know the frame by; SYMBOL is empty if unknown.
 */
void gdb_frames_print(FILE *out, const struct dump *dump,
    const struct kdebug_thread *td, uint64_t id, size_t max);

#endif
