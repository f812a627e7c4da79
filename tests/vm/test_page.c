/* Pages of objects: busy, valid and dirty. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"

#define VA UINT64_C(0x400000)
#define RW (VM_PROT_READ | VM_PROT_WRITE)

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x1100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static struct pmap space;
static vm_page_t page;

/* One page, with vm_mtx held. */
static int
power_on(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	page = new_page();
	mtx_lock(&vm_mtx);
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	if (mtx_owned(&vm_mtx))
		mtx_unlock(&vm_mtx);
	sim_halt();
	return (0);
}

static void
test_busy_states(void **state)
{
	(void)state;
	assert_false(vm_page_busied(page));
	assert_true(vm_page_tryxbusy(page));
	assert_true(vm_page_xbusied(page));
	assert_false(vm_page_tryxbusy(page));
	assert_false(vm_page_trysbusy(page));
	assert_false(vm_page_tryupgrade(page));

	vm_page_busy_downgrade(page);
	assert_true(vm_page_busied(page));
	assert_false(vm_page_xbusied(page));
	assert_false(vm_page_tryxbusy(page));
	assert_true(vm_page_trysbusy(page));
	assert_false(vm_page_tryupgrade(page));
	vm_page_sunbusy(page);
	assert_true(vm_page_tryupgrade(page));
	assert_true(vm_page_xbusied(page));
	vm_page_xunbusy(page);
	assert_false(vm_page_busied(page));
	assert_false(vm_page_tryupgrade(page));
}

/* One more would read as exclusive. */
static void
test_busy_limit(void **state)
{
	int n = 0;

	(void)state;
	while (vm_page_trysbusy(page))
		n++;
	assert_int_equal(n, 254);
	assert_false(vm_page_xbusied(page));
	while (n-- > 0)
		vm_page_sunbusy(page);
	assert_false(vm_page_busied(page));
}

static void
unbusy_shared(void *arg)
{
	vm_page_sunbusy(arg);
}

static void
unbusy_exclusive(void *arg)
{
	vm_page_xunbusy(arg);
}

static void
test_busy_panics(void **state)
{
	(void)state;
#ifdef NDEBUG
	skip();
#endif
	assert_non_null(sim_expect_panic(unbusy_shared, page));
	mtx_lock(&vm_mtx);
	assert_non_null(sim_expect_panic(unbusy_exclusive, page));
	mtx_lock(&vm_mtx);
	assert_true(vm_page_tryxbusy(page));
	assert_non_null(sim_expect_panic(unbusy_shared, page));
	mtx_lock(&vm_mtx);
	vm_page_busy_downgrade(page);
	assert_non_null(sim_expect_panic(unbusy_exclusive, page));
}

/* A thread that wants the page, or only that it does not change owner. */
static bool slept;

static void
wait_for_page(void *arg)
{
	bool (*sleep_if)(vm_page_t, const char *) =
	    arg == NULL ? vm_page_sleep_if_busy : vm_page_sleep_if_xbusy;

	sim_pin(1);
	mtx_lock(&vm_mtx);
	while (sleep_if(page, "test"))
		slept = true;
	assert_true(vm_page_trysbusy(page));
	vm_page_sunbusy(page);
	mtx_unlock(&vm_mtx);
}

static struct simthread *
start_waiter(void *arg)
{
	struct simthread *t;

	slept = false;
	mtx_unlock(&vm_mtx);
	t = sim_start(wait_for_page, arg);
	return (t);
}

static void
test_busy_waiters(void **state)
{
	struct simthread *t;

	(void)state;
	assert_true(vm_page_tryxbusy(page));
	t = start_waiter(NULL);
	sim_wait_asleep(t);
	mtx_lock(&vm_mtx);
	vm_page_xunbusy(page);
	mtx_unlock(&vm_mtx);
	sim_join(t);
	assert_true(slept);
	assert_int_equal(vm_page_aflags(page) & VPG_WAITED, 0);
}

/* The first of two that share it wakes nobody. */
static void
test_busy_waiter_of_sharers(void **state)
{
	struct simthread *t;

	(void)state;
	assert_true(vm_page_trysbusy(page));
	assert_true(vm_page_trysbusy(page));
	t = start_waiter(NULL);
	sim_wait_asleep(t);
	mtx_lock(&vm_mtx);
	vm_page_sunbusy(page);
	assert_int_not_equal(vm_page_aflags(page) & VPG_WAITED, 0);
	vm_page_sunbusy(page);
	mtx_unlock(&vm_mtx);
	sim_join(t);
	assert_true(slept);
}

static void
test_no_wait_for_sharers(void **state)
{
	(void)state;
	assert_true(vm_page_trysbusy(page));
	sim_join(start_waiter(&slept));
	assert_false(slept);
}

/* A downgrade is enough for who only shares. */
static void
test_downgrade_wakes(void **state)
{
	struct simthread *t;

	(void)state;
	assert_true(vm_page_tryxbusy(page));
	t = start_waiter(&slept);
	sim_wait_asleep(t);
	mtx_lock(&vm_mtx);
	vm_page_busy_downgrade(page);
	mtx_unlock(&vm_mtx);
	sim_join(t);
	assert_true(slept);
}

/*
 * Valid and dirty.
 */

struct range {
	const char *name;
	int base;
	int size;
	uint8_t touched; /* parts */
	uint8_t whole;
};

