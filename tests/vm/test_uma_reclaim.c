/* What zones give back when they are asked to. */
#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

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

#define BOOTED(test)                                                           \
	cmocka_unit_test_setup_teardown(test, uma_power_on, uma_power_off)

int
main(void)
{
	static const struct CMUnitTest single[] = {
		BOOTED(test_reclaim_keeps_live),
		BOOTED(test_trim_keeps_working_set),
		BOOTED(test_nofree),
	};
	static struct CMUnitTest tests[NROWS(single) + NROWS(reclaim_rows)];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, reclaim_rows, test_reclaim);
	return (RUN_TESTS(tests, n));
}
