/*
 * Critical sections: between critical_enter() and critical_exit() the thread
 * stays on its CPU and no other thread runs there.  They nest.  Sleeping inside
 * is a bug.  Interrupts come: what an interrupt handler touches needs a mutex.
 */
#ifndef KERNEL_SYS_CRITICAL_H
#define KERNEL_SYS_CRITICAL_H

#ifdef CRITICAL_INLINE
#include CRITICAL_INLINE /* the same, where calls would cost */
#else
void critical_enter(void);
void critical_exit(void);

/*
 * The same for a few instructions that enter no other, take no lock and call
 * nothing: a flag, not a count.  To add and subtract one, each waits for the one
 * before; a processor that is to do this twice for an allocation does little else.
 */
void critical_enter_leaf(void);
void critical_exit_leaf(void);

/* The CPU that this thread runs on; means something in a critical section. */
unsigned int critical_cpu(void);
#endif

#endif
