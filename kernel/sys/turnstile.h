/*
 * Priorities that threads lend to those that they wait for.  All calls are with
 * sched_lock held.
 */
#ifndef KERNEL_SYS_TURNSTILE_H
#define KERNEL_SYS_TURNSTILE_H

struct sleepqueue;
struct thread;

/* The threads in sq wait for td from now on; NULL: for none that is known. */
void turnstile_wait_for(struct sleepqueue *sq, struct thread *td);

/*
 * td's priority, or what is lent to it, may have changed: find its class anew, and
 * that of the threads that it waits for.
 */
void turnstile_adjust(struct thread *td);

#endif
