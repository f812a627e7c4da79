/*
 * Swap: pages to disks and back, errors, devices that come and go.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/calls.h"
#include "tests/vm/objects.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"
#include "tests/vm/sim_swap.h"

#include "kernel/dev/disk_queue.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pageout.h"

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
	assert_int_equal(swap_dev_add(row->device, disks[row->disk],
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
		assert_int_equal(swap_dev_add(name, disks[0],
				     ptoa(4 * (name[0] - 'a')), ptoa(4)),
		    0);
	assert_int_equal(swap_dev_add(name, disks[1], 0, ptoa(4)), EFBIG);
	assert_int_equal(swapoff_one("c"), 0);
	assert_int_equal(swap_dev_add(name, disks[1], 0, ptoa(4)), 0);
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

/* ---- Out and in ---- */

static void
test_out_and_in(void **state)
{
	vm_object_t object;
	int n = VM_PAGER_MAXPAGES;

	(void)state;
	swap_on(0, 100);
	object = swapped(n);
	assert_int_equal(used("sim0"), n);
	audit_swap();
	assert_int_equal(get_in(object, 0, n, NULL, NULL), VM_PAGER_OK);
	for (int i = 0; i < n; i++)
		assert_true(in_memory(object, (vm_pindex_t)i,
		    1000 * (uint32_t)i));
	vm_object_deallocate(object);
	assert_int_equal(used("sim0"), 0);
}

/* What lies on the disk, and where. */
static void
test_in_a_row(void **state)
{
	vm_object_t object;
	const uint32_t *media;

	(void)state;
	swap_on(0, 100);
	object = swapped(8);
	media = (const uint32_t *)(const void *)(sim_disk_media(disks[0]) +
	    ptoa(16 + SWAP_RESERVED));
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(media[i * 1024], 1000 * i);
	vm_object_deallocate(object);
}

static void
test_never_written(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 8);

	(void)state;
	swap_on(0, 100);
	assert_int_equal(get_in(object, 3, 1, NULL, NULL), VM_PAGER_FAIL);
	vm_object_deallocate(object);
}

/* A page that is written again goes to another block, and the old one is free. */
static void
test_written_again(void **state)
{
	vm_object_t object;
	int rtval;

	(void)state;
	swap_on(0, 100);
	object = swapped(1);
	(void)write_page(object, 0, 77);
	put_out(object, 0, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_OK);
	forget(object, 0, 1);
	assert_int_equal(used("sim0"), 1);
	assert_int_equal(get_in(object, 0, 1, NULL, NULL), VM_PAGER_OK);
	assert_true(in_memory(object, 0, 77));
	audit_swap();
	vm_object_deallocate(object);
}

static const struct ahead_row {
	const char *name;
	int behind, ahead;	   /* wanted */
	int got_behind, got_ahead; /* of pages 0 to 7, where 3 is read */
} ahead_rows[] = {
	{ "neighbours: none are wanted", 0, 0, 0, 0 },
	{ "neighbours: some before", 2, 0, 2, 0 },
	{ "neighbours: some after", 0, 2, 0, 2 },
	{ "neighbours: all", 30, 30, 3, 4 },
};

static void
test_neighbours(void **state)
{
	const struct ahead_row *row = *state;
	int behind = row->behind, ahead = row->ahead;
	vm_object_t object;

	swap_on(0, 100);
	object = swapped(8);
	assert_int_equal(get_in(object, 3, 1, &behind, &ahead), VM_PAGER_OK);
	assert_int_equal(behind, row->got_behind);
	assert_int_equal(ahead, row->got_ahead);
	for (int i = 0; i < 8; i++)
		assert_int_equal(in_memory(object, (vm_pindex_t)i,
				     1000 * (uint32_t)i),
		    i >= 3 - behind && i <= 3 + ahead);
	mtx_lock(&vm_mtx);
	assert_int_equal(vm_pageq_count(PQ_INACTIVE), behind + ahead);
	mtx_unlock(&vm_mtx);
	vm_object_deallocate(object);
}

