/*
 * Mutexes, rwlocks and sx locks among several threads: who waits, who is let in
 * and in which order.
 *
 * A script has one step a word: "Ax=+" is thread A, which takes the lock
 * exclusively, and gets it.
 *
 *	x s	takes it exclusively, or shares it
 *	X S	tries to
 *	-	releases it
 *	u d	tries to upgrade it, downgrades it
 *	z p	sleeps, with PDROP if p, and lets go of it meanwhile
 *	w	wakes those that sleep so
 *
 * After "=": + it is done, - it was refused, ~ the thread sleeps.  The letters
 * after that are the threads whose waits have ended with this step; all others
 * wait on.
 */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/lockkinds.h"
#include "tests/vm/sim.h"

#include "kernel/sys/proc.h"
#include "kernel/sys/smp.h"

#define NWORKERS 5

struct worker {
	struct simthread *thread;
	sem_t command; /* posted when op is set */
	char op;       /* 0: the end */
	char result;   /* '+' or '-'; 0 until it is done; atomic */
	bool shared;   /* how it holds the lock, for '-' */
	bool waiting;  /* its last step was a "~" */
};

static struct worker workers[NWORKERS];
static const struct lock_kind *kind;
static union anylock lock;
static char channel;

static bool
drop(struct worker *w)
{
	if (w->shared)
		kind->sunlock(&lock);
	else
		kind->xunlock(&lock);
	return (true);
}

static bool
do_op(struct worker *w)
{
	switch (w->op) {
	case 'x':
		kind->xlock(&lock);
		w->shared = false;
		return (kind->owned(&lock));
	case 's':
		kind->slock(&lock);
		w->shared = true;
		return (!kind->owned(&lock));
	case 'X':
		w->shared = false;
		return (kind->try_xlock(&lock));
	case 'S':
		w->shared = true;
		return (kind->try_slock(&lock));
	case '-':
		return (drop(w));
	case 'u':
		w->shared = !kind->try_upgrade(&lock);
		return (!w->shared);
	case 'd':
		w->shared = true;
		kind->downgrade(&lock);
		return (true);
	case 'z':
		return (kind->sleep(&channel, &lock, 0, 0) == 0);
	case 'p':
		return (kind->sleep(&channel, &lock, PDROP, 0) == 0);
	default:
		wakeup(&channel);
		return (true);
	}
}

/* Between its steps a worker is off its CPU, so that nobody spins for it. */
static void
work(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		sim_set_running(false);
		while (sem_wait(&w->command) != 0)
			continue;
		sim_set_running(true);
		if (w->op == '\0')
			return;
		__atomic_store_n(&w->result, do_op(w) ? '+' : '-',
		    __ATOMIC_RELEASE);
	}
}

static char
result_of(struct worker *w)
{
	return (__atomic_load_n(&w->result, __ATOMIC_ACQUIRE));
}

/* What has become of the step: a result, or '~' if the thread sleeps. */
static char
outcome(struct worker *w)
{
	char result;

	while ((result = result_of(w)) == '\0' && !sim_asleep(w->thread))
		cpu_spinwait();
	return (result != '\0' ? result : '~');
}

static void
give(struct worker *w, char op)
{
	w->op = op;
	w->result = '\0';
	sem_post(&w->command);
}

/* The waits of the threads that are named have ended, and no others. */
static void
check_waits(const char *step, const char *names)
{
	for (int i = 0; i < NWORKERS; i++) {
		struct worker *w = &workers[i];
		bool named = strchr(names, 'A' + i) != NULL;
		char want = named ? '+' : '~', got;

		if (!w->waiting) {
			assert_false(named);
			continue;
		}
		while (named && result_of(w) == '\0' && !sim_asleep(w->thread))
			cpu_spinwait();
		got = outcome(w);
		if (got != want)
			fail_msg("%s: %c is %c, not %c", step, 'A' + i, got,
			    want);
		w->waiting = !named;
	}
}

/* "Ax=+BC" */
static void
run_step(const char *step)
{
	struct worker *w = &workers[step[0] - 'A'];
	char got;

	assert_false(w->waiting);
	give(w, step[1]);
	got = outcome(w);
	if (got != step[3])
		fail_msg("%s: got %c", step, got);
	check_waits(step, step + 4);
	w->waiting = got == '~';
}

