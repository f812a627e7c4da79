/*
 * Calls that go through lots of pages or blocks let others have vm_mtx meanwhile:
 * how often they let go of it is counted.
 */
#include "tests/support/unit.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_swap.h"

#include "kernel/sys/mman.h"
#include "kernel/sys/mutex.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"
#include "kernel/vm/vm_phys.h"

#define NPAGES	600
#define NBLOCKS 1900

static unsigned int nreleases; /* atomic */

void __real_mtx_unlock(struct mtx *m);
void __wrap_mtx_unlock(struct mtx *m);

void
__wrap_mtx_unlock(struct mtx *m)
{
	if (m == &vm_mtx)
		__atomic_fetch_add(&nreleases, 1, __ATOMIC_RELAXED);
	__real_mtx_unlock(m);
}

static void
count_from_here(void)
{
	__atomic_store_n(&nreleases, 0, __ATOMIC_RELAXED);
}

static unsigned int
counted(void)
{
	return (__atomic_load_n(&nreleases, __ATOMIC_RELAXED));
}

/* ---- Pages ---- */

static vm_object_t
with_pages(void (*queue)(vm_page_t m))
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, NPAGES);

	for (vm_pindex_t i = 0; i < NPAGES; i++) {
		vm_page_t m = write_page(object, i, 5);

		VM_OBJECT_LOCK(object);
		queue(m);
		VM_OBJECT_UNLOCK(object);
	}
	return (object);
}

static void
clean(vm_page_t m)
{
	vm_page_undirty(m);
	vm_page_deactivate(m);
}

static unsigned int
remove_pages(void)
{
	vm_object_t object = with_pages(clean);
	unsigned int n;

	VM_OBJECT_LOCK(object);
	count_from_here();
	vm_object_page_remove(object, 0, 0, 0);
	n = counted();
	assert_int_equal(object->resident_page_count, 0);
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
	return (n);
}

static unsigned int
look_for_dirty_pages(void)
{
	vm_object_t object = with_pages(clean);
	unsigned int n;

	VM_OBJECT_LOCK(object);
	count_from_here();
	(void)vm_object_page_clean(object, 0, 0, 0);
	n = counted();
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
	return (n);
}

static unsigned int
end_pages(void)
{
	vm_object_t object = with_pages(clean);

	count_from_here();
	vm_object_deallocate(object);
	return (counted());
}

static unsigned int
advise_pages(void)
{
	vm_object_t object = with_pages(clean);
	unsigned int n;

	count_from_here();
	vm_object_madvise(object, 0, NPAGES, MADV_WILLNEED);
	n = counted();
	vm_object_deallocate(object);
	return (n);
}

static unsigned int
scan_inactive(void)
{
	vm_object_t object = with_pages(clean);
	unsigned int n;

	count_from_here();
	assert_int_equal(vm_pageout_scan_inactive(NPAGES), NPAGES);
	n = counted();
	vm_object_deallocate(object);
	return (n);
}

static unsigned int
scan_active(void)
{
	vm_object_t object = with_pages(vm_page_activate);
	unsigned int n;

	count_from_here();
	vm_pageout_scan_active(NPAGES, 0);
	n = counted();
	vm_object_deallocate(object);
	return (n);
}

/* Pages that are clean by now are not written. */
static void
launder_clean(vm_page_t m)
{
	vm_page_launder(m);
	vm_page_undirty(m);
}

static unsigned int
launder(void)
{
	vm_object_t object = with_pages(launder_clean);
	unsigned int n;

	count_from_here();
	assert_int_equal(vm_pageout_launder(NPAGES), NPAGES);
	n = counted();
	vm_object_deallocate(object);
	return (n);
}

/* ---- Blocks ---- */

static void
take_blocks(vm_object_t object)
{
	for (vm_pindex_t i = 0; i < NBLOCKS; i++) {
		unsigned int n = 1;
		swblk_t old;

		VM_OBJECT_LOCK(object);
		assert_true(swap_meta_set(object, i, swap_dev_alloc(&n), &old));
		VM_OBJECT_UNLOCK(object);
	}
}

static vm_object_t
with_blocks(void)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, NBLOCKS);

	swap_on(0, NBLOCKS);
	take_blocks(object);
	return (object);
}

static unsigned int
remove_blocks(void)
{
	vm_object_t object = with_blocks();
	unsigned int n;

	VM_OBJECT_LOCK(object);
	count_from_here();
	vm_object_page_remove(object, 0, 0, 0);
	n = counted();
	VM_OBJECT_UNLOCK(object);
	assert_int_equal(swap_used("sim0"), 0);
	vm_object_deallocate(object);
	return (n);
}

static unsigned int
advise_blocks(void)
{
	vm_object_t object = with_blocks();
	unsigned int n;

	count_from_here();
	vm_object_madvise(object, 0, NBLOCKS, MADV_FREE);
	n = counted();
	assert_int_equal(swap_used("sim0"), 0);
	vm_object_deallocate(object);
	return (n);
}

/* The last block of an object is on the device that goes, and all others are not. */
static unsigned int
empty_device(void)
{
	vm_object_t object = with_blocks();
	unsigned int n = 1;
	swblk_t old;

	swap_on(1, 1);
	VM_OBJECT_LOCK(object);
	object->size++;
	assert_true(swap_meta_set(object, NBLOCKS, swap_dev_alloc(&n), &old));
	VM_OBJECT_UNLOCK(object);
	assert_int_equal(swap_used("sim1"), 1);
	count_from_here();
	assert_int_equal(swapoff_one("sim1"), 0);
	n = counted();
	vm_object_deallocate(object);
	return (n);
}

/* ---- Windows ---- */

#define NWINDOWS (0x400000 / PAGE_SIZE / 2) /* of two pages */

/* Every other page stays where it is, so there is no window of two. */
static unsigned int
search_windows(void)
{
	const struct vm_phys_where anywhere = { .high = 0x500000 };
	unsigned int n;

	take_memory(VM_ALLOC_INTERRUPT);
	count_from_here();
	assert_false(vm_page_reclaim_contig(2, &anywhere));
	n = counted();
	give_memory();
	return (n);
}

static const struct batch_row {
	const char *name;
	unsigned int (*func)(void); /* how often it let go of the lock */
	unsigned int nitems, batch;
} batch_rows[] = {
	{ "removal of pages", remove_pages, NPAGES, 256 },
	{ "removal of blocks", remove_blocks, NBLOCKS, 1024 },
	{ "a look for dirty pages", look_for_dirty_pages, NPAGES, 256 },
	{ "end of an object", end_pages, NPAGES, 256 },
	{ "advice about pages", advise_pages, NPAGES, 256 },
	{ "advice about blocks", advise_blocks, NBLOCKS, 256 },
	{ "swapoff: blocks elsewhere", empty_device, NBLOCKS, 256 },
	{ "scan of inactive pages", scan_inactive, NPAGES, 128 },
	{ "scan of active pages", scan_active, NPAGES, 128 },
	{ "laundering", launder, NPAGES, 128 },
	{ "search for windows", search_windows, NWINDOWS, 64 },
};

static void
test_batch(void **state)
{
	const struct batch_row *row = *state;
	unsigned int n = row->func();

	assert_in_range(n, row->nitems / row->batch, row->nitems);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(batch_rows)];
	size_t ntests = 0;

	ADD_ROWS(tests, ntests, batch_rows, test_batch);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = swap_power_on;
		tests[i].teardown_func = swap_power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
