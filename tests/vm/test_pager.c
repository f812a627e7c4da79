/* Pagers: what the table refuses, memory that stays. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/vm/vm_pager.h"

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x1100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static int
power_on(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	sim_halt();
	return (0);
}

/* A busy page, new or of before. */
static vm_page_t
busy_page(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	VM_OBJECT_LOCK(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL);
	VM_OBJECT_UNLOCK(object);
	assert_non_null(m);
	return (m);
}

/* Write a page; what the pager said. */
static int
put(vm_object_t object, vm_page_t m)
{
	int rtval;

	vm_pager_put_pages(object, &m, 1, VM_PAGER_PUT_SYNC, &rtval);
	return (rtval);
}

/* ---- The table ---- */

static void
test_no_such_type(void **state)
{
	(void)state;
	assert_null(vm_pager_allocate(OBJT_NTYPES, NULL, PAGE_SIZE, VM_PROT_ALL,
	    0));
	assert_null(vm_pager_allocate(OBJT_DEAD, NULL, PAGE_SIZE, VM_PROT_ALL,
	    0));
}

static void
test_dead_object(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_DEAD, 4);
	vm_page_t m = busy_page(object, 1);

	(void)state;
	assert_int_equal(vm_pager_get_pages(object, &m, 1, NULL, NULL),
	    VM_PAGER_BAD);
	assert_int_equal(put(object, m), VM_PAGER_BAD);
	VM_OBJECT_LOCK(object);
	assert_false(vm_pager_has_page(object, 1, NULL, NULL));
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
}

/* ---- Anonymous memory, and nowhere to put it ---- */

static void
test_swap_without_devices(void **state)
{
	vm_object_t object =
	    vm_pager_allocate(OBJT_SWAP, NULL, ptoa(3) + 1, VM_PROT_ALL, 0);
	vm_page_t m = busy_page(object, 1);

	(void)state;
	assert_int_equal(object->size, 4);
	assert_int_equal(vm_pager_get_pages(object, &m, 1, NULL, NULL),
	    VM_PAGER_FAIL);
	VM_OBJECT_LOCK(object);
	assert_false(vm_pager_has_page(object, 1, NULL, NULL));
	vm_page_valid(m);
	vm_page_dirty(m);
	VM_OBJECT_UNLOCK(object);
	assert_int_equal(put(object, m), VM_PAGER_AGAIN);
	VM_OBJECT_LOCK(object);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
}

/* ---- Memory that stays ---- */

static int
get(vm_object_t object, vm_page_t m)
{
	return (vm_pager_get_pages(object, &m, 1, NULL, NULL));
}

static void
unbusy(vm_page_t m)
{
	mtx_lock(&vm_mtx);
	vm_page_xunbusy(m);
	mtx_unlock(&vm_mtx);
}

static void
test_phys(void **state)
{
	vm_object_t object =
	    vm_pager_allocate(OBJT_PHYS, NULL, ptoa(4), VM_PROT_ALL, 0);
	vm_page_t m = busy_page(object, 2);

	(void)state;
	memset(page_bytes(m), 'x', PAGE_SIZE);
	assert_int_equal(get(object, m), VM_PAGER_OK);
	assert_true(vm_page_all_valid(m));
	assert_int_equal(page_bytes(m)[PAGE_SIZE - 1], 0);
	mtx_lock(&vm_mtx);
	vm_page_activate(m);
	assert_int_equal(vm_page_queue(m), PQ_NONE);
	assert_true(vm_pager_has_page(object, 3, NULL, NULL));
	assert_false(vm_pager_has_page(object, 4, NULL, NULL));
	mtx_unlock(&vm_mtx);
	unbusy(m);
	vm_object_deallocate(object);
	assert_int_equal(vm_page_aflags(m) & VPG_OBJECT, 0);
	assert_int_equal(m->wire_count, 0);
}

/* Whoever names the same gets the same, until the last of them is gone. */
static void
test_phys_shared(void **state)
{
	int name;
	vm_object_t a, b, other;

	(void)state;
	a = vm_pager_allocate(OBJT_PHYS, &name, ptoa(4), VM_PROT_ALL, 0);
	b = vm_pager_allocate(OBJT_PHYS, &name, ptoa(6), VM_PROT_ALL, 0);
	other = vm_pager_allocate(OBJT_PHYS, state, ptoa(4), VM_PROT_ALL, 0);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, other);
	assert_int_equal(a->size, 6);
	assert_int_equal(a->ref_count, 2);
	vm_object_deallocate(a);
	vm_object_deallocate(b);
	vm_object_deallocate(other);
	a = vm_pager_allocate(OBJT_PHYS, &name, ptoa(4), VM_PROT_ALL, 0);
	assert_int_equal(a->size, 4);
	vm_object_deallocate(a);
	assert_true(TAILQ_EMPTY(&vm_object_list));
}

static void
put_phys(void *arg)
{
	vm_object_t object = arg;
	vm_page_t m = busy_page(object, 1);

	(void)put(object, m);
}

static void
test_phys_put(void **state)
{
	vm_object_t object =
	    vm_pager_allocate(OBJT_PHYS, NULL, ptoa(4), VM_PROT_ALL, 0);

	(void)state;
	assert_non_null(strstr(sim_expect_panic(put_phys, object),
	    "which stay in memory"));
}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_no_such_type),
		cmocka_unit_test(test_dead_object),
		cmocka_unit_test(test_swap_without_devices),
		cmocka_unit_test(test_phys),
		cmocka_unit_test(test_phys_shared),
		cmocka_unit_test(test_phys_put),
	};
	size_t ntests = 6;

	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = power_on;
		tests[i].teardown_func = power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
