/*
 * What a user says about how it will use pages of an object.
 *
 * Advice: it is followed for pages that are in memory, and neither busy nor wired.
 * A page is advised about where the user sees it, which may be anywhere in the
 * chain of shadows:
 *
 *	object		  a   .   .
 *	  behind it	 (b)  c   .	advised about: a, c, d
 *	    behind that	 (d) (d)  d
 *
 * MADV_FREE loses what was written.  So it is followed only where no other entry
 * shows the page, and where zeros are seen in its place afterwards: with an object
 * behind, bytes from before a fork would come back.  A page that is on swap but not
 * in memory loses its block at once.
 *
 * Lock: vm_mtx, which others get from time to time; what pages there are is looked
 * up again then.  Paging in progress keeps the object and the one that is looked at
 * in the chain.
 */
#include "kernel/sys/mman.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object_int.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pager.h"

/* What was said, of pages start to end of an object. */
struct advice {
	vm_object_t adv_object;
	vm_pindex_t adv_start, adv_end;
	int adv_advice;
	unsigned int adv_looked; /* pages, since others had the lock */
};

/* One more page was looked at; others get the lock if it is their turn. */
static void
looked(struct advice *adv)
{
	if (++adv->adv_looked < VM_OBJECT_BATCH)
		return;
	adv->adv_looked = 0;
	vm_object_yield(adv->adv_object);
}

static bool
may_free(vm_object_t object)
{
	return ((object->flags & OBJ_ANON) != 0 &&
	    object->backing_object == NULL &&
	    (object->ref_count == 1 ||
		((object->flags & OBJ_ONEMAPPING) != 0 &&
		    object->shadow_count == 0)));
}

static bool
applies(vm_object_t object, int advice)
{
	return ((object->flags & OBJ_UNMANAGED) == 0 &&
	    (advice != MADV_FREE || may_free(object)));
}

static void
advise_page(vm_page_t m, int advice)
{
	if (!vm_page_all_valid(m) || vm_page_busied(m) || m->wire_count > 0)
		return;
	if (advice == MADV_WILLNEED) {
		vm_page_activate(m);
		return;
	}
	if (advice == MADV_FREE) {
		vm_page_undirty(m);
		vm_pager_page_unswapped(m);
	}
	(void)pmap_ts_referenced(m);
	vm_page_deactivate_noreuse(m);
}

/* Has an object in front of the page's nothing where the user would see it? */
static bool
is_seen(struct advice *adv, vm_page_t m, vm_pindex_t pindex)
{
	for (vm_object_t object = adv->adv_object; object != vm_page_object(m);
	     object = object->backing_object) {
		if (swap_pager_has_own(object, pindex))
			return (false);
		pindex += atop(object->backing_object_offset);
		adv->adv_looked++;
	}
	return (true);
}

/* The pages of an object of the chain, whose page 0 + offset is the user's 0. */
static void
advise_object(struct advice *adv, vm_object_t object, vm_pindex_t offset)
{
	vm_pindex_t at = adv->adv_start;
	vm_page_t m;

	while (applies(object, adv->adv_advice) &&
	    (m = vm_page_find_least(object, at + offset)) != NULL &&
	    m->pindex < adv->adv_end + offset) {
		at = m->pindex - offset;
		if (is_seen(adv, m, at))
			advise_page(m, adv->adv_advice);
		at++;
		looked(adv);
	}
}

/* Of pages that are not in memory, blocks that nobody is to read. */
static void
free_swapped(struct advice *adv)
{
	vm_object_t object = adv->adv_object;

	for (vm_pindex_t at = adv->adv_start; applies(object, MADV_FREE) &&
	     swap_pager_find_least(object, &at) && at < adv->adv_end;
	     at++) {
		if (vm_page_lookup(object, at) == NULL)
			(void)vm_pager_freespace(object, at, 1);
		looked(adv);
	}
}

/* The next object to look at, with paging in progress; NULL: there is none. */
static vm_object_t
go_behind(const struct advice *adv, vm_object_t object)
{
	vm_object_t behind =
	    adv->adv_advice == MADV_FREE ? NULL : object->backing_object;

	if (behind != NULL)
		vm_object_pip_add(behind, 1);
	if (object != adv->adv_object)
		vm_object_pip_wakeup(object);
	return (behind);
}

void
vm_object_madvise(vm_object_t object, vm_pindex_t start, vm_pindex_t end,
    int advice)
{
	struct advice adv = { object, start, end, advice, 0 };
	vm_pindex_t offset = 0;

	VM_OBJECT_LOCK(object);
	vm_object_pip_add(object, 1);
	if (advice == MADV_FREE)
		free_swapped(&adv);
	for (vm_object_t at = object; at != NULL; at = go_behind(&adv, at)) {
		advise_object(&adv, at, offset);
		offset += atop(at->backing_object_offset);
	}
	vm_object_pip_wakeup(object);
	VM_OBJECT_UNLOCK(object);
}
