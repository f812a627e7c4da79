/*
 * A device for swap is emptied and taken away.
 *
 * It is closing first, so that no more blocks of it are given out.  Then objects
 * with anything on swap are gone through, one after the other, and each page that
 * is on the device is brought in and is dirty, for other devices or to stay.  A
 * block that is used is noted in some object, so a device that is not empty has
 * one.
 *
 * An object in hand has paging in progress: it neither ends nor is absorbed.
 *
 * Lock: vm_mtx.
 */
#include "kernel/sys/errno.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object_int.h"

/* Is there room for what is on the device?  Dirty pages can go to others. */
static bool
fits(const struct swdevt *sw)
{
	vm_pindex_t free_count =
	    __atomic_load_n(&vm_cnt.v_free_count, __ATOMIC_RELAXED);
	vm_pindex_t room = swap_dev_avail();

	if (free_count > vm_cnt.v_free_target)
		room += free_count - vm_cnt.v_free_target;
	return (room >= sw->sw_used);
}

/*
 * The page, exclusively busy, once there is memory for it.  The page daemon makes
 * some as long as other devices take what it writes.
 */
static int
get_page(vm_object_t object, vm_pindex_t pindex, const struct swdevt *sw,
    vm_page_t *out)
{
	while ((*out = vm_page_grab(object, pindex, VM_ALLOC_NORMAL)) == NULL) {
		if (!fits(sw))
			return (ENOMEM);
		VM_OBJECT_UNLOCK(object);
		vm_wait(VM_ALLOC_NORMAL);
		VM_OBJECT_LOCK(object);
	}
	return (0);
}

/* Fetch what is on swap into a page that is busy and not valid. */
static int
read_page(vm_object_t object, vm_page_t m, swblk_t blk)
{
	int error;

	VM_OBJECT_UNLOCK(object);
	error = swap_dev_io(BIO_READ, blk, &m, 1);
	VM_OBJECT_LOCK(object);
	if (error == 0)
		vm_page_valid(m);
	return (error);
}

/*
 * Bring back one page, if it is on that device still once it is not busy.  The
 * page is in memory then, or it is not changed.
 */
static int
bring_back(vm_object_t object, vm_pindex_t pindex, const struct swdevt *sw)
{
	vm_page_t m;
	swblk_t blk;
	bool there;
	int error = get_page(object, pindex, sw, &m);

	if (error != 0)
		return (error);
	blk = swap_meta_lookup(object, pindex);
	there = swap_dev_of(blk) == sw;
	if (there && !vm_page_all_valid(m))
		error = read_page(object, m, blk);
	if (!vm_page_all_valid(m)) {
		vm_page_free(m);
		return (error);
	}
	if (there) {
		vm_page_dirty(m);
		swap_dev_free(swap_meta_take(object, pindex));
	}
	if (vm_page_queue(m) == PQ_NONE)
		vm_page_launder(m);
	vm_page_xunbusy(m);
	return (0);
}

static int
empty_object(vm_object_t object, const struct swdevt *sw)
{
	unsigned int looked = 0;
	vm_pindex_t at = 0;
	int error = 0;

	vm_object_pip_add(object, 1);
	for (; error == 0 && swap_pager_find_least(object, &at); at++) {
		if (++looked % VM_OBJECT_BATCH == 0)
			vm_object_yield(object);
		if (swap_dev_of(swap_meta_lookup(object, at)) == sw)
			error = bring_back(object, at, sw);
	}
	/* Those that have something elsewhere come last next time. */
	if (object->un_pager.swp.swp_npages > 0) {
		TAILQ_REMOVE(&swap_objects, object, pager_object_list);
		TAILQ_INSERT_TAIL(&swap_objects, object, pager_object_list);
	}
	vm_object_pip_wakeup(object);
	return (error);
}

static int
empty_device(struct swdevt *sw)
{
	int error = 0;

	while (error == 0 && sw->sw_used > 0) {
		vm_object_t object = TAILQ_FIRST(&swap_objects);

		KASSERT(object != NULL,
		    ("%s: %s has %u blocks, and no object has any", __func__,
			sw->sw_name, sw->sw_used));
		error = empty_object(object, sw);
	}
	return (error);
}

/* No more blocks of it from now on. */
static int
begin(const char *name, struct swdevt **out)
{
	struct swdevt *sw = swap_dev_find(name);

	if (sw == NULL)
		return (ENOENT);
	if (sw->sw_closing)
		return (EBUSY);
	sw->sw_closing = true;
	if (!fits(sw)) {
		sw->sw_closing = false;
		return (ENOMEM);
	}
	*out = sw;
	return (0);
}

int
swapoff_one(const char *name)
{
	struct swdevt *sw;
	int error;

	mtx_lock(&vm_mtx);
	error = begin(name, &sw);
	if (error == 0) {
		error = empty_device(sw);
		sw->sw_closing = error == 0;
	}
	mtx_unlock(&vm_mtx);
	if (error == 0)
		swap_dev_destroy(sw);
	return (error);
}
