/*
 * The kernel's own debugger, ddb/: works on a machine that is stopped, with
 * nothing but the console.
 */
#ifndef KERNEL_SYS_KDB_H
#define KERNEL_SYS_KDB_H

#include "kernel/sys/cdefs.h"
#include "kernel/sys/types.h"

struct trapframe;

/* Enter from a trap: other CPUs stopped, until "continue". */
void kdb_trap(const char *why, struct trapframe *frame);

/* Enter from code, as if by a breakpoint. */
void kdb_enter(const char *why, const char *fmt, ...) __printflike(2, 3);

/*
 * From an unexpected trap: if a command of the debugger caused it, say so and
 * go back to the prompt.  Else return; also inside of a dump, which could not
 * be finished.
 */
void kdb_fault(const char *what, const struct trapframe *frame);

/*
 * From a wait that cannot end, because no other thread runs any more: as
 * kdb_fault().  wmesg says what is waited for.
 */
void kdb_stuck(const char *wmesg);

extern volatile bool kdb_active;
extern const char *kdb_why;

/* The calls that lead here, printed. */
void kdb_backtrace(void);

#endif