/* A neighbour that is in memory ends the row. */
static void
test_neighbour_in_memory(void **state)
{
	int behind = 8, ahead = 8;
	vm_object_t object;

	(void)state;
	swap_on(0, 100);
	object = swapped(8);
	assert_int_equal(get_in(object, 5, 1, NULL, NULL), VM_PAGER_OK);
	assert_int_equal(get_in(object, 3, 1, &behind, &ahead), VM_PAGER_OK);
	assert_int_equal(behind, 3);
	assert_int_equal(ahead, 1);
	vm_object_deallocate(object);
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
	assert_int_equal(used("sim0"), 16);
	assert_int_equal(used("sim1"), 16);
	audit_swap();
	for (int i = 0; i < 4; i++) {
		assert_int_equal(get_in(objects[i], 0, 8, NULL, NULL),
		    VM_PAGER_OK);
		assert_true(in_memory(objects[i], 7, 7000));
		vm_object_deallocate(objects[i]);
	}
}

/* ---- What goes wrong ---- */

/* Eight pages, and room for so many: the others stay dirty. */
static const struct full_row {
	const char *name;
	vm_pindex_t room;
	int out;
} full_rows[] = {
	{ "full: no device", 0, 0 },
	{ "full: one block", 1, 1 },
	{ "full: less than a run", 5, 5 },
	{ "full: just enough", 8, 8 },
};

static void
test_full(void **state)
{
	const struct full_row *row = *state;
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 8);
	int rtvals[8];

	if (row->room > 0)
		swap_on(0, row->room);
	for (int i = 0; i < 8; i++)
		(void)write_page(object, (vm_pindex_t)i, (uint32_t)i);
	put_out(object, 0, 8, rtvals);
	mtx_lock(&vm_mtx);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(rtvals[i],
		    i < row->out ? VM_PAGER_OK : VM_PAGER_AGAIN);
		assert_int_equal(
		    vm_page_lookup(object, (vm_pindex_t)i)->dirty != 0,
		    i >= row->out);
	}
	mtx_unlock(&vm_mtx);
	audit_swap();
	vm_object_deallocate(object);
}

static void
test_write_error(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 4);
	vm_page_t m = write_page(object, 2, 5);
	int rtval;

	(void)state;
	swap_on(0, 100);
	sim_disk_break(disks[0], SIM_DISK_FAILS);
	put_out(object, 2, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_ERROR);
	mtx_lock(&vm_mtx);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	assert_false(vm_pager_has_page(object, 2, NULL, NULL));
	assert_int_equal(swap_dev_find("sim0")->sw_bad, 1);
	mtx_unlock(&vm_mtx);
	audit_swap();

	/* The next try is on another block. */
	sim_disk_break(disks[0], SIM_DISK_WORKS);
	put_out(object, 2, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_OK);
	forget(object, 2, 1);
	assert_int_equal(get_in(object, 2, 1, NULL, NULL), VM_PAGER_OK);
	assert_true(in_memory(object, 2, 5));
	audit_swap();
	vm_object_deallocate(object);
}

static void
test_read_error(void **state)
{
	int behind = 8, ahead = 8;
	vm_object_t object;

	(void)state;
	swap_on(0, 100);
	object = swapped(8);
	sim_disk_break(disks[0], SIM_DISK_FAILS);
	assert_int_equal(get_in(object, 3, 1, &behind, &ahead), VM_PAGER_ERROR);
	assert_int_equal(object->resident_page_count, 0);
	sim_disk_break(disks[0], SIM_DISK_WORKS);
	assert_int_equal(get_in(object, 3, 1, NULL, NULL), VM_PAGER_OK);
	assert_true(in_memory(object, 3, 3000));
	vm_object_deallocate(object);
}

/* Without a page for what is noted of swap, pages stay dirty, and no block is lost. */
static void
test_no_memory_for_notes(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 4);
	int rtval;

	(void)state;
	swap_on(0, 100);
	(void)write_page(object, 2, 5);
	take_memory(VM_ALLOC_INTERRUPT);
	put_out(object, 2, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_AGAIN);
	assert_int_equal(used("sim0"), 0);
	audit_swap();
	give_memory();
	put_out(object, 2, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_OK);
	vm_object_deallocate(object);
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
	swap_dev_overwritten(disks[row->disk], ptoa(row->first),
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
	struct swdevt *sw[NDISKS];
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

		swap_dev_overwritten(disks[i], 0, ptoa(2048));
		assert_true(__atomic_load_n(lost, __ATOMIC_RELAXED));
		__atomic_store_n(lost, false, __ATOMIC_RELAXED);
		i = (i + 1) % NDISKS;
	}
	sim_join(taker);
}

