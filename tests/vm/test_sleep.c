/*
 * Sleep queues and callouts: who is woken by what, in which order, and what its
 * sleep returns.
 */
#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/callout.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sleepqueue.h"
#include "kernel/sys/systm.h"

#define NSLEEPERS 3
#define ASLEEP	  (-2)

/* One thread's sleep. */
struct sleeper {
	int chan; /* of channels */
	int flags;
	int timo;
	int result; /* ASLEEP until it ends; atomic */
	struct simthread *thread;
};

static char channels[2];

static void
sleep_once(void *arg)
{
	struct sleeper *s = arg;
	int error = tsleep(&channels[s->chan], s->flags, "test", s->timo);

	__atomic_store_n(&s->result, error, __ATOMIC_RELEASE);
}

static void
wake_all(struct sleeper *s)
{
	(void)s;
	wakeup(&channels[0]);
}

static void
wake_first(struct sleeper *s)
{
	(void)s;
	wakeup_one(&channels[0]);
}

static void
wake_nobody(struct sleeper *s)
{
	(void)s;
	wakeup(channels + sizeof(channels));
	wakeup_one(channels + sizeof(channels));
}

static void
abort_second(struct sleeper *s)
{
	sleepq_abort(sim_thread(s[1].thread), EINTR);
}

static void
tick_4(struct sleeper *s)
{
	(void)s;
	sim_tick(4);
}

static void
tick_5(struct sleeper *s)
{
	(void)s;
	sim_tick(5);
}

/* Longer than a turn of the callouts' wheel. */
static void
tick_600(struct sleeper *s)
{
	(void)s;
	sim_tick(600);
}

static const struct row {
	const char *name;
	struct sleeper sleepers[NSLEEPERS];
	void (*func)(struct sleeper *s);
	int want[NSLEEPERS]; /* what their sleeps return, or ASLEEP */
} rows[] = {
	{ "wakes: all of one channel", { { 0 }, { .chan = 1 }, { 0 } },
	    wake_all, { 0, ASLEEP, 0 } },
	{ "wakes: the one that has slept longest",
	    { { .chan = 1 }, { 0 }, { 0 } }, wake_first,
	    { ASLEEP, 0, ASLEEP } },
	{ "wakes: nobody of other channels", { { 0 }, { .chan = 1 }, { 0 } },
	    wake_nobody, { ASLEEP, ASLEEP, ASLEEP } },
	{ "wakes: who sleeps for a limited time, before it is over",
	    { { .timo = 5 }, { 0 }, { 0 } }, wake_first,
	    { 0, ASLEEP, ASLEEP } },
	{ "times out: not a tick too early", { { .timo = 5 }, { 0 }, { 0 } },
	    tick_4, { ASLEEP, ASLEEP, ASLEEP } },
	{ "times out: when the ticks have passed",
	    { { .timo = 5 }, { .timo = 6 }, { .timo = 4 } }, tick_5,
	    { EWOULDBLOCK, ASLEEP, EWOULDBLOCK } },
	{ "times out: after turns of the wheel",
	    { { .timo = 600 }, { .timo = 601 }, { .timo = 256 } }, tick_600,
	    { EWOULDBLOCK, ASLEEP, EWOULDBLOCK } },
	{ "interrupts: a sleep with PCATCH",
	    { { 0 }, { .flags = PCATCH }, { .flags = PCATCH } }, abort_second,
	    { ASLEEP, EINTR, ASLEEP } },
	{ "interrupts: no sleep without PCATCH", { { 0 }, { 0 }, { 0 } },
	    abort_second, { ASLEEP, ASLEEP, ASLEEP } },
};

/* Wait for those that are to end, and see that the others sleep. */
static void
check_results(struct sleeper *s, const int *want)
{
	for (int i = 0; i < NSLEEPERS; i++) {
		if (want[i] == ASLEEP)
			assert_true(sim_asleep(s[i].thread));
		else
			sim_join(s[i].thread);
		assert_int_equal(__atomic_load_n(&s[i].result,
				     __ATOMIC_ACQUIRE),
		    want[i]);
	}
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct sleeper s[NSLEEPERS];

	for (int i = 0; i < NSLEEPERS; i++) {
		s[i] = row->sleepers[i];
		s[i].result = ASLEEP;
		s[i].thread = sim_start(sleep_once, &s[i]);
		sim_wait_asleep(s[i].thread);
	}
	row->func(s);
	check_results(s, row->want);

	for (size_t i = 0; i < sizeof(channels); i++)
		wakeup(&channels[i]);
	for (int i = 0; i < NSLEEPERS; i++) {
		if (row->want[i] == ASLEEP)
			sim_join(s[i].thread);
	}
}

/* Of a thread that sleeps. */
static enum pri_class
class_of(struct simthread *t)
{
	enum pri_class c;

	sim_wait_asleep(t);
	mtx_lock_spin(&sched_lock);
	c = sim_thread(t)->td_class;
	mtx_unlock_spin(&sched_lock);
	return (c);
}

/* Awake as what it slept as; the next sleep, and a priority of its own. */
static void
sleep_as(void *arg)
{
	enum pri_class *awake = arg;

	(void)tsleep(&channels[0], PVM | PCATCH, "test", 0);
	*awake = curthread->td_class;
	(void)tsleep(&channels[1], 0, "test", 0);
	mtx_lock_spin(&sched_lock);
	sched_prio(curthread, PRI_MIN_IDLE);
	mtx_unlock_spin(&sched_lock);
	(void)tsleep(&channels[0], 0, "test", 0);
}

static void
test_priority(void **state)
{
	enum pri_class awake = PRI_NCLASSES;
	struct simthread *t = sim_start(sleep_as, &awake);

	(void)state;
	assert_int_equal(class_of(t), PRI_KERN);
	wakeup(&channels[0]);
	assert_int_equal(class_of(t), PRI_TIMESHARE);
	assert_int_equal(awake, PRI_KERN);
	wakeup(&channels[1]);
	assert_int_equal(class_of(t), PRI_IDLE);
	wakeup(&channels[0]);
	sim_join(t);
}

static int ncalls;

static void
count_call(void *arg)
{
	ncalls += *(const int *)arg;
}

static void
test_callout(void **state)
{
	struct callout c = { 0 };
	int one = 1, ten = 10;

	(void)state;
	ncalls = 0;
	assert_false(callout_stop(&c));
	callout_reset(&c, 3, count_call, &one);
	callout_reset(&c, 2, count_call, &ten); /* instead */
	sim_tick(1);
	assert_int_equal(ncalls, 0);
	sim_tick(1);
	assert_int_equal(ncalls, 10);
	sim_tick(600);
	assert_int_equal(ncalls, 10);
	callout_reset(&c, 0, count_call, &one); /* not before the next tick */
	assert_int_equal(ncalls, 10);
	sim_tick(1);
	assert_int_equal(ncalls, 11);
	callout_reset(&c, 1, count_call, &one);
	assert_true(callout_stop(&c));
	sim_tick(2);
	assert_int_equal(ncalls, 11);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + 2];
	size_t ntests = 0;

	sim_boot(&sim_small);
	ADD_ROWS(tests, ntests, rows, test_row);
	tests[ntests++] = (struct CMUnitTest)cmocka_unit_test(test_priority);
	tests[ntests++] = (struct CMUnitTest)cmocka_unit_test(test_callout);
	return (RUN_TESTS(tests, ntests));
}
