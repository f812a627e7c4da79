/*
 * Devices to swap to: which there may be, one that goes, one that a dump was
 * written to.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/calls.h"
#include "tests/vm/objects.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"
#include "tests/vm/sim_swap.h"

#include "kernel/sys/errno.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object.h"

/* ---- Devices ---- */

/* There is sim1 already: pages 16 to 21 of disk 1. */
static const struct add_row {
	const char *name;
	const char *device;
	int disk;
	uint64_t offset, len;
	int error;
} add_rows[] = {
	{ "add: a device", "sim0", 0, 0, 64 << 10, 0 },
	{ "add: one page to swap to", "sim0", 0, 0, (SWAP_RESERVED + 1) * 4096,
	    0 },
	{ "add: another part of the disk, before", "sim1p1", 1, 0, 16 * 4096,
	    0 },
	{ "add: another part of the disk, after", "sim1p3", 1, 22 * 4096,
	    64 << 10, 0 },
	{ "add: the same part of another disk", "sim0", 0, 16 * 4096, 6 * 4096,
	    0 },
	{ "add: refuses one without pages", "sim0", 0, 0,
	    SWAP_RESERVED * 4096 + 4095, ENOSPC },
	{ "add: refuses 16 TB", "sim0", 0, 0, UINT64_C(1) << 44, EFBIG },
	{ "add: refuses one that there is", "sim1", 0, 0, 64 << 10, EBUSY },
	{ "add: refuses it by another name", "sim1p2", 1, 16 * 4096, 6 * 4096,
	    EBUSY },
	{ "add: refuses a disk that has it", "whole", 1, 0, 8 << 20, EBUSY },
	{ "add: refuses a part of it", "part", 1, 17 * 4096, 4 * 4096, EBUSY },
	{ "add: refuses an overlap at its start", "sim1p1", 1, 0, 17 * 4096,
	    EBUSY },
	{ "add: refuses an overlap at its end", "sim1p3", 1, 21 * 4096,
	    64 << 10, EBUSY },
	{ "add: refuses an overlap of a sector", "sim1p3", 1, 22 * 4096 - 512,
	    64 << 10, EBUSY },
};

static void
test_add(void **state)
{
	const struct add_row *row = *state;

	swap_on(1, 4);
	assert_int_equal(sim_swap_add(row->device, swap_disks[row->disk],
			     row->offset, row->len),
	    row->error);
	mtx_lock(&vm_mtx);
	assert_int_equal(swap_dev_total(),
	    4 + (row->error == 0 ? atop(row->len) - SWAP_RESERVED : 0));
	mtx_unlock(&vm_mtx);
	audit_swap();
}

/* As many as fit into the table, and then no more, until one goes. */
static void
test_add_too_many(void **state)
{
	char name[] = "a";

	(void)state;
	for (; name[0] < 'a' + SWAP_MAXDEV; name[0]++)
		assert_int_equal(sim_swap_add(name, swap_disks[0],
				     ptoa(4 * (name[0] - 'a')), ptoa(4)),
		    0);
	assert_int_equal(sim_swap_add(name, swap_disks[1], 0, ptoa(4)), EFBIG);
	assert_int_equal(swapoff_one("c"), 0);
	assert_int_equal(sim_swap_add(name, swap_disks[1], 0, ptoa(4)), 0);
	audit_swap();
}

/* Numbers that a device had are another's later. */
static void
test_numbers_again(void **state)
{
	(void)state;
	swap_on(0, 10);
	swap_on(1, 10);
	assert_int_equal(swapoff_one("sim0"), 0);
	swap_on(0, 10);
	mtx_lock(&vm_mtx);
	assert_int_equal(swap_dev_find("sim0")->sw_first, 0);
	assert_int_equal(swap_dev_find("sim1")->sw_first, 12);
	mtx_unlock(&vm_mtx);
}

static void
test_devices_take_turns(void **state)
{
	vm_object_t objects[4];

	(void)state;
	swap_on(0, 100);
	swap_on(1, 100);
	for (int i = 0; i < 4; i++)
		objects[i] = swapped(8);
	assert_int_equal(swap_used("sim0"), 16);
	assert_int_equal(swap_used("sim1"), 16);
	audit_swap();
	for (int i = 0; i < 4; i++) {
		assert_int_equal(get_in(objects[i], 0, 8, NULL, NULL),
		    VM_PAGER_OK);
		assert_true(in_memory(objects[i], 7, 7000));
		vm_object_deallocate(objects[i]);
	}
}

/* ---- Dumps ---- */