static const struct row {
	const char *name;
	unsigned int kinds;
	const char *script;
} rows[] = {
	{ "one at a time, in their order", KIND_ALL,
	    "Ax=+ Bx=~ Cx=~ A-=+B B-=+C C-=+" },
	{ "a try does not wait", KIND_ALL, "Ax=+ BX=- A-=+ BX=+ AX=- B-=+" },
	{ "a try does not take again what it owns", KIND_ALL,
	    "Ax=+ AX=- A-=+" },
	{ "a try to share does not wait", KIND_RW | KIND_SX,
	    "Ax=+ BS=- A-=+ BS=+ AS=+ CX=- A-=+ B-=+ CX=+ C-=+" },
	{ "shared by many, one waits for all", KIND_RW | KIND_SX,
	    "As=+ Bs=+ Cs=+ Dx=~ A-=+ C-=+ B-=+D D-=+" },
	{ "who comes after a writer waits after it", KIND_RW | KIND_SX,
	    "As=+ Bx=~ Cs=~ DS=- A-=+B B-=+C C-=+" },
	{ "sharers are let in together, up to a writer", KIND_RW | KIND_SX,
	    "Ax=+ Bs=~ Cs=~ Dx=~ Es=~ A-=+BC B-=+ C-=+D D-=+E E-=+" },
	{ "who shares it already does not wait for a writer", KIND_RW | KIND_SX,
	    "As=+ Bx=~ As=+ A-=+ A-=+B B-=+" },
	{ "upgraded by the only one", KIND_RW | KIND_SX,
	    "As=+ Au=+ BS=- A-=+ BX=+ B-=+" },
	{ "not upgraded while another shares it", KIND_RW | KIND_SX,
	    "As=+ Bs=+ Au=- B-=+ Au=+ A-=+" },
	{ "upgraded before those that wait", KIND_RW | KIND_SX,
	    "As=+ Bx=~ Cs=~ Au=+ A-=+B B-=+C C-=+" },
	{ "downgraded with nobody there", KIND_RW | KIND_SX,
	    "Ax=+ Ad=+ BS=+ CX=- A-=+ B-=+" },
	{ "downgraded: sharers come in, up to a writer", KIND_RW | KIND_SX,
	    "Ax=+ Bs=~ Cs=~ Dx=~ Es=~ Ad=+BC C-=+ A-=+ B-=+D D-=+E E-=+" },
	{ "downgraded: a writer waits on", KIND_RW | KIND_SX,
	    "Ax=+ Bx=~ Cs=~ Ad=+ A-=+B B-=+C C-=+" },
	{ "a sleep lets go of it, and takes it again", KIND_ALL,
	    "Ax=+ Az=~ Bx=+ Bw=+ B-=+A BX=- A-=+" },
	{ "a sleep lets the next one in", KIND_ALL,
	    "Ax=+ Bx=~ Az=~B Bw=+ B-=+A A-=+" },
	{ "a sleep shares it again", KIND_RW | KIND_SX,
	    "As=+ Az=~ Bs=+ Bw=+A B-=+ CX=- A-=+" },
	{ "a sleep of the last that shares it", KIND_RW | KIND_SX,
	    "As=+ Bx=~ Az=~B Bw=+ B-=+A CX=- A-=+" },
	{ "a sleep with PDROP does not take it again", KIND_ALL,
	    "Ax=+ Ap=~ Bx=+ Bw=+A CX=- B-=+" },
};

static void
start_workers(void)
{
	for (int i = 0; i < NWORKERS; i++) {
		struct worker *w = &workers[i];

		w->waiting = w->shared = false;
		sem_init(&w->command, 0, 0);
		w->thread = sim_start(work, w);
	}
}

static void
end_workers(void)
{
	for (int i = 0; i < NWORKERS; i++) {
		give(&workers[i], '\0');
		sim_join(workers[i].thread);
		sem_destroy(&workers[i].command);
	}
}

static void
test_script(void **state)
{
	const struct kind_test *t = *state;
	const struct row *row = t->row;
	char script[128], *rest = script, *step;

	kind = t->kind;
	kind->init(&lock, "lock", LO_NOWITNESS);
	start_workers();
	(void)snprintf(script, sizeof(script), "%s", row->script);
	while ((step = strsep(&rest, " ")) != NULL)
		run_step(step);
	end_workers();
	kind->destroy(&lock);
}

/*
 * An owner that runs is spun for, and one that does not run is slept for.
 */
