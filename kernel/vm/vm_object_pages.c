/*
 * Ranges of an object's pages: removed, written.
 *
 * Each call goes through the tree by index, so what it does costs as much as
 * there are pages in the range, whatever its length.  A busy page is waited for
 * with the lock let go of, and then looked up again.
 *
 * Others get the lock from time to time, and may put new pages into a range that is
 * removed: it is gone through again then.
 *
 * Whoever has a page busy may be reading or writing its block on swap.  So a range
 * gives its blocks up when no page of it is busy.
 *
 * Lock: vm_mtx.  Over the pager's call the pages are shared-busy and may not be
 * written to, so what is written is what is called clean afterwards.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_object_int.h"
#include "kernel/vm/vm_pager.h"

static vm_pindex_t
range_end(vm_object_t object, vm_pindex_t end)
{
	return (end == 0 ? object->size : end);
}

/* The first page of [start, end), or NULL. */
static vm_page_t
first_page(vm_object_t object, vm_pindex_t start, vm_pindex_t end)
{
	vm_page_t m = vm_page_find_least(object, start);

	return (m != NULL && m->pindex < end ? m : NULL);
}

/* ---- Remove ---- */

/*
 * Nobody maps the page.  Free it; a wired page stays, and is not valid any more.
 * true: it was freed.
 */
static bool
discard(vm_page_t m)
{
	if (m->wire_count == 0) {
		vm_page_free(m);
		return (true);
	}
	vm_page_set_invalid(m, 0, (int)PAGE_SIZE);
	vm_page_xunbusy(m);
	return (false);
}

/* true: it was freed. */
static bool
remove_page(vm_page_t m, unsigned int options)
{
	if ((options & OBJPR_CLEANONLY) != 0) {
		if ((options & OBJPR_NOTMAPPED) == 0)
			pmap_remove_write(m);
		vm_page_test_dirty(m);
		if (m->dirty != 0) {
			vm_page_xunbusy(m);
			return (false);
		}
	}
	if ((options & OBJPR_NOTMAPPED) == 0)
		pmap_remove_all(m);
	return (discard(m));
}

/*
 * Free the pages of a range; false: others had the lock, so there may be new ones.
 * Pages that stay are no reason to let go of it, or that would never end.
 */
static bool
remove_pages(vm_object_t object, vm_pindex_t start, vm_pindex_t end,
    unsigned int options)
{
	unsigned int freed = 0;
	bool kept = true;
	vm_page_t m;

	while ((m = first_page(object, start, end)) != NULL) {
		if (!vm_page_tryxbusy(m)) {
			kept &= !vm_page_sleep_if_busy(m, "vmopar");
			continue;
		}
		start = (vm_pindex_t)m->pindex + 1;
		if (remove_page(m, options) && ++freed % VM_OBJECT_BATCH == 0) {
			vm_object_yield(object);
			kept = false;
		}
	}
	return (kept);
}

void
vm_object_page_remove(vm_object_t object, vm_pindex_t start, vm_pindex_t end,
    unsigned int options)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT((object->flags & OBJ_UNMANAGED) == 0,
	    ("%s: object %p of type %u", __func__, (void *)object,
		object->type));
	end = range_end(object, end);
	vm_object_pip_add(object, 1);
	while (!remove_pages(object, start, end, options) ||
	    ((options & OBJPR_CLEANONLY) == 0 && end > start &&
		!vm_pager_freespace(object, start, end - start)))
		vm_object_yield(object);
	vm_object_pip_wakeup(object);
}

void
vm_object_unshown(vm_object_t object, vm_pindex_t start, vm_pindex_t end)
{
	if (object == NULL)
		return;
	VM_OBJECT_LOCK(object);
	if ((object->flags & OBJ_ONEMAPPING) != 0 && object->ref_count > 1 &&
	    object->shadow_count == 0)
		vm_object_page_remove(object, start, end, OBJPR_NOTMAPPED);
	VM_OBJECT_UNLOCK(object);
}

/* ---- Clean ---- */

/* Consecutive pages that are to be written, shared-busy. */
struct run {
	vm_page_t rn_pages[VM_PAGER_MAXPAGES];
	int rn_rtvals[VM_PAGER_MAXPAGES];
	int rn_count;
};

