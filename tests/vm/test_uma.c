/* UMA: what zones promise, and storms against simple models. */
#include <pthread.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/sys/critical.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/smp.h"
#include "kernel/vm/vm_kern.h"

/*
 * Geometry.
 */

static const struct geometry_row {
	const char *name;
	size_t size, align;
	uint32_t flags;
	uint32_t rsize, ipers, ppera;
	bool offpage;
} geometry_rows[] = {
	{ "geometry: one byte", 1, 0, 0, 16, 249, 1, false },
	{ "geometry: 17 bytes", 17, 7, 0, 24, 166, 1, false },
	{ "geometry: own pages", 16, 7, UMA_ZONE_OFFPAGE, 16, 255, 1, true },
	{ "geometry: cache lines", 65, 63, 0, 128, 31, 1, false },
	{ "geometry: wasteful header moves out", 1024, 7, 0, 1024, 4, 1, true },
	{ "geometry: waste that gains no item", 1300, 7, 0, 1304, 3, 1, false },
	{ "geometry: half a page", 2048, 7, 0, 2048, 2, 1, true },
	{ "geometry: a page", 4096, 7, 0, 4096, 1, 1, true },
	{ "geometry: more than a page", 4097, 7, 0, 4104, 1, 2, true },
	{ "geometry: nine pages", 36000, 7, 0, 36000, 1, 9, true },
};

static void
test_geometry(void **state)
{
	const struct geometry_row *row = *state;
	uma_zone_t zone;
	const struct uma_keg *keg;

	sim_boot(&sim_small);
	zone = uma_zcreate(row->name, row->size, NULL, NULL, NULL, NULL,
	    row->align, row->flags);
	keg = zone->uz_keg;
	assert_int_equal(keg->uk_rsize, row->rsize);
	assert_int_equal(keg->uk_ipers, row->ipers);
	assert_int_equal(keg->uk_ppera, row->ppera);
	assert_int_equal((keg->uk_flags & UMA_ZONE_OFFPAGE) != 0, row->offpage);
	uma_zdestroy(zone);
	sim_halt();
}

/*
 * Storms.
 */

#define NITEMS 600

struct storm {
	uma_zone_t zone;
	size_t size;
	size_t align;
	uint32_t seed;
	int steps;
};

/* Allocate and free at random; each item keeps what was written to it. */
static void *
storm(void *arg)
{
	struct storm *st = arg;
	uint8_t *items[NITEMS] = { NULL };

	for (int step = 0; step < st->steps; step++) {
		size_t i = sim_random(&st->seed) % NITEMS;
		uint8_t fill = (uint8_t)(i ^ st->seed >> 16);
		int zero = sim_random(&st->seed) % 2 == 0 ? M_ZERO : 0;

		if (items[i] != NULL) {
			check_fill(items[i], st->size, items[i][0]);
			uma_zfree(st->zone, items[i]);
			items[i] = NULL;
			continue;
		}
		items[i] = uma_zalloc(st->zone, M_WAITOK | zero);
		if (((uintptr_t)items[i] & st->align) != 0)
			fail_msg("%p is misaligned", (void *)items[i]);
		if (zero != 0)
			check_fill(items[i], st->size, 0);
		memset(items[i], fill, st->size);
	}
	for (size_t i = 0; i < NITEMS; i++)
		uma_zfree(st->zone, items[i]);
	return (NULL);
}

static const struct storm_row {
	const char *name;
	size_t size, align;
	uint32_t flags;
} storm_rows[] = {
	{ "storm: 24 bytes", 24, 7, 0 },
	{ "storm: a byte", 1, 0, UMA_ZONE_MAXBUCKET },
	{ "storm: off-page", 500, 63, UMA_ZONE_OFFPAGE },
	{ "storm: zones of the VM", 64, 7, UMA_ZONE_VM },
	{ "storm: two pages each", 5000, 7, 0 },
};