/* ---- Ranges, and chains of objects ---- */

static void
test_remove(void **state)
{
	vm_object_t object;

	(void)state;
	swap_on(0, 100);
	object = swapped(8);
	assert_int_equal(get_in(object, 2, 2, NULL, NULL), VM_PAGER_OK);
	VM_OBJECT_LOCK(object);
	vm_object_page_remove(object, 1, 4, 0);
	VM_OBJECT_UNLOCK(object);
	assert_int_equal(used("sim0"), 5);
	assert_int_equal(get_in(object, 1, 1, NULL, NULL), VM_PAGER_FAIL);
	assert_int_equal(get_in(object, 2, 1, NULL, NULL), VM_PAGER_FAIL);
	assert_int_equal(get_in(object, 4, 1, NULL, NULL), VM_PAGER_OK);
	audit_swap();
	vm_object_deallocate(object);
}

/*
 * Four pages on swap, and a shadow of the middle two, of which it has some in
 * memory, or on swap.  Then the other user of the object goes.
 */
static const struct absorb_row {
	const char *name;
	const char *own; /* m: in memory, s: on swap, dot: not at all */
	uint32_t used;	 /* blocks, afterwards */
} absorb_rows[] = {
	{ "absorb swap: all of it", "..", 2 },
	{ "absorb swap: one is in memory", "m.", 1 },
	{ "absorb swap: one is on swap", "s.", 2 },
	{ "absorb swap: all are in memory", "mm", 0 },
};

static void
put_own(vm_object_t shadow, const char *own)
{
	int rtval;

	for (vm_pindex_t i = 0; i < 2; i++) {
		if (own[i] == '.')
			continue;
		(void)write_page(shadow, i, 5);
		if (own[i] == 's') {
			put_out(shadow, i, 1, &rtval);
			forget(shadow, i, 1);
		}
	}
}

static void
test_absorb(void **state)
{
	const struct absorb_row *row = *state;
	vm_ooffset_t offset = ptoa(1);
	vm_object_t object, shadow;

	swap_on(0, 100);
	shadow = object = swapped(4);
	vm_object_reference(object);
	vm_object_shadow(&shadow, &offset, ptoa(2));
	put_own(shadow, row->own);
	vm_object_deallocate(object);
	assert_null(shadow->backing_object);
	assert_int_equal(used("sim0"), row->used);
	audit_swap();
	for (vm_pindex_t i = 0; i < 2; i++) {
		if (row->own[i] != 'm')
			assert_int_equal(get_in(shadow, i, 1, NULL, NULL),
			    VM_PAGER_OK);
		assert_true(in_memory(shadow, i,
		    row->own[i] == '.' ? 1000 * ((uint32_t)i + 1) : 5));
	}
	vm_object_deallocate(shadow);
	assert_int_equal(used("sim0"), 0);
}

/* A page that is absorbed from memory is dirty, so its block is free. */
static void
test_absorb_clean_page(void **state)
{
	vm_object_t object, shadow;
	vm_ooffset_t offset = 0;

	(void)state;
	swap_on(0, 100);
	shadow = object = swapped(4);
	assert_int_equal(get_in(object, 2, 1, NULL, NULL), VM_PAGER_OK);
	vm_object_reference(object);
	vm_object_shadow(&shadow, &offset, ptoa(4));
	vm_object_deallocate(object);
	assert_int_equal(used("sim0"), 3);
	assert_true(in_memory(shadow, 2, 2000));
	audit_swap();
	vm_object_deallocate(shadow);
}

static const struct bypass_row {
	const char *name;
	vm_pindex_t nown; /* pages that the shadow has of the two on swap */
	bool bypassed;
} bypass_rows[] = {
	{ "bypass swap: all is copied", 2, true },
	{ "no bypass: a page on swap is not copied", 1, false },
};

