/*
 * Signals that ask the program to end while a file is incomplete.  They are
 * noted, the work stops at the next step and cleans up, and then they take
 * effect.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on note SIGHUP, SIGINT and SIGTERM. */
void interrupt_hold(void);

/* Has one of them come? */
bool interrupt_came(void);

/* Let them through again, and the one that came. */
void interrupt_release(void);

#endif
