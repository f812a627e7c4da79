/* UMA and malloc(9) without memory: failures, and what is kept back. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/vm/uma_boot.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

MALLOC_DEFINE(M_TEST, "test", "what tests allocate");

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

#define BOOTED(test)                                                           \
	cmocka_unit_test_setup_teardown(test, uma_power_on, uma_power_off)

int
main(void)
{
	static const struct CMUnitTest single[] = {
		BOOTED(test_exhaustion),
		BOOTED(test_zone_reserve),
		cmocka_unit_test(test_boot_pages),
	};
	static struct CMUnitTest tests[NROWS(single) + NROWS(reserve_rows)];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, reserve_rows, test_reserve);
	return (RUN_TESTS(tests, n));
}