static void
test_bypass(void **state)
{
	const struct bypass_row *row = *state;
	vm_ooffset_t offset = 0;
	vm_object_t object, shadow;

	swap_on(0, 100);
	shadow = object = swapped(2);
	object->size = 4;
	vm_object_reference(object);
	vm_object_reference(object);
	vm_object_shadow(&shadow, &offset, ptoa(4));
	for (vm_pindex_t i = 0; i < row->nown; i++)
		(void)write_page(shadow, i, 5);
	VM_OBJECT_LOCK(shadow);
	(void)vm_object_collapse(shadow);
	VM_OBJECT_UNLOCK(shadow);
	assert_int_equal(shadow->backing_object == NULL, row->bypassed);
	vm_object_deallocate(shadow);
	vm_object_deallocate(object);
	vm_object_deallocate(object);
	assert_int_equal(used("sim0"), 0);
}

/* A page that moves to another object is dirty there, and its block is free. */
static void
test_rename(void **state)
{
	vm_object_t other = vm_object_allocate(OBJT_SWAP, 4), object;

	(void)state;
	swap_on(0, 100);
	object = swapped(4);
	assert_int_equal(get_in(object, 2, 1, NULL, NULL), VM_PAGER_OK);
	VM_OBJECT_LOCK(object);
	assert_int_equal(vm_page_rename(grab_page(object, 2), other, 0), 0);
	vm_page_xunbusy(vm_page_lookup(other, 0));
	VM_OBJECT_UNLOCK(object);
	assert_int_equal(used("sim0"), 3);
	assert_int_equal(get_in(object, 2, 1, NULL, NULL), VM_PAGER_FAIL);
	assert_true(in_memory(other, 0, 2000));
	vm_object_deallocate(object);
	vm_object_deallocate(other);
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
	sim_disk_break(disks[0], SIM_DISK_FAILS);
	assert_int_equal(swapoff_one("sim0"), EIO);
	assert_int_equal(used("sim0"), 8);
	assert_int_equal(object->resident_page_count, 0);
	sim_disk_break(disks[0], SIM_DISK_WORKS);
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
	start(&end);
	start(&off);
	unbusy(end.cl_object, m);
	await(&end);
	assert_false(ended(&end));
	give_memory();
	sim_join(off.cl_thread);
	sim_join(end.cl_thread);
	assert_int_equal(off.cl_error, 0);
	assert_int_equal(audit_objects(&npages), 0);
	audit_swap();
}

/* swapoff reads a page that is removed meanwhile. */
static void
test_off_and_remove(void **state)
{
	struct call remove = { .cl_func = call_remove, .cl_cpu = 2 };
	struct call off = { .cl_func = call_swapoff, .cl_cpu = 3 };
	vm_page_t m;

	(void)state;
	swap_on(0, 100);
	remove.cl_object = swapped(2);
	m = busy_page(remove.cl_object);
	hold_disks(true);
	start(&remove);
	start(&off);
	unbusy(remove.cl_object, m);
	await(&remove);
	hold_disks(false);
	sim_join(off.cl_thread);
	sim_join(remove.cl_thread);
	assert_int_equal(off.cl_error, 0);
	assert_int_equal(remove.cl_object->resident_page_count, 0);
	audit_swap();
	vm_object_deallocate(remove.cl_object);
}

/* Another page appears where a removal has been, while it waits for one. */
static void
test_remove_new_page(void **state)
{
	struct call remove = { .cl_func = call_remove, .cl_cpu = 2 };
	vm_page_t m;

	(void)state;
	swap_on(0, 100);
	remove.cl_object = swapped(2);
	m = busy_page(remove.cl_object);
	start(&remove);
	(void)write_page(remove.cl_object, 0, 5);
	unbusy(remove.cl_object, m);
	sim_join(remove.cl_thread);
	assert_int_equal(remove.cl_object->resident_page_count, 0);
	vm_object_deallocate(remove.cl_object);
}

/* ---- Parts that no entry shows any more ---- */

#define NPARTS	 6
#define VA(page) (UINT64_C(0x40000000) + ptoa((vm_pindex_t)(page)))

/*
 * An object of six pages, the first two in memory and all on swap.  An entry shows
 * it, and one of a child after a fork; pages are unmapped by the first.
 */
static const struct unmap_row {
	const char *name;
	bool fork;
	vm_inherit_t inherit;
	unsigned int first, end;
	uint32_t blocks;   /* that are left */
	vm_pindex_t pages; /* and those in memory */
} unmap_rows[] = {
	{ "unmapped: the start", false, VM_INHERIT_COPY, 0, 1, 5, 1 },
	{ "unmapped: the middle", false, VM_INHERIT_COPY, 1, 4, 3, 1 },
	{ "unmapped: the end", false, VM_INHERIT_COPY, 5, 6, 5, 2 },
	{ "unmapped: all of it", false, VM_INHERIT_COPY, 0, 6, 0, 0 },
	{ "unmapped: a child has a copy", true, VM_INHERIT_COPY, 1, 4, 6, 2 },
	{ "unmapped: a child shares it", true, VM_INHERIT_SHARE, 1, 4, 6, 2 },
};

