/*
 * Writes to swap in flight: what goes on meanwhile, what waits, errors, dumps.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/calls.h"
#include "tests/vm/objects.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"
#include "tests/vm/sim_swap.h"

#include "kernel/dev/disk_queue.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pageout.h"

/* ---- Writes in flight ---- */

/* An object of n dirty pages that wait to be written. */
static vm_object_t
unwritten(int n)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, (vm_pindex_t)n);

	for (int i = 0; i < n; i++) {
		vm_page_t m =
		    write_page(object, (vm_pindex_t)i, 1000 * (uint32_t)i);

		mtx_lock(&vm_mtx);
		vm_page_launder(m);
		mtx_unlock(&vm_mtx);
	}
	return (object);
}

/* The same, and the writes are in flight until the disks are not held. */
static vm_object_t
in_flight(int n)
{
	vm_object_t object = unwritten(n);

	hold_disks(true);
	(void)vm_pageout_launder(UINT32_MAX);
	assert_true(object->paging_in_progress > 0);
	return (object);
}

static void
finish_writes(void)
{
	hold_disks(false);
	sim_disks_drain();
}

/* How many pages are busy, dirty, and in that queue? */
struct looks {
	int lk_busy, lk_dirty, lk_queued;
};

static struct looks
look(vm_object_t object, int n, enum vm_pqueue queue)
{
	struct looks lk = { 0 };

	VM_OBJECT_LOCK(object);
	for (int i = 0; i < n; i++) {
		vm_page_t m = vm_page_lookup(object, (vm_pindex_t)i);

		lk.lk_busy += vm_page_busied(m) && !vm_page_xbusied(m);
		lk.lk_dirty += m->dirty != 0;
		lk.lk_queued += vm_page_queue(m) == queue;
	}
	VM_OBJECT_UNLOCK(object);
	return (lk);
}

static void
assert_looks(struct looks lk, int busy, int dirty, int queued)
{
	assert_int_equal(lk.lk_busy, busy);
	assert_int_equal(lk.lk_dirty, dirty);
	assert_int_equal(lk.lk_queued, queued);
}

/* Two writes at the same time, while this thread goes on. */
static void
test_in_flight(void **state)
{
	vm_object_t objects[2];

	(void)state;
	swap_on(0, 100);
	for (int i = 0; i < 2; i++)
		objects[i] = unwritten(32);
	hold_disks(true);
	assert_int_equal(vm_pageout_launder(64), 64);
	assert_int_equal(sim_disk_ninflight(swap_disks[0]), 2);
	for (int i = 0; i < 2; i++)
		assert_looks(look(objects[i], 32, PQ_LAUNDRY), 32, 32, 32);
	assert_int_equal(vm_cnt.v_laundered, 0);
	finish_writes();
	assert_int_equal(vm_cnt.v_laundered, 64);
	for (int i = 0; i < 2; i++) {
		assert_looks(look(objects[i], 32, PQ_INACTIVE), 0, 0, 32);
		assert_int_equal(objects[i]->paging_in_progress, 0);
		forget_pages(objects[i], 0, 32);
		assert_int_equal(get_in(objects[i], 0, 32, NULL, NULL),
		    VM_PAGER_OK);
		assert_true(in_memory(objects[i], 31, 31000));
		vm_object_deallocate(objects[i]);
	}
	audit_swap();
}

/* What is wanted counts what is on its way already. */
static void
test_in_flight_counts(void **state)
{
	vm_object_t object, other;

	(void)state;
	swap_on(0, 100);
	object = in_flight(32);
	other = unwritten(8);
	assert_int_equal(vm_pageout_launder(32), 32);
	assert_int_equal(other->paging_in_progress, 0);
	assert_int_equal(vm_pageout_launder(33), 40);
	finish_writes();
	vm_object_deallocate(object);
	vm_object_deallocate(other);
}

/* A call that finds no block needs no write; the next ones have all of them. */
static void
test_flight_no_room(void **state)
{
	vm_object_t object = unwritten(8);

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(vm_pageout_launder(8), 0);
	swap_on(0, 100);
	assert_int_equal(vm_pageout_launder(8), 8);
	finish_writes();
	assert_looks(look(object, 8, PQ_INACTIVE), 0, 0, 8);
	vm_object_deallocate(object);
}