/* Takes away the right to write first, and then looks if anything was written. */
static bool
is_dirty(vm_page_t m)
{
	pmap_remove_write(m);
	vm_page_test_dirty(m);
	return (m->dirty != 0 && vm_page_all_valid(m));
}

static void
make_run(vm_object_t object, vm_page_t m, vm_pindex_t end, struct run *run)
{
	run->rn_count = 0;
	while (m != NULL && m->pindex < end &&
	    run->rn_count < VM_PAGER_MAXPAGES && !vm_page_busied(m) &&
	    is_dirty(m)) {
		(void)vm_page_trysbusy(m);
		run->rn_pages[run->rn_count++] = m;
		m = vm_page_lookup(object, (vm_pindex_t)m->pindex + 1);
	}
}

/* One page of a run is written, or not; false: not. */
static bool
finish_page(vm_page_t m, int rtval, unsigned int flags)
{
	bool ok = rtval == VM_PAGER_OK;

	if (ok && (flags & OBJPC_INVAL) != 0 && m->wire_count == 0 &&
	    vm_page_tryupgrade(m)) {
		pmap_remove_all(m);
		vm_page_free(m);
		return (true);
	}
	vm_page_sunbusy(m);
	return (ok);
}

static bool
write_run(vm_object_t object, struct run *run, unsigned int flags)
{
	unsigned int put = 0;
	bool ok = true;

	if ((flags & OBJPC_SYNC) != 0)
		put |= VM_PAGER_PUT_SYNC;
	if ((flags & OBJPC_INVAL) != 0)
		put |= VM_PAGER_PUT_INVAL;
	VM_OBJECT_UNLOCK(object);
	vm_pager_put_pages(object, run->rn_pages, run->rn_count, put,
	    run->rn_rtvals);
	VM_OBJECT_LOCK(object);
	for (int i = 0; i < run->rn_count; i++)
		ok &= finish_page(run->rn_pages[i], run->rn_rtvals[i], flags);
	return (ok);
}

bool
vm_object_page_clean(vm_object_t object, vm_pindex_t start, vm_pindex_t end,
    unsigned int flags)
{
	unsigned int clean = 0;
	struct run run;
	bool ok = true;
	vm_page_t m;

	VM_OBJECT_ASSERT_LOCKED(object);
	end = range_end(object, end);
	vm_object_pip_add(object, 1);
	while ((m = first_page(object, start, end)) != NULL) {
		if (vm_page_sleep_if_busy(m, "vpcwai"))
			continue;
		start = (vm_pindex_t)m->pindex + 1;
		make_run(object, m, end, &run);
		if (run.rn_count == 0) {
			if (++clean % VM_OBJECT_BATCH == 0)
				vm_object_yield(object);
			continue;
		}
		start += (vm_pindex_t)run.rn_count - 1;
		ok &= write_run(object, &run, flags);
	}
	vm_object_pip_wakeup(object);
	return (ok);
}

/* The object at the end of a chain, and what offset is there. */
static vm_object_t
last_backing(vm_object_t object, vm_ooffset_t *offset)
{
	while (object->backing_object != NULL) {
		*offset += object->backing_object_offset;
		object = object->backing_object;
	}
	return (object);
}

bool
vm_object_sync(vm_object_t object, vm_ooffset_t offset, vm_size_t size,
    bool syncio, bool invalidate)
{
	unsigned int flags =
	    (syncio ? OBJPC_SYNC : 0) | (invalidate ? OBJPC_INVAL : 0);
	vm_object_t file;
	bool ok = true;

	if (object == NULL)
		return (true);
	VM_OBJECT_LOCK(object);
	file = last_backing(object, &offset);
	if (file->type == OBJT_VNODE && size > 0) {
		vm_pindex_t start = atop(offset);
		vm_pindex_t end = atop(round_page(offset + size));

		ok = vm_object_page_clean(file, start, end, flags);
		if (invalidate)
			vm_object_page_remove(file, start, end,
			    OBJPR_CLEANONLY);
	}
	VM_OBJECT_UNLOCK(object);
	return (ok);
}