/* What a look finds, or what happens meanwhile. */
static int
see_nothing(struct disk *dk, uint64_t offset, uint64_t len)
{
	unsigned int n = 1;

	assert_ptr_equal(dk, swap_disks[0]);
	assert_int_equal(offset, ptoa(16));
	assert_int_equal(len, ptoa(10) + 512);
	assert_int_equal(sim_swap_add("same", dk, offset, len), EBUSY);
	assert_int_equal(swapoff_one("sim0"), EBUSY);
	mtx_lock(&vm_mtx);
	assert_int_equal(swap_dev_alloc(&n), SWAPBLK_NONE);
	assert_int_equal(swap_dev_total(), 0);
	mtx_unlock(&vm_mtx);
	return (0);
}

static int
see_a_dump(struct disk *dk, uint64_t offset, uint64_t len)
{
	(void)see_nothing(dk, offset, len);
	return (EEXIST);
}

static int
see_an_error(struct disk *dk, uint64_t offset, uint64_t len)
{
	(void)see_nothing(dk, offset, len);
	return (EIO);
}

static int
dump_after_look(struct disk *dk, uint64_t offset, uint64_t len)
{
	(void)see_nothing(dk, offset, len);
	swap_dev_overwritten(dk, offset, len);
	return (0);
}

static const struct look_row {
	const char *name;
	swap_dev_look_t *look;
	int error;
} look_rows[] = {
	{ "a look: nothing is there", see_nothing, 0 },
	{ "a look: a dump is there", see_a_dump, EEXIST },
	{ "a look: an error of the disk", see_an_error, EIO },
	{ "a look: a dump is written after it", dump_after_look, EEXIST },
};

/* No block is given before the look is over, nor after one that found a dump. */
static void
test_look(void **state)
{
	const struct look_row *row = *state;

	assert_int_equal(swap_dev_add("sim0", swap_disks[0], ptoa(16),
			     ptoa(10) + 512, row->look),
	    row->error);
	mtx_lock(&vm_mtx);
	assert_int_equal(swap_dev_total(),
	    row->error == 0 ? 10 - SWAP_RESERVED : 0);
	mtx_unlock(&vm_mtx);
	assert_int_equal(swapoff_one("sim0"), row->error == 0 ? 0 : ENOENT);
	swap_on(0, 100);
	audit_swap();
}

/* A dump to so many pages of the disk, where swap is on pages 16 to 117. */
static const struct dump_row {
	const char *name;
	int disk;
	vm_pindex_t first, npages;
	bool lost;
} dump_rows[] = {
	{ "a dump: over all of swap", 0, 0, 2048, true },
	{ "a dump: over the end of swap", 0, 117, 100, true },
	{ "a dump: over its start", 0, 10, 7, true },
	{ "a dump: before it", 0, 0, 16, false },
	{ "a dump: after it", 0, 118, 100, false },
	{ "a dump: to another disk", 1, 0, 2048, false },
};

/* What was on swap is an error then, and nothing is written over the dump. */
static void
test_dump(void **state)
{
	const struct dump_row *row = *state;
	vm_object_t object;
	int rtval;

	swap_on(0, 100);
	object = swapped(8);
	(void)write_page(object, 7, 5);
	swap_dev_overwritten(swap_disks[row->disk], ptoa(row->first),
	    ptoa(row->npages));
	assert_int_equal(get_in(object, 0, 1, NULL, NULL),
	    row->lost ? VM_PAGER_ERROR : VM_PAGER_OK);
	put_out(object, 7, 1, &rtval);
	assert_int_equal(rtval, row->lost ? VM_PAGER_AGAIN : VM_PAGER_OK);
	assert_true(in_memory(object, 7, 5));
	mtx_lock(&vm_mtx);
	assert_int_equal(swap_dev_total() == 0, row->lost);
	mtx_unlock(&vm_mtx);
	audit_swap();
	vm_object_deallocate(object);
}

#define NTAKEN 200000

/* A block is taken and freed, over and over. */
static void
take_blocks(void *arg)
{
	bool *done = arg;

	sim_pin(2);
	for (int i = 0; i < NTAKEN; i++) {
		unsigned int n = 1;
		swblk_t blk;

		mtx_lock(&vm_mtx);
		blk = swap_dev_alloc(&n);
		if (blk != SWAPBLK_NONE)
			swap_dev_free(blk);
		mtx_unlock(&vm_mtx);
	}
	__atomic_store_n(done, true, __ATOMIC_RELEASE);
}

/* A dump finds each device, whatever a thread was doing when it was stopped. */
static void
test_dump_at_any_time(void **state)
{
	struct swdevt *sw[NSWAPDISKS];
	struct simthread *taker;
	bool done = false;
	int i = 0;

	(void)state;
	swap_on(0, 100);
	swap_on(1, 100);
	mtx_lock(&vm_mtx);
	sw[0] = swap_dev_find("sim0");
	sw[1] = swap_dev_find("sim1");
	mtx_unlock(&vm_mtx);
	taker = sim_start(take_blocks, &done);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		bool *lost = &sw[i]->sw_lost;

		swap_dev_overwritten(swap_disks[i], 0, ptoa(2048));
		assert_true(__atomic_load_n(lost, __ATOMIC_RELAXED));
		__atomic_store_n(lost, false, __ATOMIC_RELAXED);
		i = (i + 1) % NSWAPDISKS;
	}
	sim_join(taker);
}

