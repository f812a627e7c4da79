/* UMA and malloc(9): what they promise, and storms against simple models. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/sys/clock.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/smp.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma_boot.h"
#include "kernel/vm/uma_dbg.h"
#include "kernel/vm/uma_int.h"
#include "kernel/vm/uma_malloc.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

MALLOC_DEFINE(M_TEST, "test", "what tests allocate");

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

/*
 * Limits.
 */

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

/*
 * Memory.
 */

/* Out of memory: failures leave no trace, and the daemon gets it all back. */
static void
test_exhaustion(void **state)
{
	static void *items[20000];
	uma_zone_t zone =
	    uma_zcreate("big", 2048, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	vm_pindex_t before;
	size_t n = 0;

	(void)state;
	uma_zfree(zone, uma_zalloc(zone, M_WAITOK));
	uma_reclaim(UMA_RECLAIM_DRAIN);
	before = vm_free_count();
	while ((items[n] = uma_zalloc(zone, M_NOWAIT)) != NULL)
		n++;
	assert_true(n > 10000);
	assert_int_equal(vm_free_count(), vm_cnt.v_interrupt_free_min);
	audit_zone(zone, n);
	audit_dump_set();
	while (n > 0)
		uma_zfree(zone, items[--n]);
	assert_true(vm_pageout_scan() > 0);
	/* Items in the CPUs' caches stay. */
	assert_in_range(vm_free_count(), before - 4 * BUCKET_MAX, before);
	audit_zone(zone, 0);
	audit_dump_set();
}

/* With memory all gone, the zone's own reserve is left to who asks for it. */
static void
test_zone_reserve(void **state)
{
	static void *items[40000];
	uma_zone_t zone =
	    uma_zcreate("kept", 2048, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	void *kept[10];
	size_t n = 0;

	(void)state;
	uma_zone_reserve(zone, NROWS(kept));
	uma_prealloc(zone, NROWS(kept));
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	assert_true(zone->uz_keg->uk_freeitems >= NROWS(kept));
	while ((items[n] = uma_zalloc(zone, M_NOWAIT)) != NULL)
		n++;
	assert_in_range(zone->uz_keg->uk_freeitems, NROWS(kept),
	    NROWS(kept) + 1);
	for (size_t i = 0; i < NROWS(kept); i++) {
		kept[i] = uma_zalloc(zone, M_NOWAIT | M_USE_RESERVE);
		assert_non_null(kept[i]);
	}
	for (size_t i = 0; i < NROWS(kept); i++)
		uma_zfree(zone, kept[i]);
	while (n > 0)
		uma_zfree(zone, items[--n]);
	audit_zone(zone, 0);
	uma_zdestroy(zone);
	audit_dump_set();
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

/* 64 MB in two pieces. */
static void
boot_64mb(void)
{
	static const vm_paddr_t ram[] = { 0x1000, 0x9f000, 0x100000, 0x4000000,
		0, 0 };
	struct sim_config config = sim_small;

	config.ram = ram;
	config.kva_size = 128 << 20;
	sim_boot(&config);
}

/* Two to a page: a slab needs no page besides its own. */
#define RESERVE_ITEM 2000

static void *
reserve_item(int flags)
{
	static uma_zone_t zone;

	if ((flags & M_WAITOK) != 0)
		zone = uma_zcreate("reserve", RESERVE_ITEM, NULL, NULL, NULL,
		    NULL, UMA_ALIGN_PTR, 0);
	return (uma_zalloc(zone, flags));
}

static void *
reserve_pages(int flags)
{
	return (kmem_malloc(3 * PAGE_SIZE, flags));
}

static void *
reserve_small(int flags)
{
	return (malloc(100, M_TEST, flags));
}

static void *
reserve_large(int flags)
{
	return (malloc(2 * PAGE_SIZE, M_TEST, flags));
}

static const struct reserve_row {
	const char *name;
	void *(*alloc)(int flags);
	vm_pindex_t npages; /* what one allocation may need at most */
} reserve_rows[] = {
	{ "reserve: items of a zone", reserve_item, 1 },
	{ "reserve: kmem_malloc", reserve_pages, 3 },
	{ "reserve: malloc", reserve_small, 1 },
	{ "reserve: malloc of pages", reserve_large, 3 },
};

/*
 * 64 MB are drained with M_NOWAIT, through caches and buckets: the last pages
 * stay.  Those who ask for the reserve get them, one by one.
 */
static void
test_reserve(void **state)
{
	const struct reserve_row *row = *state;
	vm_pindex_t left;

	boot_64mb();
	assert_non_null(row->alloc(M_WAITOK));
	assert_true(vm_free_count() > 15000);
	while (row->alloc(M_NOWAIT) != NULL)
		continue;
	left = vm_free_count();
	assert_in_range(left, vm_cnt.v_interrupt_free_min,
	    vm_cnt.v_interrupt_free_min + row->npages - 1);
	while (left >= row->npages) {
		assert_non_null(row->alloc(M_NOWAIT | M_USE_RESERVE));
		assert_in_range(vm_free_count(), left - row->npages, left);
		left = vm_free_count();
	}
	sim_halt();
}

/* Items that only caches have, and what each kind of reclaim leaves of them. */
static const struct reclaim_row {
	const char *name;
	int reqs[2];
	bool full, cached; /* does the zone, do CPUs keep items? */
} reclaim_rows[] = {
	{ "reclaim: drain", { UMA_RECLAIM_DRAIN }, false, true },
	{ "reclaim: drain the caches of CPUs", { UMA_RECLAIM_DRAIN_CPU }, false,
	    false },
	{ "reclaim: the first trim takes what was never used",
	    { UMA_RECLAIM_TRIM }, true, true },
	{ "reclaim: a second trim takes what nobody missed",
	    { UMA_RECLAIM_TRIM, UMA_RECLAIM_TRIM }, false, true },
};

static void
alloc_and_free_many(uma_zone_t zone)
{
	static void *items[3000];

	for (size_t i = 0; i < NROWS(items); i++)
		items[i] = uma_zalloc(zone, M_WAITOK);
	for (size_t i = 0; i < NROWS(items); i++)
		uma_zfree(zone, items[i]);
}

static void
check_reclaimed(uma_zone_t zone, const struct reclaim_row *row)
{
	assert_int_equal(zone->uz_nitems > 0, row->full);
	assert_int_equal(count_cached(zone) > 0, row->cached);
	assert_int_equal(zone->uz_keg->uk_pages > 0, row->full || row->cached);
	audit_zone(zone, 0);
}

/* Of all zones, and then of one. */
static void
test_reclaim(void **state)
{
	const struct reclaim_row *row = *state;
	uma_zone_t zone;

	(void)uma_power_on(NULL);
	zone =
	    uma_zcreate("many", 256, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	alloc_and_free_many(zone);
	for (size_t i = 0; i < NROWS(row->reqs) && row->reqs[i] != 0; i++)
		uma_reclaim(row->reqs[i]);
	check_reclaimed(zone, row);

	zone =
	    uma_zcreate("one", 256, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	alloc_and_free_many(zone);
	for (size_t i = 0; i < NROWS(row->reqs) && row->reqs[i] != 0; i++)
		uma_zone_reclaim(zone, row->reqs[i]);
	check_reclaimed(zone, row);
	audit_dump_set();
	sim_halt();
}

/* What is taken from the zone and put back in between was missed. */
static void
test_trim_keeps_working_set(void **state)
{
	uma_zone_t zone =
	    uma_zcreate("many", 256, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	uint64_t before;

	(void)state;
	alloc_and_free_many(zone);
	uma_reclaim(UMA_RECLAIM_TRIM);
	before = zone->uz_nitems;
	alloc_and_free_many(zone);
	uma_reclaim(UMA_RECLAIM_TRIM);
	assert_true(zone->uz_nitems >= before - BUCKET_MAX);
	uma_reclaim(UMA_RECLAIM_TRIM);
	assert_int_equal(zone->uz_nitems, 0);
	audit_zone(zone, 0);
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

/* An item's slab stays if its page's number can be divided by three. */
static bool
page_stays(const void *item)
{
	return (atop((vm_offset_t)item) % 3 == 0);
}

/* How many pages that stay are there? */
static uint64_t
count_staying(void *const *items, size_t n)
{
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t first = 0;

		while (trunc_page((vm_offset_t)items[first]) !=
		    trunc_page((vm_offset_t)items[i]))
			first++;
		count += first == i && page_stays(items[i]);
	}
	return (count);
}

/* After reclaim a keg has just the slabs that somebody's item is in. */
static void
test_reclaim_keeps_live(void **state)
{
	uma_zone_t zone =
	    uma_zcreate("live", 256, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	static void *items[1500];
	uint64_t stay;

	(void)state;
	for (size_t i = 0; i < NROWS(items); i++)
		items[i] = uma_zalloc(zone, M_WAITOK);
	stay = count_staying(items, NROWS(items));
	for (size_t i = 0; i < NROWS(items); i++) {
		if (!page_stays(items[i]))
			uma_zfree(zone, items[i]);
	}
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	assert_int_equal(zone->uz_keg->uk_pages, stay);
	audit_dump_set();
}

static void
test_nofree(void **state)
{
	uma_zone_t zone = uma_zcreate("nofree", 256, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, UMA_ZONE_NOFREE);
	uint64_t pages;

	(void)state;
	uma_prealloc(zone, 100);
	pages = zone->uz_keg->uk_pages;
	assert_int_equal(pages,
	    (100 + zone->uz_keg->uk_ipers - 1) / zone->uz_keg->uk_ipers);
	uma_reclaim(UMA_RECLAIM_DRAIN);
	assert_int_equal(zone->uz_keg->uk_pages, pages);
}

static void *
nodump_small(void)
{
	uma_zone_t zone = uma_zcreate("secret", 256, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, UMA_ZONE_NODUMP);

	return (uma_zalloc(zone, M_WAITOK));
}

static void *
nodump_large(void)
{
	uma_zone_t zone = uma_zcreate("secret", 3 * PAGE_SIZE, NULL, NULL, NULL,
	    NULL, UMA_ALIGN_PTR, UMA_ZONE_NODUMP);

	return (uma_zalloc(zone, M_WAITOK));
}

static void *
nodump_malloc_small(void)
{
	return (malloc(100, M_TEST, M_WAITOK | M_NODUMP));
}

static void *
nodump_malloc_large(void)
{
	return (malloc(3 * PAGE_SIZE, M_TEST, M_WAITOK | M_NODUMP));
}

static const struct nodump_row {
	const char *name;
	void *(*alloc)(void);
	vm_pindex_t npages;
} nodump_rows[] = {
	{ "nodump: small items", nodump_small, 1 },
	{ "nodump: large items", nodump_large, 3 },
	{ "nodump: malloc", nodump_malloc_small, 1 },
	{ "nodump: malloc of pages", nodump_malloc_large, 3 },
};

/* The pages are never dumped; what UMA knows of them is. */
static void
test_nodump(void **state)
{
	const struct nodump_row *row = *state;
	const struct uma_slab *slab;
	vm_offset_t va;

	(void)uma_power_on(NULL);
	va = trunc_page((vm_offset_t)row->alloc());
	slab = vtoslab((void *)va);
	for (vm_pindex_t i = 0; i < row->npages; i++)
		assert_true(sim_never_dumped(pmap_kextract(va + ptoa(i))));
	assert_true(sim_dumped(trunc_page(pmap_kextract((vm_offset_t)slab))));
	sim_halt();
}

static const struct bulk_bug_row {
	const char *name;
	size_t size;
	uint32_t flags;
} bulk_bug_rows[] = {
	{ "no bulk: large items", PAGE_SIZE + 1, 0 },
	{ "no bulk: an item for each CPU", 64, UMA_ZONE_PCPU },
};

/* The same for bulk; and a page that is free again is not bulk. */
static void
test_bulk(void **state)
{
	uma_zone_t zone;
	vm_offset_t va;
	vm_paddr_t pa;
	void *item;

	(void)state;
	(void)uma_power_on(NULL);
	zone = uma_zcreate("bulk", 256, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR,
	    UMA_ZONE_BULK);
	item = uma_zalloc(zone, M_WAITOK);
	va = trunc_page((vm_offset_t)item);
	pa = pmap_kextract(va);
	assert_true(sim_bulk(pa));
	assert_true(sim_dumped(
	    trunc_page(pmap_kextract((vm_offset_t)vtoslab((void *)va)))));
	uma_zfree(zone, item);
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN_CPU);
	assert_false(sim_bulk(pa));
	sim_halt();
}

static void
make_bulk(void *arg)
{
	const struct bulk_bug_row *row = arg;

	(void)uma_power_on(NULL);
	(void)uma_zcreate("bulk", row->size, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, UMA_ZONE_BULK | row->flags);
}

/* Pages of the kernel map are found by what maps them: they would be core. */
static void
test_bulk_bug(void **state)
{
	const struct bulk_bug_row *row = *state;
	const char *said = sim_expect_panic(make_bulk, (void *)(uintptr_t)row);

	assert_non_null(said);
	assert_non_null(strstr(said, "bulk is in the direct map"));
	sim_halt();
}

static void
exhaust_boot_memory(void *arg)
{
	(void)arg;
	sim_boot(&sim_small);
}

static void
test_boot_pages(void **state)
{
	unsigned int pages = uma_boot_pages;
	const char *said;

	(void)state;
	uma_boot_pages = 2;
	said = sim_expect_panic(exhaust_boot_memory, NULL);
	uma_boot_pages = pages;
	assert_non_null(said);
	assert_non_null(strstr(said, "vm.boot_pages"));
	sim_halt();
}

/*
 * Bugs of users, each told apart.
 */

static uma_zone_t bug_zone, bug_other;
static uint8_t *bug_item;

static void
free_twice(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item);
	uma_zfree(bug_zone, bug_item);
}

static void
free_inside(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item + 8);
}

static void
free_to_other(void *arg)
{
	(void)arg;
	uma_zfree(bug_other, bug_item);
}

static void
free_static(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, &calls);
}

static void
free_header(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, (void *)(trunc_page((vm_offset_t)bug_item) + 4080));
}

static void
write_after_free(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item);
	bug_item[20] = 1;
	bug_item = uma_zalloc(bug_zone, M_WAITOK);
}

static void
write_after_free_reclaim(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item);
	bug_item[20] = 1;
	uma_zdestroy(bug_zone);
}