static void
test_unmapped(void **state)
{
	const struct unmap_row *r = *state;
	struct vm_map_what what = { .prot = VM_PROT_ALL, .max = VM_PROT_ALL };
	struct vmspace *vm, *child = NULL;
	vm_pindex_t npages;

	vmspace_startup();
	swap_on(0, 100);
	vm = vmspace_alloc(VA(0), VA(16));
	what.object = swapped(NPARTS);
	assert_int_equal(get_in(what.object, 0, 2, NULL, NULL), VM_PAGER_OK);
	assert_int_equal(vm_map_fixed(&vm->vm_map, VA(0), ptoa(NPARTS), &what),
	    KERN_SUCCESS);
	assert_int_equal(vm_map_inherit(&vm->vm_map, VA(0), VA(NPARTS),
			     r->inherit),
	    KERN_SUCCESS);
	if (r->fork)
		child = vmspace_fork(vm);
	assert_int_equal(vm_map_remove(&vm->vm_map, VA(r->first), VA(r->end)),
	    KERN_SUCCESS);
	(void)audit_objects(&npages);
	assert_int_equal(npages, r->pages);
	assert_int_equal(used("sim0"), r->blocks);
	audit_swap();
	vmspace_free(vm);
	if (child != NULL)
		vmspace_free(child);
	assert_int_equal(used("sim0"), 0);
}

