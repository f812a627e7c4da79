/*
 * Crashes that others have to take part in.
 */
#ifndef KERNEL_LAB_CRASH_H
#define KERNEL_LAB_CRASH_H

/* From the clock's interrupt: panics if that was asked for. */
void crash_clock(void);

/* Panics at the end of a row of calls: chain.c. */
void crash_chain(void);

/* By the owner of a mutex: panics if it has this name.  NULL: none has. */
extern const char *crash_mutex_name;
void crash_mutex(const char *name);

#endif
