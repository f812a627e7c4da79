/*
 * Pages of objects: how one gets into an object, and out of it.
 *
 * Keeps true: a page of an object is VPG_OBJECT, has the object as its owner and
 * an index that no other page of it has; it is in the object's tree, and counted
 * in resident_page_count.
 *
 * Nothing here sleeps for memory but vm_page_grab() when it is asked to: a node
 * of the tree that cannot be had now means that the page is not inserted.
 *
 * Lock: the object's, for all of it; vm_page_queue_free_mtx and UMA's inside.
 */
#include "kernel/sys/errno.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pager.h"

int
vm_page_insert(vm_page_t m, vm_object_t object, vm_pindex_t pindex)
{
	int error;

	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT(m->object == NULL && pindex <= VM_PINDEX_MAX,
	    ("%s: page %p, owner %p, as page %#jx of %p", __func__, (void *)m,
		m->object, (uintmax_t)pindex, (void *)object));
	m->pindex = (uint32_t)pindex;
	error = vm_radix_insert(&object->rtree, m);
	if (error != 0)
		return (error);
	m->object = object;
	vm_page_aflag_set(m, VPG_OBJECT);
	object->resident_page_count++;
	return (0);
}

void
vm_page_remove(vm_page_t m)
{
	vm_object_t object = vm_page_object(m);
	vm_page_t removed;

	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT(object != NULL,
	    ("%s: page %p: owner %p", __func__, (void *)m, m->object));
	removed = vm_radix_remove(&object->rtree, m->pindex);
	KASSERT(removed == m,
	    ("%s: object %p has page %p as %#x, not %p", __func__,
		(void *)object, (void *)removed, m->pindex, (void *)m));
	m->object = NULL;
	vm_page_aflag_clear(m, VPG_OBJECT);
	object->resident_page_count--;
}

vm_page_t
vm_page_lookup(vm_object_t object, vm_pindex_t pindex)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	return (vm_radix_lookup(&object->rtree, pindex));
}

vm_page_t
vm_page_find_least(vm_object_t object, vm_pindex_t pindex)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	return (vm_radix_lookup_ge(&object->rtree, pindex));
}

/*
 * In the new tree first, which may fail.  Then it has two entries with one
 * number, so the tree that it leaves is shown the old one for a moment.
 */
int
vm_page_rename(vm_page_t m, vm_object_t object, vm_pindex_t pindex)
{
	uint32_t old = m->pindex;
	int error;

	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT(vm_page_xbusied(m) && pindex <= VM_PINDEX_MAX,
	    ("%s: page %p, busy %u, as page %#jx of %p", __func__, (void *)m,
		m->busy, (uintmax_t)pindex, (void *)object));
	m->pindex = (uint32_t)pindex;
	error = vm_radix_insert(&object->rtree, m);
	m->pindex = old;
	if (error != 0)
		return (error);
	vm_pager_page_unswapped(m);
	vm_page_remove(m);
	m->pindex = (uint32_t)pindex;
	m->object = object;
	vm_page_aflag_set(m, VPG_OBJECT);
	object->resident_page_count++;
	vm_page_dirty(m);
	return (0);
}

/* A page in the queue that another is in, as much used. */
static void
queue_like(vm_page_t m, const struct vm_page *other)
{
	switch (vm_page_queue(other)) {
	case PQ_ACTIVE:
		vm_page_activate(m);
		break;
	case PQ_INACTIVE:
		vm_page_deactivate(m);
		break;
	case PQ_LAUNDRY:
		vm_page_launder(m);
		break;
	default:
		break;
	}
	m->act_count = other->act_count;
}

void
vm_page_replace(vm_page_t m, vm_page_t old)
{
	vm_object_t object = vm_page_object(old);
	vm_page_t replaced;

	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT(object != NULL && m->object == NULL && !vm_page_busied(old),
	    ("%s: page %p, owner %p, for %p, owner %p, busy %u", __func__,
		(void *)m, m->object, (void *)old, old->object, old->busy));
	m->pindex = old->pindex;
	replaced = vm_radix_replace(&object->rtree, m);
	KASSERT(replaced == old,
	    ("%s: object %p has page %p as %#x, not %p", __func__,
		(void *)object, (void *)replaced, m->pindex, (void *)old));
	(void)replaced;
	m->object = object;
	vm_page_aflag_set(m,
	    VPG_OBJECT | (vm_page_aflags(old) & VPG_REFERENCED));
	old->object = NULL;
	vm_page_aflag_clear(old, VPG_OBJECT);
	m->valid = old->valid;
	m->dirty = old->dirty;
	queue_like(m, old);
}

vm_page_t
vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int req)
{
	vm_page_t m;

	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT((req & VM_ALLOC_WAITOK) == 0, ("%s: may not sleep", __func__));
	m = vm_page_alloc_noobj(req | VM_ALLOC_USER);
	if (m == NULL)
		return (NULL);
	if (vm_page_insert(m, object, pindex) != 0) {
		if ((req & VM_ALLOC_WIRED) != 0)
			(void)vm_page_unwire_noq(m);
		vm_page_free(m);
		return (NULL);
	}
	(void)vm_page_tryxbusy(m);
	return (m);
}

/* The page if it is there, and not busy any more; NULL: it is not there. */
static vm_page_t
grab_present(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	while ((m = vm_page_lookup(object, pindex)) != NULL) {
		if (vm_page_tryxbusy(m))
			return (m);
		(void)vm_page_sleep_if_busy(m, "pgrbwt");
	}
	return (NULL);
}

vm_page_t
vm_page_grab(vm_object_t object, vm_pindex_t pindex, int req)
{
	vm_page_t m;

	for (;;) {
		m = grab_present(object, pindex);
		if (m != NULL && (req & VM_ALLOC_WIRED) != 0)
			vm_page_wire(m);
		if (m != NULL || (req & VM_ALLOC_NOCREAT) != 0)
			return (m);
		m = vm_page_alloc(object, pindex, req & ~VM_ALLOC_WAITOK);
		if (m != NULL || (req & VM_ALLOC_WAITOK) == 0)
			return (m);
		VM_OBJECT_UNLOCK(object);
		vm_wait(req);
		VM_OBJECT_LOCK(object);
	}
}
