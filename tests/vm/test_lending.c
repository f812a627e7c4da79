/*
 * Priorities that threads lend to the owners of locks.
 *
 * A script has one step a word.  "I1x" is thread I, which takes lock 1: x owns
 * it, s shares it, u upgrades it, - releases it; with ~ after that, it has to
 * sleep for it.  "=I:k" says that I runs as one of that class now.  The threads
 * are named for their own class: I and J are idle, T is timeshare, K is kernel.
 */
#include <semaphore.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/lockkinds.h"
#include "tests/vm/sim.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"

#define NLOCKS 2

static const char names[] = "IJTK";
static const char classes[] = "kti"; /* of enum pri_class */
static const uint8_t priorities[] = { PRI_MIN_IDLE, PRI_MIN_IDLE,
	PRI_MIN_TIMESHARE, PVM };

static struct worker {
	struct simthread *thread;
	uint8_t pri;
	sem_t command;
	char op; /* 0: the end */
	union anylock *lock;
	char held[NLOCKS]; /* 'x', 's', or 0 */
	bool done;	   /* atomic */
} workers[4];

static const struct lock_kind *kind;
static union anylock locks[NLOCKS];

static const struct row {
	const char *name;
	unsigned int kinds;
	const char *script;
} rows[] = {
	{ "to the owner, until it releases", KIND_ALL,
	    "I1x =I:i T1x~ =I:t K1x~ =I:k I1- =I:i =K:k" },
	{ "not from a worse class", KIND_ALL, "K1x T1x~ =K:k =T:t K1-" },
	{ "to the one that has the lock next", KIND_ALL,
	    "I1x J1x~ K1x~ =I:k =J:i I1- =I:i =J:k J1- =J:i" },
	{ "handed on to the owner of another lock", KIND_ALL,
	    "I1x T2x T1x~ =I:t K2x~ =T:k =I:k I1- =I:i =T:k T1- T2- =T:t" },
	{ "what another lock's waiters lend stays", KIND_ALL,
	    "I1x I2x T1x~ K2x~ =I:k I2- =I:t I1- =I:i" },
	{ "in whichever order they are released", KIND_ALL,
	    "I1x I2x T1x~ K2x~ =I:k I1- =I:k I2- =I:i" },
	{ "to no sharer, but to one that upgrades", KIND_RW | KIND_SX,
	    "I1s K1x~ =I:i I1u =I:k I1- =I:i" },
	{ "to the owner, by one that wants to share", KIND_RW | KIND_SX,
	    "I1x K1s~ =I:k I1- =I:i" },
	{ "not any more to one that downgrades", KIND_RW | KIND_SX,
	    "I1x T1s~ K1x~ =I:k I1d =I:i" },
};

static void
release(union anylock *l, char how)
{
	if (how == 's')
		kind->sunlock(l);
	else
		kind->xunlock(l);
}

static void
do_op(struct worker *w)
{
	char *held = &w->held[w->lock - locks];

	switch (w->op) {
	case 'x':
		kind->xlock(w->lock);
		*held = 'x';
		break;
	case 's':
		kind->slock(w->lock);
		*held = 's';
		break;
	case 'u':
		*held = kind->try_upgrade(w->lock) ? 'x' : 's';
		break;
	case 'd':
		kind->downgrade(w->lock);
		*held = 's';
		break;
	default:
		release(w->lock, *held);
		*held = '\0';
	}
}

static void
work(void *arg)
{
	struct worker *w = arg;

	mtx_lock_spin(&sched_lock);
	sched_prio(curthread, w->pri);
	mtx_unlock_spin(&sched_lock);
	for (;;) {
		sim_set_running(false);
		while (sem_wait(&w->command) != 0)
			continue;
		sim_set_running(true);
		if (w->op == '\0')
			return;
		do_op(w);
		__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	}
}

static struct worker *
worker_of(char name)
{
	return (&workers[strchr(names, name) - names]);
}

static void
give(struct worker *w, char op)
{
	w->op = op;
	w->done = false;
	sem_post(&w->command);
}

static void
wait_done(struct worker *w)
{
	while (!__atomic_load_n(&w->done, __ATOMIC_ACQUIRE))
		cpu_spinwait();
}

static void
check_class(const char *step)
{
	enum pri_class c;

	mtx_lock_spin(&sched_lock);
	c = sim_thread(worker_of(step[1])->thread)->td_class;
	mtx_unlock_spin(&sched_lock);
	if (classes[c] != step[3])
		fail_msg("%.4s: it is %c", step, classes[c]);
}

static void
do_step(const char *step)
{
	struct worker *w;

	if (step[0] == '=') {
		check_class(step);
		return;
	}
	w = worker_of(step[0]);
	wait_done(w); /* with what it has slept for */
	w->lock = &locks[step[1] - '1'];
	give(w, step[2]);
	if (step[3] == '~')
		sim_wait_asleep(w->thread);
	else
		wait_done(w);
}

/* Release what it holds.  false: it holds nothing, and waits for nothing. */
static bool
let_go(struct worker *w)
{
	if (!__atomic_load_n(&w->done, __ATOMIC_ACQUIRE))
		return (true);
	for (size_t i = 0; i < NLOCKS; i++) {
		if (w->held[i] != '\0') {
			w->lock = &locks[i];
			give(w, '-');
			wait_done(w);
			return (true);
		}
	}
	return (false);
}

static void
finish(void)
{
	bool busy = true;

	while (busy) {
		busy = false;
		for (size_t i = 0; i < NROWS(workers); i++)
			busy |= let_go(&workers[i]);
	}
	for (size_t i = 0; i < NROWS(workers); i++) {
		assert_int_equal(sim_thread(workers[i].thread)->td_class,
		    pri_class_of(workers[i].pri));
		give(&workers[i], '\0');
		sim_join(workers[i].thread);
		sem_destroy(&workers[i].command);
	}
}

static void
run_script(const char *script)
{
	for (size_t i = 0; i < NLOCKS; i++)
		kind->init(&locks[i], i == 0 ? "one" : "two", LO_NOWITNESS);
	for (size_t i = 0; i < NROWS(workers); i++) {
		struct worker *w = &workers[i];

		*w = (struct worker){ .pri = priorities[i], .done = true };
		sem_init(&w->command, 0, 0);
		w->thread = sim_start(work, w);
	}
	for (const char *step = script; step != NULL;
	     step = strchr(step, ' ')) {
		step += *step == ' ';
		do_step(step);
	}
	finish();
	for (size_t i = 0; i < NLOCKS; i++)
		kind->destroy(&locks[i]);
}

static void
test_row(void **state)
{
	const struct row *row = *state;

	for (size_t i = 0; i < NKINDS; i++) {
		kind = &lock_kinds[i];
		if ((row->kinds & 1u << i) != 0)
			run_script(row->script);
	}
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows)];
	size_t ntests = 0;

	sim_boot(&sim_small);
	ADD_ROWS(tests, ntests, rows, test_row);
	return (RUN_TESTS(tests, ntests));
}