static const struct flight_error {
	const char *name;
	enum sim_disk_fault fault;
	int nwrites;
} flight_errors[] = {
	{ "in flight: an error of the disk", SIM_DISK_FAILS, 1 },
	{ "in flight: the disk dies", SIM_DISK_DEAD, 1 },
	{ "in flight: the disk is dead", SIM_DISK_DEAD, 2 },
};

static void
test_flight_error(void **state)
{
	const struct flight_error *row = *state;
	vm_object_t object;

	swap_on(0, 100);
	sim_disk_break(swap_disks[0], row->fault);
	for (int i = 0; i < row->nwrites; i++) {
		object = unwritten(8);
		assert_int_equal(vm_pageout_launder(8), 8);
		finish_writes();
		assert_looks(look(object, 8, PQ_ACTIVE), 0, 8, 8);
		audit_swap();
		vm_object_deallocate(object);
	}
	mtx_lock(&vm_mtx);
	assert_int_equal(swap_dev_find("sim0")->sw_bad, 8 * row->nwrites);
	mtx_unlock(&vm_mtx);
}

static void
call_launder(struct call *cl)
{
	(void)vm_pageout_launder(1000);
	cl->cl_error = 0;
}

/* There are so many writes at most, and then the daemon sleeps for one. */
static void
test_flight_bound(void **state)
{
	struct call launder = { .cl_func = call_launder, .cl_cpu = 2 };
	vm_object_t objects[20];
	int busy = 0;

	(void)state;
	swap_on(0, 800);
	for (size_t i = 0; i < NROWS(objects); i++)
		objects[i] = unwritten(32);
	hold_disks(true);
	call_start(&launder);
	assert_false(call_ended(&launder));
	for (size_t i = 0; i < NROWS(objects); i++)
		busy += look(objects[i], 32, PQ_LAUNDRY).lk_busy;
	assert_int_equal(busy, (16 + 1) * 32);
	hold_disks(false);
	sim_join(launder.cl_thread);
	finish_writes();
	for (size_t i = 0; i < NROWS(objects); i++) {
		assert_looks(look(objects[i], 32, PQ_INACTIVE), 0, 0, 32);
		vm_object_deallocate(objects[i]);
	}
	assert_int_equal(swap_used("sim0"), 0);
}

/* What has to wait for writes in flight, and what of 8 pages is left then. */
static const struct flight_wait {
	const char *name;
	void (*func)(struct call *cl);
	uint32_t used; /* blocks */
	vm_pindex_t npages;
} flight_waits[] = {
	{ "in flight: the object's end", call_deallocate, 0, 0 },
	{ "in flight: its pages are removed", call_remove, 0, 0 },
	{ "in flight: swapoff", call_swapoff, 0, 8 },
};

static void
test_flight_wait(void **state)
{
	const struct flight_wait *row = *state;
	struct call call = { .cl_func = row->func, .cl_cpu = 2 };
	vm_pindex_t npages;

	swap_on(0, 100);
	call.cl_object = in_flight(8);
	call_start(&call);
	assert_false(call_ended(&call));
	assert_int_equal(swap_used("sim0"), 8);
	hold_disks(false);
	sim_join(call.cl_thread);
	if (row->func == call_swapoff)
		assert_looks(look(call.cl_object, 8, PQ_LAUNDRY), 0, 8, 0);
	else
		assert_int_equal(swap_used("sim0"), row->used);
	(void)audit_objects(&npages);
	assert_int_equal(npages, row->npages);
	audit_swap();
	if (row->func != call_deallocate)
		vm_object_deallocate(call.cl_object);
}

/* The end of one user waits, and then leaves what is written to the other. */
static void
test_flight_absorb(void **state)
{
	struct call end = { .cl_func = call_deallocate, .cl_cpu = 2 };
	vm_ooffset_t offset = 0;
	vm_object_t shadow;

	(void)state;
	swap_on(0, 100);
	shadow = end.cl_object = in_flight(8);
	vm_object_reference(shadow);
	vm_object_shadow(&shadow, &offset, ptoa(8));
	call_start(&end);
	assert_false(call_ended(&end));
	hold_disks(false);
	sim_join(end.cl_thread);
	assert_null(shadow->backing_object);
	assert_int_equal(shadow->resident_page_count, 8);
	assert_int_equal(swap_used("sim0"), 0);
	vm_object_deallocate(shadow);
}

