/* What dumps hold of zones that are kept out of them, or are bulk. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/vm/pmap.h"

MALLOC_DEFINE(M_TEST, "test", "what tests allocate");

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
	const char *said;

	if (!uma_debug) /* then there are no assertions, either */
		skip();
	said = sim_expect_panic(make_bulk, *state);
	assert_non_null(said);
	assert_non_null(strstr(said, "bulk is in the direct map"));
	sim_halt();
}

int
main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(test_bulk),
	};
	static struct CMUnitTest
	    tests[NROWS(single) + NROWS(nodump_rows) + NROWS(bulk_bug_rows)];
	size_t n = 0;

	for (; n < NROWS(single); n++)
		tests[n] = single[n];
	ADD_ROWS(tests, n, nodump_rows, test_nodump);
	ADD_ROWS(tests, n, bulk_bug_rows, test_bulk_bug);
	return (RUN_TESTS(tests, n));
}