/* ---- A device goes ---- */

static const struct off_row {
	const char *name;
	int in_memory; /* pages of the eight */
	bool other;    /* there is another device */
} off_rows[] = {
	{ "swapoff: nothing is in memory", 0, false },
	{ "swapoff: some is in memory", 3, false },
	{ "swapoff: another device stays", 3, true },
};

static void
test_off(void **state)
{
	const struct off_row *row = *state;
	vm_object_t objects[3];

	swap_on(0, 100);
	for (int i = 0; i < 3; i++) {
		objects[i] = swapped(8);
		if (row->in_memory > 0)
			assert_int_equal(get_in(objects[i], 0, row->in_memory,
					     NULL, NULL),
			    VM_PAGER_OK);
		if (i == 0 && row->other)
			swap_on(1, 100);
	}
	assert_int_equal(swapoff_one("sim0"), 0);
	assert_int_equal(swapoff_one("sim0"), ENOENT);
	audit_swap();
	for (int i = 0; i < 3; i++) {
		for (int page = 0; page < 8; page++) {
			vm_pindex_t pindex = (vm_pindex_t)page;

			if (!in_memory(objects[i], pindex,
				1000 * (uint32_t)page))
				assert_int_equal(get_in(objects[i], pindex, 1,
						     NULL, NULL),
				    VM_PAGER_OK);
			assert_true(in_memory(objects[i], pindex,
			    1000 * (uint32_t)page));
		}
		vm_object_deallocate(objects[i]);
	}
}

static void
test_off_read_error(void **state)
{
	vm_object_t object;

	(void)state;
	swap_on(0, 100);
	object = swapped(8);
	sim_disk_break(swap_disks[0], SIM_DISK_FAILS);
	assert_int_equal(swapoff_one("sim0"), EIO);
	assert_int_equal(swap_used("sim0"), 8);
	assert_int_equal(object->resident_page_count, 0);
	sim_disk_break(swap_disks[0], SIM_DISK_WORKS);
	assert_int_equal(get_in(object, 0, 8, NULL, NULL), VM_PAGER_OK);
	assert_int_equal(swapoff_one("sim0"), 0);
	assert_true(in_memory(object, 7, 7000));
	vm_object_deallocate(object);
}

static void
test_off_no_room(void **state)
{
	vm_object_t object;

	(void)state;
	swap_on(0, 100);
	object = swapped(8);
	take_memory(VM_ALLOC_NORMAL);
	assert_int_equal(swapoff_one("sim0"), ENOMEM);
	give_memory();
	assert_int_equal(get_in(object, 0, 8, NULL, NULL), VM_PAGER_OK);
	assert_true(in_memory(object, 7, 7000));
	vm_object_deallocate(object);
}

/*
 * Two pages on swap, the second of them also in memory, and one in memory that is
 * busy: what is done to all of them waits for that one, and has been at the others.
 */
static vm_page_t
busy_page(vm_object_t object)
{
	vm_page_t m;

	assert_int_equal(get_in(object, 1, 1, NULL, NULL), VM_PAGER_OK);
	VM_OBJECT_LOCK(object);
	object->size = 3;
	m = grab_page(object, 2);
	VM_OBJECT_UNLOCK(object);
	return (m);
}

static void
unbusy(vm_object_t object, vm_page_t m)
{
	VM_OBJECT_LOCK(object);
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
}

/* What the owner of a page that swapoff waits for does with it; vm_mtx is held. */
static void
write_to_page(vm_object_t object, vm_page_t m)
{
	(void)object;
	vm_page_dirty(m);
	vm_pager_page_unswapped(m);
	vm_page_xunbusy(m);
}

static void
free_page_and_block(vm_object_t object, vm_page_t m)
{
	(void)object;
	vm_pager_page_unswapped(m);
	vm_page_free(m);
}

static void
put_elsewhere(vm_object_t object, vm_page_t m)
{
	int rtval;

	VM_OBJECT_UNLOCK(object);
	vm_pager_put_pages(object, &m, 1, VM_PAGER_PUT_SYNC, &rtval);
	VM_OBJECT_LOCK(object);
	vm_page_xunbusy(m);
}

static void
put_and_free(vm_object_t object, vm_page_t m)
{
	put_elsewhere(object, m);
	vm_page_free(grab_page(object, m->pindex));
}

