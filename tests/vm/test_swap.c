/*
 * Swap: pages to disks and back, errors, chains of objects, and what frees blocks.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/objects.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_swap.h"

#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"

/* ---- Out and in ---- */

static void
test_out_and_in(void **state)
{
	vm_object_t object;
	int n = VM_PAGER_MAXPAGES;

	(void)state;
	swap_on(0, 100);
	object = swapped(n);
	assert_int_equal(swap_used("sim0"), n);
	audit_swap();
	assert_int_equal(get_in(object, 0, n, NULL, NULL), VM_PAGER_OK);
	for (int i = 0; i < n; i++)
		assert_true(in_memory(object, (vm_pindex_t)i,
		    1000 * (uint32_t)i));
	vm_object_deallocate(object);
	assert_int_equal(swap_used("sim0"), 0);
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
	media = (const uint32_t *)(const void *)(sim_disk_media(swap_disks[0]) +
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
	forget_pages(object, 0, 1);
	assert_int_equal(swap_used("sim0"), 1);
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

/* Four pages fill a device, and the next four are on another. */
static void
test_row_ends_with_device(void **state)
{
	vm_object_t object;

	(void)state;
	swap_on(0, 4);
	swap_on(1, 4);
	object = swapped(8);
	assert_int_equal(swap_used("sim0"), 4);
	assert_int_equal(get_in(object, 0, 8, NULL, NULL), VM_PAGER_OK);
	for (uint32_t i = 0; i < 8; i++)
		assert_true(in_memory(object, i, 1000 * i));
	vm_object_deallocate(object);
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
	sim_disk_break(swap_disks[0], SIM_DISK_FAILS);
	put_out(object, 2, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_ERROR);
	mtx_lock(&vm_mtx);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	assert_false(vm_pager_has_page(object, 2, NULL, NULL));
	assert_int_equal(swap_dev_find("sim0")->sw_bad, 1);
	mtx_unlock(&vm_mtx);
	audit_swap();

	/* The next try is on another block. */
	sim_disk_break(swap_disks[0], SIM_DISK_WORKS);
	put_out(object, 2, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_OK);
	forget_pages(object, 2, 1);
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
	sim_disk_break(swap_disks[0], SIM_DISK_FAILS);
	assert_int_equal(get_in(object, 3, 1, &behind, &ahead), VM_PAGER_ERROR);
	assert_int_equal(object->resident_page_count, 0);
	sim_disk_break(swap_disks[0], SIM_DISK_WORKS);
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
	assert_int_equal(swap_used("sim0"), 0);
	audit_swap();
	give_memory();
	put_out(object, 2, 1, &rtval);
	assert_int_equal(rtval, VM_PAGER_OK);
	vm_object_deallocate(object);
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
	assert_int_equal(swap_used("sim0"), 5);
	assert_int_equal(get_in(object, 1, 1, NULL, NULL), VM_PAGER_FAIL);
	assert_int_equal(get_in(object, 2, 1, NULL, NULL), VM_PAGER_FAIL);
	assert_int_equal(get_in(object, 4, 1, NULL, NULL), VM_PAGER_OK);
	audit_swap();
	vm_object_deallocate(object);
}

/*
 * Four pages on swap, and a shadow of the middle two, of which it has some in
 * memory, or on swap.  A page in memory may not have got its bytes.  Then the other user of the object goes.
 */
static const struct absorb_row {
	const char *name;
	const char *own; /* m: in memory, s: on swap, i: not valid, dot: none */
	uint32_t used;	 /* blocks, afterwards */
} absorb_rows[] = {
	{ "absorb swap: all of it", "..", 2 },
	{ "absorb swap: one is in memory", "m.", 1 },
	{ "absorb swap: one is on swap", "s.", 2 },
	{ "absorb swap: all are in memory", "mm", 0 },
	{ "absorb swap: one is not valid", "i.", 2 },
};

static void
hold_place(vm_object_t object, vm_pindex_t pindex)
{
	VM_OBJECT_LOCK(object);
	vm_page_xunbusy(grab_page(object, pindex));
	VM_OBJECT_UNLOCK(object);
}

static void
put_own(vm_object_t shadow, const char *own)
{
	int rtval;

	for (vm_pindex_t i = 0; i < 2; i++) {
		if (own[i] == 'i')
			hold_place(shadow, i);
		if (own[i] != 'm' && own[i] != 's')
			continue;
		(void)write_page(shadow, i, 5);
		if (own[i] == 's') {
			put_out(shadow, i, 1, &rtval);
			forget_pages(shadow, i, 1);
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
	assert_int_equal(swap_used("sim0"), row->used);
	audit_swap();
	for (vm_pindex_t i = 0; i < 2; i++) {
		if (row->own[i] != 'm')
			assert_int_equal(get_in(shadow, i, 1, NULL, NULL),
			    VM_PAGER_OK);
		assert_true(in_memory(shadow, i,
		    row->own[i] == 'm' || row->own[i] == 's' ?
			5 :
			1000 * ((uint32_t)i + 1)));
	}
	vm_object_deallocate(shadow);
	assert_int_equal(swap_used("sim0"), 0);
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
	assert_int_equal(swap_used("sim0"), 3);
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
	assert_int_equal(swap_used("sim0"), 0);
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
	assert_int_equal(swap_used("sim0"), 3);
	assert_int_equal(get_in(object, 2, 1, NULL, NULL), VM_PAGER_FAIL);
	assert_true(in_memory(other, 0, 2000));
	vm_object_deallocate(object);
	vm_object_deallocate(other);
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
	assert_int_equal(swap_used("sim0"), r->blocks);
	audit_swap();
	vmspace_free(vm);
	if (child != NULL)
		vmspace_free(child);
	assert_int_equal(swap_used("sim0"), 0);
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
	assert_int_equal(swap_used("sim0"), NPARTS);
	assert_int_equal(vm_fault(&vm->vm_map, VA(0), VM_PROT_WRITE,
			     VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_int_equal(swap_used("sim0"), NPARTS - 1);
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
		assert_int_equal(swap_used("sim0"), twice == 0 ? 0 : 1500);
	}
	vm_object_deallocate(object);
	assert_int_equal(swap_used("sim0"), 0);
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
	assert_int_equal(swap_used("sim0"), 400);
	assert_true(sim_ndumped() <= dumped + 4);
	vm_object_deallocate(object);
}

static const struct CMUnitTest single_tests[] = {
	cmocka_unit_test(test_out_and_in),
	cmocka_unit_test(test_in_a_row),
	cmocka_unit_test(test_never_written),
	cmocka_unit_test(test_written_again),
	cmocka_unit_test(test_neighbour_in_memory),
	cmocka_unit_test(test_row_ends_with_device),
	cmocka_unit_test(test_write_error),
	cmocka_unit_test(test_read_error),
	cmocka_unit_test(test_no_memory_for_notes),
	cmocka_unit_test(test_remove),
	cmocka_unit_test(test_absorb_clean_page),
	cmocka_unit_test(test_free_lots),
	cmocka_unit_test(test_rename),
	cmocka_unit_test(test_written_by_fault),
	cmocka_unit_test(test_notes_are_bulk),
};

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t ntests = NROWS(single_tests);

	memcpy(tests, single_tests, sizeof(single_tests));
	ADD_ROWS(tests, ntests, ahead_rows, test_neighbours);
	ADD_ROWS(tests, ntests, full_rows, test_full);
	ADD_ROWS(tests, ntests, absorb_rows, test_absorb);
	ADD_ROWS(tests, ntests, bypass_rows, test_bypass);
	ADD_ROWS(tests, ntests, unmap_rows, test_unmapped);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = swap_power_on;
		tests[i].teardown_func = swap_power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
