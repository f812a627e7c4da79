/*
 * Lending: a thread that waits for a lock has the lock's owner run as one of its
 * own class, if that is better.
 *
 * Without it, a thread of the worst class that owns a lock would have its turn
 * only once in a while, and all that wait for the lock with it.  The owner of a
 * lock may wait for another, so what is lent is handed on from owner to owner.
 *
 * The queue of a lock's sleepers knows the thread that they wait for, and a
 * thread knows these queues.  That is the owner, or after a release the thread
 * that has been woken to take the lock.  Of a lock that is shared none is
 * known, and nothing is lent: as in FreeBSD.
 *
 * Classes are lent, not numbers, so a queue only counts its sleepers by class.
 */
#include "kernel/sys/turnstile.h"

#include "kernel/sys/sched.h"
#include "kernel/sys/sleepqueue.h"
#include "kernel/sys/systm.h"

/* The best class in a queue; PRI_NCLASSES: it is empty. */
static enum pri_class
best_waiting(const struct sleepqueue *sq)
{
	int c = 0;

	while (c < PRI_NCLASSES && sq->sq_waiting[c] == 0)
		c++;
	return ((enum pri_class)c);
}

static enum pri_class
class_of(const struct thread *td)
{
	enum pri_class best = pri_class_of(td->td_priority);
	const struct sleepqueue *sq;

	LIST_FOREACH(sq, &td->td_contested, sq_owned) {
		if (best_waiting(sq) < best)
			best = best_waiting(sq);
	}
	return (best);
}

/* Ends where nothing changes, so also if threads wait for each other in a circle. */
void
turnstile_adjust(struct thread *td)
{
	while (td != NULL && td->td_class != class_of(td)) {
		enum pri_class c = class_of(td);
		struct sleepqueue *sq = NULL;

		if (td->td_wchan != NULL) {
			sq = sleepq_lookup(td->td_wchan);
			sq->sq_waiting[td->td_class]--;
			sq->sq_waiting[c]++;
		}
		sched_set_class(td, c);
		td = sq != NULL ? sq->sq_owner : NULL;
	}
}

void
turnstile_wait_for(struct sleepqueue *sq, struct thread *td)
{
	struct thread *old = sq->sq_owner;

	if (old != td) {
		if (old != NULL)
			LIST_REMOVE(sq, sq_owned);
		if (td != NULL)
			LIST_INSERT_HEAD(&td->td_contested, sq, sq_owned);
		sq->sq_owner = td;
		turnstile_adjust(old);
	}
	turnstile_adjust(td);
}