/* A page's block is its own until a fault lets it be written to. */
static void
test_written_by_fault(void **state)
{
	struct vm_map_what what = { .prot = VM_PROT_ALL, .max = VM_PROT_ALL };
	struct vmspace *vm;

	(void)state;
	vmspace_startup();
	swap_on(0, 100);
	vm = vmspace_alloc(VA(0), VA(16));
	what.object = swapped(NPARTS);
	assert_int_equal(vm_map_fixed(&vm->vm_map, VA(0), ptoa(NPARTS), &what),
	    KERN_SUCCESS);
	assert_int_equal(vm_fault(&vm->vm_map, VA(0), VM_PROT_READ,
			     VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_int_equal(used("sim0"), NPARTS);
	assert_int_equal(vm_fault(&vm->vm_map, VA(0), VM_PROT_WRITE,
			     VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_int_equal(used("sim0"), NPARTS - 1);
	vmspace_free(vm);
}

/* More blocks than are freed without letting others have the lock. */
static void
test_free_lots(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 3000);
	swblk_t old;

	(void)state;
	swap_on(0, 1500);
	for (int twice = 0; twice < 2; twice++) {
		mtx_lock(&vm_mtx);
		for (vm_pindex_t i = 0; i < 1500; i++) {
			unsigned int n = 1;

			assert_true(swap_meta_set(object, 2 * i,
			    swap_dev_alloc(&n), &old));
		}
		if (twice == 0)
			vm_object_page_remove(object, 0, 0, 0);
		mtx_unlock(&vm_mtx);
		assert_int_equal(used("sim0"), twice == 0 ? 0 : 1500);
	}
	vm_object_deallocate(object);
	assert_int_equal(used("sim0"), 0);
}

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
	assert_int_equal(sim_disk_ninflight(disks[0]), 2);
	for (int i = 0; i < 2; i++)
		assert_looks(look(objects[i], 32, PQ_LAUNDRY), 32, 32, 32);
	assert_int_equal(vm_cnt.v_laundered, 0);
	finish_writes();
	assert_int_equal(vm_cnt.v_laundered, 64);
	for (int i = 0; i < 2; i++) {
		assert_looks(look(objects[i], 32, PQ_INACTIVE), 0, 0, 32);
		assert_int_equal(objects[i]->paging_in_progress, 0);
		forget(objects[i], 0, 32);
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
	sim_disk_break(disks[0], row->fault);
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
	start(&launder);
	assert_false(ended(&launder));
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
	assert_int_equal(used("sim0"), 0);
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
	start(&call);
	assert_false(ended(&call));
	assert_int_equal(used("sim0"), 8);
	hold_disks(false);
	sim_join(call.cl_thread);
	if (row->func == call_swapoff)
		assert_looks(look(call.cl_object, 8, PQ_LAUNDRY), 0, 8, 0);
	else
		assert_int_equal(used("sim0"), row->used);
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
	start(&end);
	assert_false(ended(&end));
	hold_disks(false);
	sim_join(end.cl_thread);
	assert_null(shadow->backing_object);
	assert_int_equal(shadow->resident_page_count, 8);
	assert_int_equal(used("sim0"), 0);
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
	assert_int_equal(sim_disk_ninflight(disks[0]), DISK_QDEPTH);
	dump_over(disks[0]);
	sim_disks_drain();
	assert_dump_is_whole(disks[0]);
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
	start(&in);
	dump_over(disks[0]);
	sim_join(in.cl_thread);
	assert_int_equal(in.cl_error, VM_PAGER_ERROR);
	vm_object_deallocate(in.cl_object);
}

/* Blocks for 400 pages that are far apart, and how much longer a dump is. */
static void
test_notes_are_bulk(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 400 * 32);
	unsigned int n;
	size_t dumped;
	swblk_t old;

	(void)state;
	swap_on(0, 400);
	dumped = sim_ndumped();
	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; i < 400; i++) {
		n = 1;
		assert_true(swap_meta_set(object, i * 32, swap_dev_alloc(&n),
		    &old));
	}
	mtx_unlock(&vm_mtx);
	assert_int_equal(used("sim0"), 400);
	assert_true(sim_ndumped() <= dumped + 4);
	vm_object_deallocate(object);
}

static const struct CMUnitTest single_tests[] = {
	cmocka_unit_test(test_add_too_many),
	cmocka_unit_test(test_numbers_again),
	cmocka_unit_test(test_out_and_in),
	cmocka_unit_test(test_in_a_row),
	cmocka_unit_test(test_never_written),
	cmocka_unit_test(test_written_again),
	cmocka_unit_test(test_neighbour_in_memory),
	cmocka_unit_test(test_devices_take_turns),
	cmocka_unit_test(test_write_error),
	cmocka_unit_test(test_read_error),
	cmocka_unit_test(test_no_memory_for_notes),
	cmocka_unit_test(test_dump_at_any_time),
	cmocka_unit_test(test_remove),
	cmocka_unit_test(test_absorb_clean_page),
	cmocka_unit_test(test_off_read_error),
	cmocka_unit_test(test_off_no_room),
	cmocka_unit_test(test_off_and_end),
	cmocka_unit_test(test_off_and_remove),
	cmocka_unit_test(test_remove_new_page),
	cmocka_unit_test(test_free_lots),
	cmocka_unit_test(test_in_flight),
	cmocka_unit_test(test_in_flight_counts),
	cmocka_unit_test(test_flight_bound),
	cmocka_unit_test(test_flight_no_room),
	cmocka_unit_test(test_rename),
	cmocka_unit_test(test_flight_absorb),
	cmocka_unit_test(test_dump_over_writes),
	cmocka_unit_test(test_dump_over_read),
	cmocka_unit_test(test_written_by_fault),
	cmocka_unit_test(test_notes_are_bulk),
};

int
main(void)
{
	struct CMUnitTest tests[96];
	size_t ntests = NROWS(single_tests);

	memcpy(tests, single_tests, sizeof(single_tests));
	ADD_ROWS(tests, ntests, add_rows, test_add);
	ADD_ROWS(tests, ntests, ahead_rows, test_neighbours);
	ADD_ROWS(tests, ntests, full_rows, test_full);
	ADD_ROWS(tests, ntests, dump_rows, test_dump);
	ADD_ROWS(tests, ntests, absorb_rows, test_absorb);
	ADD_ROWS(tests, ntests, bypass_rows, test_bypass);
	ADD_ROWS(tests, ntests, off_rows, test_off);
	ADD_ROWS(tests, ntests, unmap_rows, test_unmapped);
	ADD_ROWS(tests, ntests, flight_errors, test_flight_error);
	ADD_ROWS(tests, ntests, flight_waits, test_flight_wait);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = power_on;
		tests[i].teardown_func = power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
