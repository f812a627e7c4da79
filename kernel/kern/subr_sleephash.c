/*
 * Sleep queues by the address that is slept on: chains, about as many as there are
 * threads, so that a wakeup looks at one or two queues however many there are.
 *
 * The table grows by a chain at a time (linear hashing).  A new chain takes from one
 * old chain what belongs into it, so nothing is moved at once.  Of N chains, and P
 * the greatest power of two up to N, a queue is in chain hash % 2P, if that is there,
 * and else in hash % P:
 *
 *	| 0 | 1 | 2 | 3 | 4 | 5 |	P is 4, N is 6; 2 is the next that is split
 *
 * Chains come in segments.  The first is static, for what sleeps before there is
 * memory, and is all that most machines need.  None is freed.
 */
#include "kernel/kern/subr_sleephash.h"

#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sleepqueue.h"
#include "kernel/sys/sysctl.h"

#define SEGMENT 1024
#define NSEGMENTS                                                              \
	64 /* with more threads than these have chains, they get longer */

LIST_HEAD(chain, sleepqueue);

static struct chain first[SEGMENT];
static struct chain *segments[NSEGMENTS] = { first }; /* (s) */
static size_t nchains = SEGMENT;		      /* (s) */
static size_t power = SEGMENT; /* (s) the greatest power of two up to nchains */
static size_t nqueues;	       /* (s) */

static int max_depth; /* (s) */
SYSCTL_NODE(_debug, OID_AUTO, sleepq, CTLFLAG_RD, NULL, "sleep queues");
SYSCTL_INT(_debug_sleepq, OID_AUTO, max_depth, CTLFLAG_RD, &max_depth, 0,
    "Most queues of other addresses that a lookup has passed");

static MALLOC_DEFINE(M_SLEEPHASH, "sleephash", "chains of sleep queues");

static struct chain *
chain_at(size_t i)
{
	return (&segments[i / SEGMENT][i % SEGMENT]);
}

/* Fibonacci hashing: neighbours are as well spread as equal parts of pages. */
static size_t
chain_index(const void *chan)
{
	size_t hash = (uintptr_t)chan * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	size_t i = hash % (2 * power);

	return (i < nchains ? i : i - power);
}

struct sleepqueue *
sleepq_lookup(const void *chan)
{
	struct sleepqueue *sq;
	int depth = 0;

	LIST_FOREACH(sq, chain_at(chain_index(chan)), sq_hash) {
		if (sq->sq_wchan == chan)
			break;
		depth++;
	}
	if (depth > max_depth)
		max_depth = depth;
	return (sq);
}

void
sleephash_insert(struct sleepqueue *sq)
{
	LIST_INSERT_HEAD(chain_at(chain_index(sq->sq_wchan)), sq, sq_hash);
}

/* One more chain, with what has been in another until now. */
static void
split(void)
{
	struct chain *old = chain_at(nchains - power);
	struct sleepqueue *sq, *next;

	nchains++;
	LIST_FOREACH_SAFE(sq, old, sq_hash, next) {
		LIST_REMOVE(sq, sq_hash);
		sleephash_insert(sq);
	}
	if (nchains == 2 * power)
		power = nchains;
}

/* Is there a segment for the next chain?  Then spare remains, if it is one. */
static bool
has_room(struct chain **spare)
{
	struct chain **segment = &segments[nchains / SEGMENT];

	if (*segment == NULL) {
		*segment = *spare;
		*spare = NULL;
	}
	return (*segment != NULL);
}

void
sleephash_grow(void)
{
	struct chain *spare = NULL;
	bool wanted;

	mtx_lock_spin(&sched_lock);
	nqueues++;
	wanted = nqueues > nchains && nchains < (size_t)SEGMENT * NSEGMENTS;
	if (wanted && !has_room(&spare)) {
		mtx_unlock_spin(&sched_lock);
		spare = malloc(SEGMENT * sizeof(*spare), M_SLEEPHASH,
		    M_WAITOK | M_ZERO);
		mtx_lock_spin(&sched_lock);
		wanted = nchains < (size_t)SEGMENT * NSEGMENTS;
	}
	if (wanted && has_room(&spare))
		split();
	mtx_unlock_spin(&sched_lock);
	free(spare, M_SLEEPHASH);
}

void
sleephash_shrink(void)
{
	mtx_lock_spin(&sched_lock);
	nqueues--;
	mtx_unlock_spin(&sched_lock);
}

struct sleepqueue *
sleephash_chain(size_t i)
{
	return (LIST_FIRST(chain_at(i)));
}

size_t
sleephash_nchains(void)
{
	return (nchains);
}
