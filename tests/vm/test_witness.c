/*
 * The witness of locks: each mistake is refused with its own words, and what is
 * no mistake is not.  The classes of each row are its own: orders are not
 * forgotten.
 */
#include <pthread.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/critical.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"

#define NLOCKS 20

/* What the rows lock; fresh for each. */
static struct mtx locks[NLOCKS];

static void
take_pair(int one, int other)
{
	mtx_lock_spin(&locks[one]);
	mtx_lock_spin(&locks[other]);
	mtx_unlock_spin(&locks[other]);
	mtx_unlock_spin(&locks[one]);
}

static void
same_order(void)
{
	take_pair(0, 1);
	take_pair(1, 2);
	take_pair(0, 2);
	take_pair(0, 1);
}

/* Only what is held at the same time has an order. */
static void
one_at_a_time(void)
{
	for (int i = 0; i < 4; i++) {
		mtx_lock_spin(&locks[i % 2]);
		mtx_unlock_spin(&locks[i % 2]);
	}
}

static void
crossed_release(void)
{
	mtx_lock_spin(&locks[0]);
	mtx_lock_spin(&locks[1]);
	mtx_unlock_spin(&locks[0]);
	mtx_lock_spin(&locks[2]);
	mtx_unlock_spin(&locks[1]);
	mtx_unlock_spin(&locks[2]);
	take_pair(0, 2);
}

static void
reversal(void)
{
	take_pair(0, 1);
	take_pair(1, 0);
}

static void
long_reversal(void)
{
	for (int i = 0; i < 5; i++)
		take_pair(i, i + 1);
	take_pair(5, 0);
}

/* The second half was learned first. */
static void
joined_reversal(void)
{
	take_pair(2, 3);
	take_pair(0, 1);
	take_pair(1, 2);
	take_pair(3, 0);
}

/* Not the lock that was taken last, but one before it. */
static void
deep_reversal(void)
{
	take_pair(0, 1);
	mtx_lock_spin(&locks[1]);
	mtx_lock_spin(&locks[2]);
	mtx_lock_spin(&locks[0]);
}

static void
same_type(void)
{
	mtx_init(&locks[1], "other", locks[0].lock_object.lo_type, MTX_SPIN);
	take_pair(0, 1);
}

static void
type_reversal(void)
{
	take_pair(0, 1);
	mtx_init(&locks[2], "third", locks[0].lock_object.lo_type, MTX_SPIN);
	take_pair(1, 2);
}

static void
too_many(void)
{
	for (int i = 0; i <= LOCKS_HELD_MAX; i++)
		mtx_lock_spin(&locks[i]);
}

static void
sleep_with_another(void)
{
	mtx_lock_spin(&locks[0]);
	mtx_lock_spin(&locks[1]);
	(void)msleep_spin(&locks, &locks[1], "test", 1);
}

static void
sleep_in_critical_section(void)
{
	critical_enter();
	mtx_lock_spin(&locks[0]);
	(void)msleep_spin(&locks, &locks[0], "test", 1);
}

static void
sleep_in(enum witness_place place)
{
	mtx_lock_spin(&locks[0]);
	sim_pretend(place);
	(void)msleep_spin(&locks, &locks[0], "test", 1);
}

static void
sleep_in_interrupt(void)
{
	sleep_in(PLACE_INTR);
}

static void
sleep_in_nmi(void)
{
	sleep_in(PLACE_NMI);
}

static void
lock_in_interrupt(void)
{
	sim_pretend(PLACE_INTR);
	take_pair(0, 1);
}

static void
lock_in_nmi(void)
{
	sim_pretend(PLACE_NMI);
	mtx_lock_spin(&locks[0]);
}

/* After a panic locks do nothing, and nothing is wrong. */
static void
stopped(void)
{
	take_pair(0, 1);
	scheduler_stopped = true;
	take_pair(1, 0);
	sim_pretend(PLACE_NMI);
	take_pair(1, 0);
	mtx_lock_spin(&locks[0]);
	mtx_assert(&locks[0], MA_OWNED);
	mtx_assert(&locks[0], MA_NOTOWNED);
	scheduler_stopped = false;
}