/* Four threads on two CPUs, which they change all the time. */
static void
test_storm(void **state)
{
	const struct storm_row *row = *state;
	struct storm st[4];
	pthread_t threads[4];
	uma_zone_t zone;

	(void)uma_power_on(NULL);
	zone = uma_zcreate(row->name, row->size, NULL, NULL, NULL, NULL,
	    row->align, row->flags);
	for (int i = 0; i < 4; i++) {
		st[i] = (struct storm){ zone, row->size, row->align,
			(uint32_t)i + 1, 8000 };
		assert_int_equal(pthread_create(&threads[i], NULL, storm,
				     &st[i]),
		    0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);

	audit_zone(zone, 0);
	audit_dump_set();
	uma_reclaim(UMA_RECLAIM_DRAIN);
	audit_zone(zone, 0);
	audit_dump_set();
	uma_zdestroy(zone);
	uma_reclaim(UMA_RECLAIM_DRAIN);
	audit_dump_set();
	sim_halt();
}

/* Threads that allocate while their caches are taken away. */
static void
test_reclaim_storm(void **state)
{
	uma_zone_t zone =
	    uma_zcreate("storm", 64, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	struct storm st[2];
	pthread_t threads[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		st[i] = (struct storm){ zone, 64, 7, (uint32_t)i + 1, 8000 };
		assert_int_equal(pthread_create(&threads[i], NULL, storm,
				     &st[i]),
		    0);
	}
	for (int i = 0; i < 200; i++)
		uma_reclaim(1 + i % 3);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	audit_zone(zone, 0);
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	assert_int_equal(zone->uz_keg->uk_pages, 0);
	audit_dump_set();
}

/*
 * Callbacks.
 */

static struct {
	int inits, finis, ctors, dtors, zinits, zfinis;
	int fail_init, fail_ctor, fail_zinit; /* at the n-th; 0: never */
} calls;

static int
count_init(void *mem, int size, int flags)
{
	(void)flags;
	if (++calls.inits == calls.fail_init) {
		calls.inits--;
		calls.fail_init = 0;
		return (ENOMEM);
	}
	memset(mem, 0x11, (size_t)size);
	return (0);
}

static void
count_fini(void *mem, int size)
{
	check_fill(mem, (size_t)size, 0x11);
	calls.finis++;
}

static int
count_ctor(void *mem, int size, void *arg, int flags)
{
	(void)flags;
	check_fill(mem, (size_t)size, 0x11);
	assert_ptr_equal(arg, &calls);
	if (++calls.ctors == calls.fail_ctor) {
		calls.ctors--;
		calls.fail_ctor = 0;
		return (ENOMEM);
	}
	return (0);
}

static void
count_dtor(void *mem, int size, void *arg)
{
	assert_ptr_equal(arg, &calls);
	memset(mem, 0x11, (size_t)size);
	calls.dtors++;
}

static int
count_zinit(void *mem, int size, int flags)
{
	(void)flags;
	check_fill(mem, (size_t)size, 0x11);
	if (++calls.zinits == calls.fail_zinit) {
		calls.zinits--;
		calls.fail_zinit = 0;
		return (ENOMEM);
	}
	return (0);
}

static void
count_zfini(void *mem, int size)
{
	check_fill(mem, (size_t)size, 0x11);
	calls.zfinis++;
}

static const struct callback_row {
	const char *name;
	int fail_init, fail_ctor, fail_zinit;
} callback_rows[] = {
	{ "callbacks: all succeed", 0, 0, 0 },
	{ "callbacks: the first init fails", 1, 0, 0 },
	{ "callbacks: init fails inside a slab", 100, 0, 0 },
	{ "callbacks: the first ctor fails", 0, 1, 0 },
	{ "callbacks: a later ctor fails", 0, 77, 0 },
	{ "callbacks: the first zinit fails", 0, 0, 1 },
	{ "callbacks: zinit fails inside a bucket", 0, 0, 60 },
};

/* On a master or a secondary zone: what began has ended, nothing leaked. */
static void
run_callbacks(uma_zone_t zone)
{
	void *items[300];
	uint64_t used = 0;

	for (size_t i = 0; i < NROWS(items); i++) {
		items[i] = uma_zalloc_arg(zone, &calls, M_WAITOK);
		used += items[i] != NULL;
	}
	assert_true(used >= NROWS(items) - 1);
	audit_zone(zone, used);
	for (size_t i = 0; i < NROWS(items); i++)
		uma_zfree_arg(zone, items[i], &calls);
	audit_zone(zone, 0);
	assert_int_equal(calls.ctors, calls.dtors);
}

static void
test_callbacks(void **state)
{
	const struct callback_row *row = *state;
	uma_zone_t master, second;

	(void)uma_power_on(NULL);
	memset(&calls, 0, sizeof(calls));
	calls.fail_init = row->fail_init;
	calls.fail_ctor = row->fail_ctor;
	calls.fail_zinit = row->fail_zinit;
	master = uma_zcreate("master", 40, count_ctor, count_dtor, count_init,
	    count_fini, UMA_ALIGN_PTR, 0);
	second = uma_zsecond_create("second", count_ctor, count_dtor,
	    count_zinit, count_zfini, master);
	run_callbacks(second);
	run_callbacks(master);
	uma_zdestroy(second);
	assert_int_equal(calls.zinits, calls.zfinis);
	uma_zdestroy(master);
	assert_true(calls.inits >= 300);
	assert_int_equal(calls.inits, calls.finis);
	uma_reclaim(UMA_RECLAIM_DRAIN);
	audit_dump_set();
	sim_halt();
}

/*
 * Cache zones.
 */

#define NTOKENS 200

/* What a cache zone caches: numbers, which are no memory. */
static struct {
	bool out[NTOKENS + 1];
	int nout;
} tokens;

static int
token_import(void *arg, void **store, int count, int domain, int flags)
{
	int done = 0;

	assert_ptr_equal(arg, &tokens);
	assert_int_equal(domain, UMA_ANYDOMAIN);
	(void)flags;
	for (uintptr_t i = 1; i <= NTOKENS && done < count; i++) {
		if (tokens.out[i])
			continue;
		tokens.out[i] = true;
		store[done++] = (void *)i;
	}
	tokens.nout += done;
	return (done);
}

static void
token_release(void *arg, void **store, int count)
{
	assert_ptr_equal(arg, &tokens);
	for (int i = 0; i < count; i++) {
		assert_true(tokens.out[(uintptr_t)store[i]]);
		tokens.out[(uintptr_t)store[i]] = false;
	}
	tokens.nout -= count;
}

/* Each token has one owner, and all of them go back. */
static void
test_cache_zone(void **state)
{
	uma_zone_t zone = uma_zcache_create("tokens", 0, NULL, NULL, NULL, NULL,
	    token_import, token_release, &tokens, 0);
	bool mine[NTOKENS + 1] = { false };
	struct uma_stat stat;
	uintptr_t token;
	uint64_t n = 0;

	(void)state;
	memset(&tokens, 0, sizeof(tokens));
	while ((token = (uintptr_t)uma_zalloc(zone, M_NOWAIT)) != 0) {
		assert_in_range(token, 1, NTOKENS);
		assert_false(mine[token]);
		mine[token] = true;
		n++;
	}
	assert_int_equal(n, NTOKENS);
	uma_zone_get_stat(zone, &stat);
	assert_int_equal(stat.ust_used, NTOKENS);
	assert_int_equal(stat.ust_fails, 1);
	for (token = 1; token <= NTOKENS; token++)
		uma_zfree(zone, (void *)token);
	assert_true(tokens.nout > 0); /* they are in caches */
	uma_zdestroy(zone);
	assert_int_equal(tokens.nout, 0);
	audit_dump_set();
}

/* The callbacks of a cache zone, one of which fails inside a bucket. */
static int
token_zinit(void *item, int size, int flags)
{
	(void)item, (void)flags;
	assert_int_equal(size, 0);
	return (++calls.zinits % 60 == 0 ? ENOMEM : 0);
}

static void
token_zfini(void *item, int size)
{
	(void)item, (void)size;
	calls.zfinis++;
}

static void
test_cache_zone_callbacks(void **state)
{
	uma_zone_t zone = uma_zcache_create("tokens", 0, NULL, NULL,
	    token_zinit, token_zfini, token_import, token_release, &tokens, 0);
	void *items[NTOKENS];

	(void)state;
	memset(&tokens, 0, sizeof(tokens));
	memset(&calls, 0, sizeof(calls));
	for (size_t i = 0; i < NTOKENS; i++)
		items[i] = uma_zalloc(zone, M_NOWAIT);
	for (size_t i = 0; i < NTOKENS; i++)
		uma_zfree(zone, items[i]);
	uma_zdestroy(zone);
	assert_int_equal(tokens.nout, 0);
	assert_int_equal(calls.zinits - calls.zinits / 60, calls.zfinis);
}

/* Each CPU has its own of each item, and all are zeroed. */
static void
test_pcpu(void **state)
{
	uma_zone_t zone = uma_zcreate("counters", 24, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, UMA_ZONE_PCPU);
	uint8_t *items[300];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < NROWS(items); i++) {
			items[i] = uma_zalloc_pcpu(zone, M_WAITOK | M_ZERO);
			for (int cpu = 0; cpu <= mp_maxid; cpu++)
				check_fill(zpcpu_get_cpu(items[i], cpu), 24, 0);
			for (int cpu = 0; cpu <= mp_maxid; cpu++)
				memset(zpcpu_get_cpu(items[i], cpu),
				    (int)i % 64 + 64 * cpu, 24);
		}
		critical_enter();
		assert_int_equal(*(uint8_t *)zpcpu_get(items[1]),
		    1 + 64 * critical_cpu());
		critical_exit();
		for (size_t i = 0; i < NROWS(items); i++) {
			for (int cpu = 0; cpu <= mp_maxid; cpu++)
				check_fill(zpcpu_get_cpu(items[i], cpu), 24,
				    (uint8_t)((int)i % 64 + 64 * cpu));
			uma_zfree_pcpu(zone, items[i]);
		}
	}
	audit_zone(zone, 0);
	uma_zdestroy(zone);
	assert_int_equal(kmem_used(), 0);
}

