/*
 * Crashes that have a file of their own.
 */
#ifndef KERNEL_LAB_CRASH_H
#define KERNEL_LAB_CRASH_H

/* Panics at the end of a row of calls: chain.c. */
void crash_chain(void);

/* What the witness of locks refuses: crash_locks.c. */
void crash_reversal(void);
void crash_spinsleep(void);
void crash_critsleep(void);
void crash_intrsleep(void);
void crash_nmilock(void);

#endif
