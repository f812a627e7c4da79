/* Limits of zones: who fails there, who sleeps, what is said. */
#include <pthread.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/sys/clock.h"

static const struct limit_row {
	const char *name;
	int max;
	int atleast; /* items that M_NOWAIT gets on two CPUs */
} limit_rows[] = {
	{ "limit: one item", 1, 1 },
	{ "limit: fewer than CPUs have caches for", 7, 7 },
	{ "limit: with caches", 100, 50 },
	{ "limit: with large caches", 2000, 1000 },
};

static int
alloc_nowait(uma_zone_t zone, void **items)
{
	int n = 0;

	while ((items[n] = uma_zalloc(zone, M_NOWAIT)) != NULL)
		n++;
	return (n);
}

static void
check_limit_nowait(const struct limit_row *row, int atleast)
{
	static void *items[2001];
	uma_zone_t zone = uma_zcreate(row->name, 512, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, 0);
	int n;

	assert_int_equal(uma_zone_set_max(zone, row->max), row->max);
	n = alloc_nowait(zone, items);
	assert_in_range(n, atleast, row->max);
	uma_zfree(zone, items[--n]);
	items[n++] = uma_zalloc(zone, M_WAITOK);
	assert_non_null(items[n - 1]);
	while (n > 0)
		uma_zfree(zone, items[--n]);
	audit_zone(zone, 0);
	uma_zdestroy(zone);
	sim_halt();
}

/* On one CPU all items are in reach. */
static void
test_limit_nowait(void **state)
{
	const struct limit_row *row = *state;

	(void)uma_power_on_one_cpu(NULL);
	check_limit_nowait(row, row->max);
	(void)uma_power_on(NULL);
	check_limit_nowait(row, row->atleast);
}

static void *
alloc_and_free(void *arg)
{
	for (int i = 0; i < 2000; i++)
		uma_zfree(arg, uma_zalloc(arg, M_WAITOK));
	return (NULL);
}

/* Four threads share a single item: each sleeps until it is its turn. */
static void
test_limit_sleeps(void **state)
{
	uma_zone_t zone =
	    uma_zcreate("one", 4096, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	pthread_t threads[4];

	(void)state;
	assert_int_equal(uma_zone_set_max(zone, 1), 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
				     alloc_and_free, zone),
		    0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	audit_zone(zone, 0);
	assert_int_equal(zone->uz_keg->uk_pages, 1);
}

#define SHARE 50

static struct {
	uma_zone_t zone;
	pthread_barrier_t all_have;
} shares;

/* Until all threads have their share, none frees. */
static void *
take_share(void *arg)
{
	void *items[SHARE];

	(void)arg;
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < SHARE; i++)
			items[i] = uma_zalloc(shares.zone, M_WAITOK);
		pthread_barrier_wait(&shares.all_have);
		for (int i = 0; i < SHARE; i++)
			uma_zfree(shares.zone, items[i]);
	}
	return (NULL);
}

/* The last items of the limit are in caches: sleepers get them. */
static void
test_limit_empties_caches(void **state)
{
	struct uma_stat stat;
	pthread_t threads[4];

	(void)state;
	shares.zone =
	    uma_zcreate("shares", 64, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	assert_int_equal(uma_zone_set_max(shares.zone, 4 * SHARE), 4 * SHARE);
	pthread_barrier_init(&shares.all_have, NULL, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_share,
				     NULL),
		    0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&shares.all_have);
	audit_zone(shares.zone, 0);
	assert_true(count_cached(shares.zone) > 0);
	uma_zone_get_stat(shares.zone, &stat);
	assert_int_equal(stat.ust_limit, 4 * SHARE);
	assert_true(stat.ust_sleeps > 0);
}

static int nactions;

static void
count_action(uma_zone_t zone, int pending)
{
	assert_int_equal(pending, 1);
	uma_zfree(zone, NULL); /* no lock is held */
	nactions++;
}

/* The action each time that the limit is met, the warning now and then. */
static void
test_limit_warns(void **state)
{
	uma_zone_t zone =
	    uma_zcreate("full", 64, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	void *item;

	(void)state;
	nactions = 0;
	uma_zone_set_max(zone, 1);
	uma_zone_set_warning(zone, "raise the limit");
	uma_zone_set_maxaction(zone, count_action);
	for (int i = 1; i <= 3; i++) {
		item = uma_zalloc(zone, M_NOWAIT);
		assert_false(zone->uz_warned && i == 1);
		assert_null(uma_zalloc(zone, M_NOWAIT));
		assert_null(uma_zalloc(zone, M_NOWAIT));
		assert_int_equal(nactions, i);
		assert_true(zone->uz_warned);
		assert_int_equal(ticks - zone->uz_warned_at,
		    i == 2 ? 299 * hz : 0);
		sim_tick((i == 1 ? 299 : 1) * hz);
		uma_zfree(zone, item);
	}
}

#define BOOTED(test)                                                           \
	cmocka_unit_test_setup_teardown(test, uma_power_on, uma_power_off)

int
main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test_setup_teardown(test_limit_sleeps,
		    uma_power_on_four_cpus, uma_power_off),
		cmocka_unit_test_setup_teardown(test_limit_empties_caches,
		    uma_power_on_four_cpus, uma_power_off),
		BOOTED(test_limit_warns),
	};
	static struct CMUnitTest tests[NROWS(single) + NROWS(limit_rows)];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, limit_rows, test_limit_nowait);
	return (RUN_TESTS(tests, n));
}
