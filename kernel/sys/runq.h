/*
 * Run queues: threads that are ready, by class.  Guarded by sched_lock.
 */
#ifndef KERNEL_SYS_RUNQ_H
#define KERNEL_SYS_RUNQ_H

#include <stdbool.h>

#include "kernel/sys/priority.h"
#include "kernel/sys/queue.h"

struct thread;

TAILQ_HEAD(runq_list, thread);

struct runq {
	struct runq_list rq_class[PRI_NCLASSES]; /* first who waits longest */
};

/* How often a CPU has passed over threads of a class that were ready. */
struct runq_share {
	unsigned int rqs_passed[PRI_NCLASSES];
};

void runq_init(struct runq *rq);
bool runq_is_empty(const struct runq *rq);

/* To the end of the list of its class, td_class; and out of it. */
void runq_add(struct runq *rq, struct thread *td);
void runq_remove(struct thread *td);

/*
 * Take out the thread that is to run next on the CPU whose queue is own and whose
 * share is given.  Any CPU may run those of all.  NULL: none is ready.
 */
struct thread *runq_choose(const struct runq *own, const struct runq *all,
    struct runq_share *share);

#endif
