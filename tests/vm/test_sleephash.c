/* The table of sleep queues: every queue is found, however many there are. */
#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/kern/subr_sleephash.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sleepqueue.h"

#define MOST  70000 /* more than there can be chains */
#define CHAIN 8	    /* queues, if there are as many chains as queues */

static struct sleepqueue queues[MOST];
static char channels[MOST][64]; /* as far apart as threads' own may be */

static size_t
longest_chain(size_t *nqueues)
{
	size_t longest = 0;

	*nqueues = 0;
	for (size_t i = 0; i < sleephash_nchains(); i++) {
		size_t n = 0;

		for (const struct sleepqueue *sq = sleephash_chain(i);
		     sq != NULL; sq = LIST_NEXT(sq, sq_hash))
			n++;
		*nqueues += n;
		if (n > longest)
			longest = n;
	}
	return (longest);
}

static void
add_thread(size_t i)
{
	sleepq_init(&queues[i]);
	queues[i].sq_wchan = channels[i];
	sleephash_grow();
	mtx_lock_spin(&sched_lock);
	sleephash_insert(&queues[i]);
	mtx_unlock_spin(&sched_lock);
}

static void
remove_thread(size_t i)
{
	mtx_lock_spin(&sched_lock);
	LIST_REMOVE(&queues[i], sq_hash);
	mtx_unlock_spin(&sched_lock);
	sleephash_shrink();
}

/* So many are there, and no others are found. */
static void
check(size_t n)
{
	size_t nqueues;

	mtx_lock_spin(&sched_lock);
	assert_true(longest_chain(&nqueues) <= CHAIN);
	assert_int_equal(nqueues, n);
	for (size_t i = 0; i < MOST; i++)
		assert_ptr_equal(sleepq_lookup(channels[i]),
		    i < n ? &queues[i] : NULL);
	mtx_unlock_spin(&sched_lock);
}

static const struct row {
	const char *name;
	size_t n;
} rows[] = {
	{ "found: none", 0 },
	{ "found: one", 1 },
	{ "found: as many as chains at first", 1024 },
	{ "found: one more", 1025 },
	{ "found: as many as two segments have", 2048 },
	{ "found: 10000", 10000 },
	{ "found: fewer than there have been", 5000 },
	{ "found: more than there can be chains", MOST },
	{ "found: none any more", 0 },
};

/* Threads come and go until there are as many as the row says. */
static void
test_found(void **state)
{
	static size_t have;
	const struct row *row = *state;

	while (have < row->n)
		add_thread(have++);
	while (have > row->n)
		remove_thread(--have);
	check(row->n);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows)];
	size_t ntests = 0;

	sim_boot(&sim_small);
	ADD_ROWS(tests, ntests, rows, test_found);
	return (RUN_TESTS(tests, ntests));
}
