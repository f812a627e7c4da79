/*
 * Sleep queues, for those who make threads and interrupt them; the calls for
 * sleepers and wakers are in sys/systm.h.
 */
#ifndef KERNEL_SYS_SLEEPQUEUE_H
#define KERNEL_SYS_SLEEPQUEUE_H

#include "kernel/sys/priority.h"
#include "kernel/sys/queue.h"

struct thread;

/* Who sleeps on one address.  Guarded by sched_lock. */
struct sleepqueue {
	TAILQ_HEAD(, thread) sq_blocked; /* first the one that sleeps longest */
	LIST_ENTRY(sleepqueue) sq_hash;	 /* of its chain, or of a free list */
	LIST_HEAD(, sleepqueue) sq_free; /* of all sleepers but one */
	const void *sq_wchan;
	unsigned int sq_waiting[PRI_NCLASSES]; /* sleepers, by class */
	struct thread *sq_owner; /* whom they wait for; see turnstile.h */
	LIST_ENTRY(sleepqueue) sq_owned; /* of its td_contested */
};

/* A thread brings a queue with it: td_sleepqueue. */
void sleepq_init(struct sleepqueue *sq);
struct sleepqueue *sleepq_alloc(void);
void sleepq_free(struct sleepqueue *sq);

/*
 * For locks, with sched_lock held.  Sleep on chan until sleepq_resume(), while
 * owner, which may be NULL, has what is waited for; the
 * queue of its sleepers, NULL if there are none; and wake one of them, whose
 * sleep returns error.
 */
void sleepq_wait(const void *chan, const char *wmesg, struct thread *owner);
struct sleepqueue *sleepq_lookup(const void *chan);
void sleepq_resume(struct sleepqueue *sq, struct thread *td, int error);

/*
 * End the thread's interruptible sleep, which returns error, not 0.  If it does
 * not sleep like that, its next interruptible sleep returns error at once.
 */
void sleepq_abort(struct thread *td, int error);

#endif