/* While it waits, another thread makes the object a part of its shadow. */
static void
test_absorbed_meanwhile(void **state)
{
	struct call end = { .cl_func = call_deallocate, .cl_cpu = 2 };
	vm_ooffset_t offset = 0;
	vm_object_t shadow, object;

	(void)state;
	object = shadow = end.cl_object = vm_object_allocate(OBJT_SWAP, 8);
	vm_object_reference(shadow);
	vm_object_shadow(&shadow, &offset, ptoa(8));
	mtx_lock(&vm_mtx);
	vm_object_pip_add(object, 1);
	mtx_unlock(&vm_mtx);
	call_start(&end);
	assert_false(call_ended(&end));
	mtx_lock(&vm_mtx);
	vm_object_pip_wakeup(object);
	while (vm_object_collapse(shadow))
		continue;
	assert_null(shadow->backing_object);
	mtx_unlock(&vm_mtx);
	call_await(&end);
	assert_true(call_ended(&end));
	sim_join(end.cl_thread);
	vm_object_deallocate(shadow);
}

/* ---- Dumps ---- */

/* A dump is written over all of a disk, and then the machine runs on. */
static void
dump_over(struct disk *dk)
{
	sim_disk_take(dk);
	swap_dev_overwritten(dk, 0, 8 << 20);
	memset(sim_disk_media(dk), 0xdd, 8 << 20);
	hold_disks(false);
	disk_queue_watch(dk);
}

static void
assert_dump_is_whole(struct disk *dk)
{
	const uint8_t *media = sim_disk_media(dk);

	for (size_t i = 0; i < 8 << 20; i++) {
		if (media[i] != 0xdd)
			fail_msg("byte %#zx is %#x", i, media[i]);
	}
}

/* Writes that a dump found in flight, or waiting for a slot, are not done later. */
static void
test_dump_over_writes(void **state)
{
	vm_object_t objects[10];

	(void)state;
	swap_on(0, 400);
	for (size_t i = 0; i < NROWS(objects); i++)
		objects[i] = in_flight(32);
	assert_int_equal(sim_disk_ninflight(swap_disks[0]), DISK_QDEPTH);
	dump_over(swap_disks[0]);
	sim_disks_drain();
	assert_dump_is_whole(swap_disks[0]);
	for (size_t i = 0; i < NROWS(objects); i++) {
		assert_looks(look(objects[i], 32, PQ_ACTIVE), 0, 32, 32);
		vm_object_deallocate(objects[i]);
	}
	audit_swap();
}

static void
call_get_in(struct call *cl)
{
	cl->cl_error = get_in(cl->cl_object, 0, 8, NULL, NULL);
}

/* A read that a dump found in flight is an error, and not the dump's bytes. */
static void
test_dump_over_read(void **state)
{
	struct call in = { .cl_func = call_get_in, .cl_cpu = 2 };

	(void)state;
	swap_on(0, 100);
	in.cl_object = swapped(8);
	hold_disks(true);
	call_start(&in);
	dump_over(swap_disks[0]);
	sim_join(in.cl_thread);
	assert_int_equal(in.cl_error, VM_PAGER_ERROR);
	vm_object_deallocate(in.cl_object);
}

static const struct CMUnitTest single_tests[] = {
	cmocka_unit_test(test_in_flight),
	cmocka_unit_test(test_in_flight_counts),
	cmocka_unit_test(test_flight_bound),
	cmocka_unit_test(test_flight_no_room),
	cmocka_unit_test(test_flight_absorb),
	cmocka_unit_test(test_absorbed_meanwhile),
	cmocka_unit_test(test_dump_over_writes),
	cmocka_unit_test(test_dump_over_read),
};

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t ntests = NROWS(single_tests);

	memcpy(tests, single_tests, sizeof(single_tests));
	ADD_ROWS(tests, ntests, flight_errors, test_flight_error);
	ADD_ROWS(tests, ntests, flight_waits, test_flight_wait);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = swap_power_on;
		tests[i].teardown_func = swap_power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