struct seen {
	uint64_t nzones;
	struct uma_stat stat; /* of the zone called "seen" */
};

static void
see_zone(const struct uma_stat *stat, void *arg)
{
	struct seen *seen = arg;

	seen->nzones++;
	if (strcmp(stat->ust_name, "seen") == 0)
		seen->stat = *stat;
}

/* Each zone is visited; also by a debugger that stopped its owner of the list. */
static void
test_stats(void **state)
{
	struct seen before = { 0 }, running = { 0 }, stopped = { 0 };
	uma_zone_t zone;
	void *item;

	(void)state;
	uma_stats_foreach(see_zone, &before);
	zone =
	    uma_zcreate("seen", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	(void)uma_zone_set_max(zone, 50);
	item = uma_zalloc(zone, M_WAITOK);
	uma_stats_foreach(see_zone, &running);
	assert_int_equal(running.nzones, before.nzones + 1);
	assert_int_equal(running.stat.ust_size, 100);
	assert_int_equal(running.stat.ust_used, 1);
	assert_int_equal(running.stat.ust_requests, 1);
	assert_true(running.stat.ust_limit >= 50);
	uma_list_lock();
	scheduler_stopped = true;
	uma_stats_foreach(see_zone, &stopped);
	scheduler_stopped = false;
	uma_list_unlock();
	assert_int_equal(stopped.nzones, running.nzones);
	uma_zfree(zone, item);
	uma_zdestroy(zone);
}

/* More than two buckets of them come back in the order of a stack. */
static void
test_last_freed_first(void **state)
{
	enum { N = 3 * BUCKET_MAX };
	uma_zone_t zone =
	    uma_zcreate("stack", 64, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	void *items[N];

	(void)state;
	for (int turn = 0; turn < 200; turn++) {
		int n = turn % N + 1;

		for (int i = 0; i < n; i++)
			items[i] = uma_zalloc(zone, M_WAITOK);
		for (int i = 0; i < n; i++)
			uma_zfree(zone, items[i]);
		for (int i = n; i-- > 0;)
			assert_ptr_equal(uma_zalloc(zone, M_WAITOK), items[i]);
		for (int i = n; i-- > 0;)
			uma_zfree(zone, items[i]);
		audit_zone(zone, 0);
	}
	uma_zdestroy(zone);
}

#define BOOTED(test)                                                           \
	cmocka_unit_test_setup_teardown(test, uma_power_on, uma_power_off)

int
main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test_setup_teardown(test_cache_zone,
		    uma_power_on_one_cpu, uma_power_off),
		BOOTED(test_cache_zone_callbacks),
		BOOTED(test_stats),
		cmocka_unit_test_setup_teardown(test_last_freed_first,
		    uma_power_on_one_cpu, uma_power_off),
		cmocka_unit_test_setup_teardown(test_pcpu,
		    uma_power_on_four_cpus, uma_power_off),
		BOOTED(test_reclaim_storm),
	};
	static struct CMUnitTest tests[NROWS(single) + NROWS(geometry_rows) +
	    NROWS(storm_rows) + NROWS(callback_rows)];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, geometry_rows, test_geometry);
	ADD_ROWS(tests, n, storm_rows, test_storm);
	ADD_ROWS(tests, n, callback_rows, test_callbacks);
	return (RUN_TESTS(tests, n));
}