static const struct row {
	const char *name;
	void (*func)(void);
	const char *want; /* part of what the panic says; NULL: none */
} rows[] = {
	{ "works: the same order, directly and through another", same_order,
	    NULL },
	{ "works: locks one at a time have no order", one_at_a_time, NULL },
	{ "works: released in another order than taken", crossed_release,
	    NULL },
	{ "works: a lock in an interrupt", lock_in_interrupt, NULL },
	{ "works: anything once the machine is stopped", stopped, NULL },
	{ "panics: the reverse of an order", reversal,
	    "lock order reversal: \"0\" after \"1\"" },
	{ "panics: the reverse of an order through five", long_reversal,
	    "lock order reversal: \"0\" after \"5\"" },
	{ "panics: the reverse of two orders that were joined", joined_reversal,
	    "lock order reversal: \"0\" after \"3\"" },
	{ "panics: the reverse of an order, a lock in between", deep_reversal,
	    "lock order reversal: \"0\" after \"1\"" },
	{ "panics: the reverse of an order of another lock of the type",
	    type_reversal, "lock order reversal: \"third\" after \"1\"" },
	{ "panics: two locks of a type", same_type,
	    "\"other\" after \"0\" of the same type" },
	{ "panics: more locks than a thread can hold", too_many,
	    "\"16\" after 16 others" },
	{ "panics: a sleep with another lock", sleep_with_another,
	    "sleep on \"test\" with \"0\" held" },
	{ "panics: a sleep in a critical section", sleep_in_critical_section,
	    "sleep on \"test\" in a critical section" },
	{ "panics: a sleep in an interrupt", sleep_in_interrupt,
	    "sleep on \"test\" in an interrupt" },
	{ "panics: a sleep in an NMI", sleep_in_nmi,
	    "sleep on \"test\" in an NMI" },
	{ "panics: a lock in an NMI", lock_in_nmi, "\"0\" in an NMI" },
};

static void
call_row(void *arg)
{
	((const struct row *)arg)->func();
}

static void
test_row(void **state)
{
	static char types[NROWS(rows)][NLOCKS][16];
	static char names[NLOCKS][4];
	struct row row = *(const struct row *)*state;
	size_t nth = (size_t)((const struct row *)*state - rows);
	const char *said;

	for (int i = 0; i < NLOCKS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%d", i);
		(void)snprintf(types[nth][i], sizeof(types[nth][i]), "%zu/%d",
		    nth, i);
		mtx_init(&locks[i], names[i], types[nth][i], MTX_SPIN);
	}
	said = sim_expect_panic(call_row, &row);
	if (row.want == NULL)
		assert_null(said);
	else {
		assert_non_null(said);
		assert_non_null(strstr(said, row.want));
	}
}

#define STORM_THREADS 4
#define STORM_ROUNDS  20000
#define STORM_LOCKS   6

static uint64_t sum; /* (all of the storm's locks) */

static void *
storm_thread(void *arg)
{
	for (int i = 0; i < STORM_ROUNDS; i++) {
		int first =
		    (int)((uintptr_t)arg + (unsigned int)i) % (STORM_LOCKS - 1);

		mtx_lock_spin(&locks[first]);
		mtx_lock_spin(&locks[STORM_LOCKS - 1]);
		sum++;
		mtx_unlock_spin(&locks[first]);
		mtx_unlock_spin(&locks[STORM_LOCKS - 1]);
	}
	return (NULL);
}

/* Orders are learned by several threads at once. */
static void
test_storm(void **state)
{
	pthread_t threads[STORM_THREADS];

	(void)state;
	for (int i = 0; i < STORM_LOCKS; i++)
		mtx_init(&locks[i], i < STORM_LOCKS - 1 ? "early" : "late",
		    NULL, MTX_SPIN);
	sum = 0;
	for (uintptr_t i = 0; i < STORM_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, storm_thread,
				     (void *)i),
		    0);
	for (int i = 0; i < STORM_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(sum, STORM_THREADS * STORM_ROUNDS);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + 1];
	size_t ntests = 0;

	sim_boot(&sim_small);
	ADD_ROWS(tests, ntests, rows, test_row);
	tests[ntests++] = (struct CMUnitTest)cmocka_unit_test(test_storm);
	return (RUN_TESTS(tests, ntests));
}
