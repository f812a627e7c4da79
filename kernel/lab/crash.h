/*
 * Crashes that have a file of their own.
 */
#ifndef KERNEL_LAB_CRASH_H
#define KERNEL_LAB_CRASH_H

/* Panics at the end of a row of calls: chain.c. */
void crash_chain(void);

#endif
