/*
 * Run queues: which thread is next.
 *
 * The best class comes first, but for a share: a class that has been passed over
 * SHARE times in a row while a thread of it was ready is next.  So each class
 * has at least a ninth of a CPU's turns, and no thread waits for ever for another
 * that never sleeps.
 *
 * Within a class the thread comes first that has waited longest, whether it is
 * bound to the CPU or not.
 */
#include "kernel/sys/runq.h"

#include <stddef.h>

#include "kernel/sys/proc.h"

/* How many turns of better classes a class waits for. */
#define SHARE 8

static uint64_t nadded; /* (s) */

void
runq_init(struct runq *rq)
{
	for (int c = 0; c < PRI_NCLASSES; c++)
		TAILQ_INIT(&rq->rq_class[c]);
}

bool
runq_is_empty(const struct runq *rq)
{
	for (int c = 0; c < PRI_NCLASSES; c++) {
		if (!TAILQ_EMPTY(&rq->rq_class[c]))
			return (false);
	}
	return (true);
}

void
runq_add(struct runq *rq, struct thread *td)
{
	td->td_rq = rq;
	td->td_rqstamp = ++nadded;
	TAILQ_INSERT_TAIL(&rq->rq_class[td->td_class], td, td_runq);
}

void
runq_remove(struct thread *td)
{
	TAILQ_REMOVE(&td->td_rq->rq_class[td->td_class], td, td_runq);
	td->td_rq = NULL;
}

/* The first of a class in both; NULL: it has none. */
static struct thread *
first_of(const struct runq *own, const struct runq *all, int c)
{
	struct thread *a = TAILQ_FIRST(&own->rq_class[c]);
	struct thread *b = TAILQ_FIRST(&all->rq_class[c]);

	if (a == NULL || b == NULL)
		return (a == NULL ? b : a);
	return (a->td_rqstamp < b->td_rqstamp ? a : b);
}

/* Those that are passed over for best have waited for one turn more. */
static void
count_turn(struct runq_share *share, struct thread *const *ready, int best)
{
	for (int c = 0; c < PRI_NCLASSES; c++) {
		if (c == best || ready[c] == NULL)
			share->rqs_passed[c] = 0;
		else if (c > best)
			share->rqs_passed[c]++;
	}
}

struct thread *
runq_choose(const struct runq *own, const struct runq *all,
    struct runq_share *share)
{
	struct thread *ready[PRI_NCLASSES];
	int best = PRI_NCLASSES;

	for (int c = 0; c < PRI_NCLASSES; c++) {
		ready[c] = first_of(own, all, c);
		if (ready[c] != NULL &&
		    (best == PRI_NCLASSES || share->rqs_passed[c] >= SHARE))
			best = c;
	}
	if (best == PRI_NCLASSES)
		return (NULL);
	count_turn(share, ready, best);
	runq_remove(ready[best]);
	return (ready[best]);
}