static void
test_spins(void **state)
{
	struct simthread *t;
	struct worker *w = &workers[0];

	kind = *state;
	kind->init(&lock, "lock", LO_NOWITNESS);
	kind->xlock(&lock);
	start_workers();
	t = w->thread;
	give(w, 'x');
	for (int i = 0; i < 1000; i++) {
		assert_false(sim_asleep(t));
		cpu_spinwait();
	}
	sim_set_running(false);
	while (!sim_asleep(t))
		cpu_spinwait();
	sim_set_running(true);
	kind->xunlock(&lock);
	assert_int_equal(outcome(w), '+');
	give(w, '-');
	assert_int_equal(outcome(w), '+');
	end_workers();
	kind->destroy(&lock);
}

/*
 * All kinds at once.
 */

#define STORM_THREADS 4
#define STORM_ROUNDS  3000

static struct sx storm_sx = SX_INITIALIZER("storm sx");
static struct rwlock storm_rw = RW_INITIALIZER("storm rwlock");
static struct mtx storm_mtx = MTX_DEF_INITIALIZER("storm mutex");
static struct mtx storm_spin = MTX_INITIALIZER("storm spin");
static unsigned int sx_sum, rw_sum[2], mtx_sum, spin_sum; /* (their lock) */
static unsigned int turn;				  /* (storm_mtx) */

/* Writers change both sums; readers see them equal. */
static void
storm_rwlock(unsigned int v)
{
	bool write = v % 4 == 0;

	if (write)
		rw_wlock(&storm_rw);
	else
		rw_rlock(&storm_rw);
	assert_int_equal(rw_sum[0], rw_sum[1]);
	if (write || (v % 4 == 1 && rw_try_upgrade(&storm_rw))) {
		rw_sum[0]++;
		rw_sum[1]++;
		if (v % 8 < 4)
			rw_downgrade(&storm_rw);
	}
	assert_int_equal(rw_sum[0], rw_sum[1]);
	rw_unlock(&storm_rw);
}

/* The threads take turns, by sleeping. */
static void
storm_turn(unsigned int self)
{
	mtx_lock(&storm_mtx);
	while (turn % STORM_THREADS != self)
		(void)msleep(&turn, &storm_mtx, 0, "turn", 0);
	turn++;
	wakeup(&turn);
	mtx_unlock(&storm_mtx);
}

static void
storm(void *arg)
{
	unsigned int self = (unsigned int)(uintptr_t)arg;
	uint32_t seed = self;

	for (int i = 0; i < STORM_ROUNDS; i++) {
		unsigned int v = sim_random(&seed);

		sx_xlock(&storm_sx);
		sx_sum++;
		if (v % 2 == 0)
			sx_downgrade(&storm_sx);
		storm_rwlock(v >> 1);
		mtx_lock(&storm_mtx);
		mtx_sum++;
		mtx_lock_spin(&storm_spin);
		spin_sum++;
		mtx_unlock_spin(&storm_spin);
		mtx_unlock(&storm_mtx);
		sx_unlock(&storm_sx);
		if (i % 16 == 0)
			storm_turn(self);
	}
}

static void
test_storm(void **state)
{
	struct simthread *threads[STORM_THREADS];

	(void)state;
	for (uintptr_t i = 0; i < STORM_THREADS; i++)
		threads[i] = sim_start(storm, (void *)i);
	for (int i = 0; i < STORM_THREADS; i++)
		sim_join(threads[i]);
	assert_int_equal(sx_sum, STORM_THREADS * STORM_ROUNDS);
	assert_int_equal(mtx_sum, STORM_THREADS * STORM_ROUNDS);
	assert_int_equal(spin_sum, STORM_THREADS * STORM_ROUNDS);
	sx_destroy(&storm_sx);
	rw_destroy(&storm_rw);
	mtx_destroy(&storm_mtx);
}

int
main(void)
{
	static struct kind_test states[NROWS(rows) * NKINDS];
	struct CMUnitTest tests[NROWS(states) + NKINDS + 1];
	size_t ntests = 0;

	sim_boot(&sim_small);
	for (size_t i = 0; i < NROWS(rows); i++)
		ntests +=
		    add_kinds(&tests[ntests], &states[ntests], test_script,
			&(struct kind_row){ rows[i].name, rows[i].kinds,
			    &rows[i] });
	for (int i = 0; i < NKINDS; i++)
		tests[ntests++] =
		    (struct CMUnitTest)cmocka_unit_test_prestate(test_spins,
			(void *)(uintptr_t)&lock_kinds[i]);
	tests[ntests++] = (struct CMUnitTest)cmocka_unit_test(test_storm);
	return (RUN_TESTS(tests, ntests));
}