static void
malloc_write_after_free(void *arg)
{
	uint8_t *p = malloc(100, M_TEST, M_WAITOK);

	(void)arg;
	free(p, M_TEST);
	p[3] = 1;
	p = malloc(100, M_TEST, M_WAITOK);
	free(p, M_TEST);
}

static void
free_never_allocated(void *arg)
{
	(void)arg;
	free(&calls, M_TEST);
}

static const struct bug_row {
	const char *name;
	void (*func)(void *arg);
	const char *said; /* after "zone bugs: ", if that is there */
} bug_rows[] = {
	{ "bug: free twice", free_twice, "freed twice" },
	{ "bug: free a pointer into an item", free_inside, "misaligned" },
	{ "bug: free to another zone", free_to_other, "belongs to zone bugs" },
	{ "bug: free what is no item", free_static, "no item at all" },
	{ "bug: free past the items", free_header, "the last item" },
	{ "bug: write after free", write_after_free, "modified after free" },
	{ "bug: write after free, found at the end", write_after_free_reclaim,
	    "modified after free" },
	{ "bug: write after free of malloc", malloc_write_after_free,
	    "last used by test" },
	{ "bug: free of malloc, never allocated", free_never_allocated,
	    "never allocated" },
};

static void
test_bug(void **state)
{
	const struct bug_row *row = *state;
	const char *said;

	(void)uma_power_on_one_cpu(NULL);
	if (!uma_debug) {
		sim_halt();
		skip();
	}
	bug_zone =
	    uma_zcreate("bugs", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	bug_other =
	    uma_zcreate("other", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	bug_item = uma_zalloc(bug_zone, M_WAITOK);
	said = sim_expect_panic(row->func, NULL);
	assert_non_null(said);
	if (strstr(said, row->said) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", row->said, said);
	sim_halt();
}

/*
 * malloc(9).
 */

static void
sum_test_type(const struct malloc_type_stats *stats, void *arg)
{
	if (strcmp(stats->mts_name, "test") == 0)
		*(struct malloc_type_stats *)arg = *stats;
}

static void
test_kern_malloc(void **state)
{
	struct malloc_type_stats stats;
	uint64_t inuse, memuse;
	vm_pindex_t free_before;
	uint8_t *p;

	(void)state;
	free(malloc(1, M_TEST, M_WAITOK), M_TEST);
	malloc_stats_foreach(sum_test_type, &stats);
	inuse = stats.mts_inuse;
	memuse = stats.mts_memuse;
	for (size_t size = 0; size < 20000; size += 1 + size / 3) {
		p = malloc(size, M_TEST, M_WAITOK | M_ZERO);
		assert_true(malloc_usable_size(p) >= size);
		check_fill(p, size, 0);
		memset(p, 0x5a, size);
		p = realloc(p, 2 * size + 1, M_TEST, M_WAITOK);
		check_fill(p, size, 0x5a);
		malloc_stats_foreach(sum_test_type, &stats);
		assert_int_equal(stats.mts_inuse, inuse + 1);
		assert_int_equal(stats.mts_memuse, memuse + uma_malloc_size(p));
		free(p, M_TEST);
	}
	malloc_stats_foreach(sum_test_type, &stats);
	assert_int_equal(stats.mts_memuse, memuse);
	assert_int_equal(kmem_used(), 0);

	(void)kmem_settle();
	free_before = vm_free_count();
	assert_null(malloc((size_t)100 << 20, M_TEST, M_NOWAIT));
	assert_null(malloc(SIZE_MAX, M_TEST, M_NOWAIT));
	assert_int_equal(vm_free_count(), free_before);
	audit_dump_set();
}

#define BOOTED(test)                                                           \
	cmocka_unit_test_setup_teardown(test, uma_power_on, uma_power_off)

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

int
main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test_setup_teardown(test_limit_sleeps,
		    uma_power_on_four_cpus, uma_power_off),
		cmocka_unit_test_setup_teardown(test_limit_empties_caches,
		    uma_power_on_four_cpus, uma_power_off),
		BOOTED(test_limit_warns),
		cmocka_unit_test_setup_teardown(test_cache_zone,
		    uma_power_on_one_cpu, uma_power_off),
		BOOTED(test_cache_zone_callbacks),
		BOOTED(test_stats),
		cmocka_unit_test_setup_teardown(test_last_freed_first,
		    uma_power_on_one_cpu, uma_power_off),
		BOOTED(test_exhaustion),
		BOOTED(test_zone_reserve),
		cmocka_unit_test_setup_teardown(test_pcpu,
		    uma_power_on_four_cpus, uma_power_off),
		BOOTED(test_reclaim_keeps_live),
		BOOTED(test_trim_keeps_working_set),
		BOOTED(test_reclaim_storm),
		BOOTED(test_nofree),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_boot_pages),
		BOOTED(test_kern_malloc),
	};
	static struct CMUnitTest tests[96];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, geometry_rows, test_geometry);
	ADD_ROWS(tests, n, reserve_rows, test_reserve);
	ADD_ROWS(tests, n, nodump_rows, test_nodump);
	ADD_ROWS(tests, n, bulk_bug_rows, test_bulk_bug);
	ADD_ROWS(tests, n, limit_rows, test_limit_nowait);
	ADD_ROWS(tests, n, reclaim_rows, test_reclaim);
	ADD_ROWS(tests, n, storm_rows, test_storm);
	ADD_ROWS(tests, n, callback_rows, test_callbacks);
	ADD_ROWS(tests, n, bug_rows, test_bug);
	return (RUN_TESTS(tests, n));
}