static const struct busy_row {
	const char *name;
	void (*func)(vm_object_t object, vm_page_t m);
	vm_pindex_t npages;
	uint32_t elsewhere;
} busy_rows[] = {
	{ "swapoff waits: the page is written to", write_to_page, 1, 0 },
	{ "swapoff waits: it is freed", free_page_and_block, 0, 0 },
	{ "swapoff waits: it goes to another device", put_elsewhere, 1, 1 },
	{ "swapoff waits: so, and it is freed", put_and_free, 0, 1 },
};

/* swapoff leaves alone what is not on its device any more. */
static void
test_off_waits(void **state)
{
	const struct busy_row *row = *state;
	struct call off = { .cl_func = call_swapoff, .cl_cpu = 3 };
	vm_page_t m;

	swap_on(0, 100);
	off.cl_object = swapped(1);
	swap_on(1, 100);
	assert_int_equal(get_in(off.cl_object, 0, 1, NULL, NULL), VM_PAGER_OK);
	VM_OBJECT_LOCK(off.cl_object);
	m = grab_page(off.cl_object, 0);
	VM_OBJECT_UNLOCK(off.cl_object);
	call_start(&off);
	assert_false(call_ended(&off));
	VM_OBJECT_LOCK(off.cl_object);
	row->func(off.cl_object, m);
	VM_OBJECT_UNLOCK(off.cl_object);
	sim_join(off.cl_thread);
	assert_int_equal(off.cl_error, 0);
	assert_int_equal(off.cl_object->resident_page_count, row->npages);
	assert_int_equal(swap_used("sim1"), row->elsewhere);
	audit_swap();
	vm_object_deallocate(off.cl_object);
}

/* swapoff waits for memory with an object in hand that ends meanwhile. */
static void
test_off_and_end(void **state)
{
	struct call end = { .cl_func = call_deallocate, .cl_cpu = 2 };
	struct call off = { .cl_func = call_swapoff, .cl_cpu = 3 };
	vm_pindex_t npages;
	vm_page_t m;

	(void)state;
	swap_on(0, 100);
	end.cl_object = swapped(2);
	swap_on(1, 100);
	m = busy_page(end.cl_object);
	take_memory(VM_ALLOC_INTERRUPT);
	call_start(&end);
	call_start(&off);
	unbusy(end.cl_object, m);
	call_await(&end);
	assert_false(call_ended(&end));
	give_memory();
	sim_join(off.cl_thread);
	sim_join(end.cl_thread);
	assert_int_equal(off.cl_error, 0);
	assert_int_equal(audit_objects(&npages), 0);
	audit_swap();
}

static void
call_write(struct call *cl)
{
	(void)write_page(cl->cl_object, 0, 5);
}

/* What another does while a removal waits for a busy page, and has been at page 0. */
static const struct meanwhile_row {
	const char *name;
	void (*func)(struct call *cl);
} meanwhile_rows[] = {
	{ "removal: swapoff reads a page meanwhile", call_swapoff },
	{ "removal: a new page appears meanwhile", call_write },
};

static void
test_remove_meanwhile(void **state)
{
	const struct meanwhile_row *row = *state;
	struct call remove = { .cl_func = call_remove, .cl_cpu = 2 };
	struct call other = { .cl_func = row->func, .cl_cpu = 3 };
	vm_page_t m;

	swap_on(0, 100);
	remove.cl_object = other.cl_object = swapped(2);
	m = busy_page(remove.cl_object);
	hold_disks(true);
	call_start(&remove);
	call_start(&other);
	unbusy(remove.cl_object, m);
	call_await(&remove);
	hold_disks(false);
	sim_join(other.cl_thread);
	sim_join(remove.cl_thread);
	assert_int_equal(other.cl_error, 0);
	assert_int_equal(remove.cl_object->resident_page_count, 0);
	audit_swap();
	vm_object_deallocate(remove.cl_object);
}

static const struct CMUnitTest single_tests[] = {
	cmocka_unit_test(test_add_too_many),
	cmocka_unit_test(test_numbers_again),
	cmocka_unit_test(test_devices_take_turns),
	cmocka_unit_test(test_dump_at_any_time),
	cmocka_unit_test(test_off_read_error),
	cmocka_unit_test(test_off_no_room),
	cmocka_unit_test(test_off_and_end),
};

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t ntests = NROWS(single_tests);

	memcpy(tests, single_tests, sizeof(single_tests));
	ADD_ROWS(tests, ntests, add_rows, test_add);
	ADD_ROWS(tests, ntests, look_rows, test_look);
	ADD_ROWS(tests, ntests, dump_rows, test_dump);
	ADD_ROWS(tests, ntests, off_rows, test_off);
	ADD_ROWS(tests, ntests, busy_rows, test_off_waits);
	ADD_ROWS(tests, ntests, meanwhile_rows, test_remove_meanwhile);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = swap_power_on;
		tests[i].teardown_func = swap_power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
