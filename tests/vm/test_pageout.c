/* The page daemon: which pages it frees. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pageout.h"

#define VA UINT64_C(0x400000)
#define RW (VM_PROT_READ | VM_PROT_WRITE)

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x1100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static vm_object_t object;
static struct pmap space;

static int
power_on(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	object = vm_object_allocate(OBJT_SWAP, 100000);
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	assert_null(audit_pages());
	sim_halt();
	return (0);
}

/* ---- Pages in all their states, by a letter ---- */

static vm_page_t
make_page(vm_pindex_t pindex, char kind)
{
	vm_page_t m;

	mtx_lock(&vm_mtx);
	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL);
	assert_non_null(m);
	vm_page_valid(m);
	if (strchr("DdaBwr", kind) != NULL)
		vm_page_dirty(m);
	if (strchr("aA", kind) != NULL)
		vm_page_activate(m);
	else if (strchr("DBr", kind) != NULL)
		vm_page_launder(m);
	else
		vm_page_deactivate(m);
	if (kind == 'r' || kind == 'R')
		vm_page_reference(m);
	if (kind == 'w')
		vm_page_wire(m);
	if (kind == 'i')
		vm_page_set_invalid(m, 0, PAGE_SIZE);
	if (kind == 'p') {
		vm_page_dirty(m);
		vm_page_set_invalid(m, 0, 512);
	}
	if (strchr("bB", kind) == NULL)
		vm_page_xunbusy(m);
	mtx_unlock(&vm_mtx);
	return (m);
}

static vm_page_t
page_at(vm_pindex_t pindex)
{
	vm_page_t m;

	mtx_lock(&vm_mtx);
	m = vm_page_lookup(object, pindex);
	mtx_unlock(&vm_mtx);
	return (m);
}

static const struct inactive {
	const char *name;
	char kind;
	vm_pindex_t freed;
	enum vm_pqueue queue; /* of what is not freed */
} inactives[] = {
	{ "inactive: clean", 'c', 1, PQ_NONE },
	{ "inactive: not valid", 'i', 1, PQ_NONE },
	{ "inactive: dirty", 'd', 0, PQ_LAUNDRY },
	{ "inactive: dirty in part", 'p', 0, PQ_LAUNDRY },
	{ "inactive: used again", 'R', 0, PQ_ACTIVE },
	{ "inactive: busy", 'b', 0, PQ_INACTIVE },
};

static void
test_inactive(void **state)
{
	const struct inactive *row = *state;
	vm_page_t m;

	assert_int_equal(power_on(state), 0);
	m = make_page(7, row->kind);
	assert_int_equal(vm_pageout_scan_inactive(10), row->freed);
	if (row->freed == 0) {
		assert_ptr_equal(page_at(7), m);
		assert_int_equal(vm_page_queue(m), row->queue);
	} else {
		assert_null(page_at(7));
	}
	assert_int_equal(power_off(state), 0);
}

/* No more than are wanted, the oldest first. */
static void
test_inactive_order(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 10; i++)
		(void)make_page(i, 'c');
	assert_int_equal(vm_pageout_scan_inactive(4), 4);
	assert_null(page_at(3));
	assert_non_null(page_at(4));
	assert_int_equal(vm_pageout_scan_inactive(100), 6);
	assert_int_equal(object->resident_page_count, 0);
}

/* ---- act_count ---- */

static void
test_act_counts(void **state)
{
	vm_page_t m = make_page(0, 'A');

	(void)state;
	vm_pageout_scan_active(1, 0);
	assert_int_equal(m->act_count, ACT_INIT - ACT_DECLINE);
	vm_page_reference(m);
	vm_pageout_scan_active(1, 0);
	assert_int_equal(m->act_count, ACT_INIT - 1 + ACT_ADVANCE + 1);
	for (int i = 0; i < 30; i++) {
		vm_page_reference(m);
		vm_pageout_scan_active(1, 0);
	}
	assert_int_equal(m->act_count, ACT_MAX);
	for (int i = 0; i < ACT_MAX - 1; i++)
		vm_pageout_scan_active(1, 0);
	assert_true(vm_page_active(m));
	vm_pageout_scan_active(1, 0);
	assert_true(vm_page_inactive(m));
}

/* After passes that freed nothing, what is not used does not stay active. */
static void
test_haste(void **state)
{
	vm_page_t m = make_page(0, 'A');

	(void)state;
	m->act_count = ACT_MAX;
	for (int pass = 0; pass < 6; pass++)
		vm_pageout_scan_active(1, pass);
	assert_int_equal(m->act_count, 1);
	m->act_count = ACT_MAX;
	vm_pageout_scan_active(1, 1000);
	assert_true(vm_page_inactive(m));
}

static void
test_active_wanted(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 10; i++)
		make_page(i, 'A')->act_count = 1;
	vm_pageout_scan_active(3, 0);
	assert_int_equal(vm_pageq_count(PQ_INACTIVE), 3);
	assert_true(vm_page_inactive(page_at(2)));
	assert_true(vm_page_active(page_at(3)));
}

/* ---- Mappings ---- */

static void
map_page(vm_page_t m)
{
	assert_int_equal(pmap_pinit(&space), 0);
	pmap_activate(&space);
	assert_int_equal(pmap_enter(&space, VA, m, RW, 0), 0);
}

/* Clean as far as its field says, and yet not lost. */
static void
test_dirty_in_a_mapping_only(void **state)
{
	vm_page_t m = make_page(0, 'c');

	(void)state;
	map_page(m);
	assert_non_null(mmu_access(0, VA, MMU_USER | MMU_WRITE));
	assert_int_equal(pmap_ts_referenced(m), 1);
	assert_int_equal(vm_pageout_scan_inactive(1), 0);
	assert_true(vm_page_in_laundry(m));
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	assert_false(pmap_page_is_mapped(m));
}

static void
test_freed_page_is_unmapped(void **state)
{
	vm_page_t m = make_page(0, 'c');

	(void)state;
	map_page(m);
	assert_int_equal(vm_pageout_scan_inactive(1), 1);
	assert_null(mmu_access(0, VA, MMU_USER));
}

#define POWERED(test) cmocka_unit_test_setup_teardown(test, power_on, power_off)

int
main(void)
{
	struct CMUnitTest tests[64] = {
		POWERED(test_inactive_order),
		POWERED(test_act_counts),
		POWERED(test_haste),
		POWERED(test_active_wanted),
		POWERED(test_dirty_in_a_mapping_only),
		POWERED(test_freed_page_is_unmapped),
	};
	size_t ntests = 6;

	ADD_ROWS(tests, ntests, inactives, test_inactive);
	return (RUN_TESTS(tests, ntests));
}