static const struct range ranges[] = {
	{ "range: none", 0, 0, 0x00, 0x00 },
	{ "range: none, at the end", 4096, 0, 0x00, 0x00 },
	{ "range: a byte", 0, 1, 0x01, 0x00 },
	{ "range: the last byte", 4095, 1, 0x80, 0x00 },
	{ "range: a part", 512, 512, 0x02, 0x02 },
	{ "range: inside of a part", 600, 100, 0x02, 0x00 },
	{ "range: over an edge", 511, 2, 0x03, 0x00 },
	{ "range: one and a bit", 512, 513, 0x06, 0x02 },
	{ "range: all but a byte", 1, 4095, 0xff, 0xfe },
	{ "range: all", 0, 4096, 0xff, 0xff },
};

static void
test_range(void **state)
{
	const struct range *row = *state;
	const char *bytes;

	assert_int_equal(power_on(state), 0);
	bytes = page_bytes(page);
	memset(page_bytes(page), 'x', PAGE_SIZE);
	assert_int_equal(vm_page_bits(row->base, row->size), row->touched);

	assert_true(vm_page_none_valid(page));
	assert_false(vm_page_is_valid(page, row->base, row->size));
	vm_page_set_valid_range(page, row->base, row->size);
	assert_int_equal(page->valid, row->touched);
	for (int i = 0; i < (int)PAGE_SIZE; i++) {
		bool in = i >= row->base && i < row->base + row->size;
		bool part = (row->touched & 1 << i / 512) != 0;

		assert_int_equal(bytes[i], in || !part ? 'x' : 0);
	}

	vm_page_valid(page);
	vm_page_dirty(page);
	vm_page_clear_dirty(page, row->base, row->size);
	assert_int_equal(page->dirty, (uint8_t)~row->whole);
	vm_page_set_invalid(page, row->base, row->size);
	assert_int_equal(page->valid, (uint8_t)~row->touched);
	assert_int_equal(page->dirty, (uint8_t)~row->touched & ~row->whole);
	assert_int_equal(power_off(state), 0);
}

static void
test_valid_bytes_stay(void **state)
{
	char *bytes = page_bytes(page);

	(void)state;
	memset(bytes, 'x', PAGE_SIZE);
	vm_page_set_valid_range(page, 512, 1024);
	vm_page_set_valid_range(page, 1000, 1000); /* its first part is */
	assert_int_equal(bytes[512], 'x');
	assert_int_equal(bytes[1999], 'x');
	assert_int_equal(bytes[2000], 0);
	assert_true(vm_page_is_valid(page, 512, 1536));
	assert_false(vm_page_is_valid(page, 511, 2));
	vm_page_zero_invalid(page, false);
	assert_int_equal(page->valid, 0x0e);
	vm_page_zero_invalid(page, true);
	assert_true(vm_page_all_valid(page));
	for (int i = 0; i < (int)PAGE_SIZE; i++)
		assert_int_equal(bytes[i], i >= 512 && i < 2000 ? 'x' : 0);
}

static void
dirty_invalid(void *arg)
{
	vm_page_dirty(arg);
}

static void
test_dirty_needs_valid(void **state)
{
	(void)state;
#ifdef NDEBUG
	skip();
#endif
	vm_page_set_valid_range(page, 0, 4095 - 512);
	assert_non_null(sim_expect_panic(dirty_invalid, page));
}

/* Map the page, and write to it. */
static void
write_mapped(void)
{
	vm_page_valid(page);
	mtx_unlock(&vm_mtx);
	assert_int_equal(pmap_pinit(&space), 0);
	pmap_activate(&space);
	assert_int_equal(pmap_enter(&space, VA, page, RW, RW), 0);
	assert_non_null(mmu_access(0, VA, MMU_USER | MMU_WRITE));
	mtx_lock(&vm_mtx);
}

static void
test_written_through_a_mapping(void **state)
{
	(void)state;
	write_mapped();
	assert_int_equal(page->dirty, 0);
	vm_page_test_dirty(page);
	assert_int_equal(page->dirty, VM_PAGE_BITS_ALL);
	vm_page_undirty(page);
	vm_page_test_dirty(page);
	assert_int_equal(page->dirty, 0);
	assert_true(pmap_page_is_mapped(page));

	assert_non_null(mmu_access(0, VA, MMU_USER | MMU_WRITE));
	vm_page_clear_dirty(page, 0, 1024);
	assert_int_equal(page->dirty, 0xfc);
	vm_page_set_validclean(page, 0, PAGE_SIZE);
	vm_page_test_dirty(page);
	assert_int_equal(page->dirty, 0);
}

/* What is left of a page without mappings is dirty where it is valid. */
static void
test_invalid_is_unmapped(void **state)
{
	(void)state;
	write_mapped();
	vm_page_set_invalid(page, 1024, 100);
	assert_false(pmap_page_is_mapped(page));
	assert_int_equal(page->valid, 0xfb);
	assert_int_equal(page->dirty, 0xfb);
	vm_page_test_dirty(page);
	assert_int_equal(page->dirty, 0xfb);
}

#define POWERED(test) cmocka_unit_test_setup_teardown(test, power_on, power_off)

int
main(void)
{
	struct CMUnitTest tests[64] = {
		POWERED(test_busy_states),
		POWERED(test_busy_limit),
		POWERED(test_busy_panics),
		POWERED(test_busy_waiters),
		POWERED(test_busy_waiter_of_sharers),
		POWERED(test_no_wait_for_sharers),
		POWERED(test_downgrade_wakes),
		POWERED(test_valid_bytes_stay),
		POWERED(test_dirty_needs_valid),
		POWERED(test_written_through_a_mapping),
		POWERED(test_invalid_is_unmapped),
	};
	size_t ntests = 11;

	ADD_ROWS(tests, ntests, ranges, test_range);
	return (RUN_TESTS(tests, ntests));
}
