/*
 * Objects: how they come, are shared and go.
 *
 * A reference is held by each map entry and each shadow, and by a file on its own
 * object.  Without references an object is dead: no one can reach it any more
 * but the page daemon, through its pages, until these are gone.
 *
 * A chain of shadows may be of any length, so nothing here calls itself along one,
 * and what an end of an object does to the next is done by a loop.  Lots of pages
 * are freed with the lock let go of from time to time.
 *
 * Keeps true: shadow_count is the length of shadow_head, and not more than
 * ref_count; resident_page_count is the number of pages in the tree.
 *
 * Lock: vm_mtx.
 */
#include "kernel/vm/vm_object_int.h"

#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_pager.h"

struct vm_object_list vm_object_list = TAILQ_HEAD_INITIALIZER(vm_object_list);

static uma_zone_t vm_object_zone;

void
vm_object_init(void)
{
	TAILQ_INIT(&vm_object_list);
	vm_object_zone = uma_zcreate("VM OBJECT", sizeof(struct vm_object),
	    NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	vm_radix_zinit();
}

static uint16_t
flags_of_type(enum obj_type type)
{
	switch (type) {
	case OBJT_SWAP:
		return (OBJ_ANON | OBJ_ONEMAPPING);
	case OBJT_PHYS:
		return (OBJ_UNMANAGED);
	default:
		return (0);
	}
}

vm_object_t
vm_object_allocate(enum obj_type type, vm_pindex_t size)
{
	vm_object_t object = uma_zalloc(vm_object_zone, M_WAITOK | M_ZERO);

	object->type = (uint8_t)type;
	object->flags = flags_of_type(type);
	object->size = size;
	object->ref_count = 1;
	VM_OBJECT_LOCK(object);
	TAILQ_INSERT_TAIL(&vm_object_list, object, object_list);
	VM_OBJECT_UNLOCK(object);
	return (object);
}

void
vm_object_reference_locked(vm_object_t object)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT(object->ref_count > 0 && object->ref_count < UINT32_MAX,
	    ("%s: object %p has %u", __func__, (void *)object,
		object->ref_count));
	object->ref_count++;
}

void
vm_object_reference_part(vm_object_t object)
{
	if (object == NULL)
		return;
	VM_OBJECT_LOCK(object);
	vm_object_reference_locked(object);
	VM_OBJECT_UNLOCK(object);
}

void
vm_object_reference(vm_object_t object)
{
	if (object == NULL)
		return;
	VM_OBJECT_LOCK(object);
	vm_object_reference_locked(object);
	object->flags &= (uint16_t)~OBJ_ONEMAPPING;
	VM_OBJECT_UNLOCK(object);
}

/* ---- What is behind an object ---- */

void
vm_object_backing_set(vm_object_t object, vm_object_t backing,
    vm_ooffset_t offset)
{
	object->backing_object = backing;
	object->backing_object_offset = offset;
	LIST_INSERT_HEAD(&backing->shadow_head, object, shadow_list);
	backing->shadow_count++;
}

vm_object_t
vm_object_backing_clear(vm_object_t object)
{
	vm_object_t backing = object->backing_object;

	if (backing == NULL)
		return (NULL);
	LIST_REMOVE(object, shadow_list);
	backing->shadow_count--;
	object->backing_object = NULL;
	object->backing_object_offset = 0;
	return (backing);
}

/* ---- Paging in progress ---- */

void
vm_object_pip_add(vm_object_t object, uint32_t n)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	object->paging_in_progress += n;
}

void
vm_object_pip_wakeupn(vm_object_t object, uint32_t n)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	KASSERT(object->paging_in_progress >= n,
	    ("%s: object %p has %u, not %u", __func__, (void *)object,
		object->paging_in_progress, n));
	object->paging_in_progress -= n;
	if (object->paging_in_progress > 0 || (object->flags & OBJ_PIPWNT) == 0)
		return;
	object->flags &= (uint16_t)~OBJ_PIPWNT;
	wakeup(&object->paging_in_progress);
}

/* Once.  Without a reference the object may be gone then. */
static void
pip_sleep(vm_object_t object, const char *wmesg)
{
	object->flags |= OBJ_PIPWNT;
	(void)msleep(&object->paging_in_progress, &vm_mtx, PVM, wmesg, 0);
}

void
vm_object_pip_wait(vm_object_t object, const char *wmesg)
{
	VM_OBJECT_ASSERT_LOCKED(object);
	while (object->paging_in_progress > 0)
		pip_sleep(object, wmesg);
}

/* ---- The end ---- */

/*
 * Free a page of a dead object; one that is wired is its user's to free, apart
 * from the wiring by which an unmanaged object keeps all of its pages.
 */
static void
terminate_page(vm_page_t m)
{
	if (vm_page_sleep_if_busy(m, "vmoter"))
		return;
	pmap_remove_all(m);
	if ((vm_page_object(m)->flags & OBJ_UNMANAGED) != 0 &&
	    m->wire_count > 0)
		(void)vm_page_unwire_noq(m);
	if (m->wire_count > 0)
		vm_page_remove(m);
	else
		vm_page_free(m);
}

static void
terminate_pages(vm_object_t object)
{
	vm_page_t m;

	for (unsigned int n = 1; (m = vm_page_find_least(object, 0)) != NULL;
	     n++) {
		terminate_page(m);
		if (n % VM_OBJECT_BATCH == 0)
			vm_object_yield(object);
	}
}

/*
 * Free what a dead object has, in memory and elsewhere.  A swapoff may find it by
 * its blocks at any moment that the lock is let go of, and bring a page back, so all
 * is looked at again until nothing is left and nobody pages.
 */
static void
terminate_contents(vm_object_t object)
{
	terminate_pages(object);
	while (object->paging_in_progress > 0 ||
	    object->resident_page_count > 0 ||
	    !vm_pager_freespace(object, 0, object->size)) {
		vm_object_yield(object);
		vm_object_pip_wait(object, "objtrm");
		terminate_pages(object);
	}
}

void
vm_object_destroy(vm_object_t object)
{
	KASSERT(object->ref_count == 0 && object->resident_page_count == 0,
	    ("%s: object %p: %u references, %ju pages", __func__,
		(void *)object, object->ref_count,
		(uintmax_t)object->resident_page_count));
	vm_pager_deallocate(object);
	TAILQ_REMOVE(&vm_object_list, object, object_list);
	uma_zfree(vm_object_zone, object);
}

/* End an object without references; what it gives up a reference to. */
static vm_object_t
terminate(vm_object_t object)
{
	vm_object_t backing;

	KASSERT(object->shadow_count == 0,
	    ("%s: object %p has %u shadows", __func__, (void *)object,
		object->shadow_count));
	object->flags |= OBJ_DEAD;
	vm_object_pip_wait(object, "objtrm");
	if (object->type == OBJT_VNODE)
		(void)vm_object_page_clean(object, 0, 0, OBJPC_SYNC);
	backing = vm_object_backing_clear(object);
	terminate_contents(object);
	vm_object_destroy(object);
	return (backing);
}

/*
 * Neither is paged then: a write to swap may take a while.  Meanwhile another thread
 * may make the object, of which we have no reference, a part of the shadow.
 */
static void
wait_for_paging(vm_object_t shadow, vm_object_t object)
{
	while (shadow->backing_object == object &&
	    shadow->paging_in_progress + object->paging_in_progress > 0)
		pip_sleep(shadow->paging_in_progress > 0 ? shadow : object,
		    "objcol");
}

/*
 * When its only other user is a shadow, an object may become a part of that.  The
 * reference keeps the shadow here meanwhile, and is the caller's to give up.
 */
static vm_object_t
collapse_only_shadow(vm_object_t object)
{
	vm_object_t shadow = LIST_FIRST(&object->shadow_head);

	if (object->ref_count != 1 || object->shadow_count != 1 ||
	    (shadow->flags & OBJ_DEAD) != 0)
		return (NULL);
	vm_object_reference_locked(shadow);
	wait_for_paging(shadow, object);
	while (vm_object_collapse(shadow)) {
		VM_OBJECT_UNLOCK(shadow);
		VM_OBJECT_LOCK(shadow);
	}
	return (shadow);
}

/* One reference less; the object that has to lose one next, or NULL. */
static vm_object_t
drop_reference(vm_object_t object)
{
	KASSERT(object->ref_count > 0,
	    ("%s: object %p has none", __func__, (void *)object));
	if (--object->ref_count > 0)
		return (collapse_only_shadow(object));
	return (terminate(object));
}

void
vm_object_deallocate(vm_object_t object)
{
	if (object == NULL)
		return;
	VM_OBJECT_LOCK(object);
	while (object != NULL)
		object = drop_reference(object);
	VM_OBJECT_UNLOCK(object);
}

/* ---- Shadows ---- */

static bool
is_private(vm_object_t object)
{
	bool is;

	VM_OBJECT_LOCK(object);
	is = object->ref_count == 1 && (object->flags & OBJ_ANON) != 0;
	VM_OBJECT_UNLOCK(object);
	return (is);
}

void
vm_object_shadow(vm_object_t *object, vm_ooffset_t *offset, vm_size_t length)
{
	vm_object_t source = *object;
	vm_object_t result;

	if (source != NULL && is_private(source))
		return;
	result = vm_object_allocate(OBJT_SWAP, atop(length));
	if (source != NULL) {
		VM_OBJECT_LOCK(result);
		vm_object_backing_set(result, source, *offset);
		VM_OBJECT_UNLOCK(result);
	}
	*object = result;
	*offset = 0;
}

/* ---- Sizes ---- */

/*
 * Behind a shadow there may be something other than zeros, and of an object with
 * several users any may have pages there, unless it ends where the new part
 * begins.
 */
static bool
can_extend(vm_object_t object, vm_pindex_t end)
{
	return ((object->flags & OBJ_ANON) != 0 &&
	    object->backing_object == NULL &&
	    (object->ref_count == 1 || object->size == end));
}

bool
vm_object_coalesce(vm_object_t object, vm_ooffset_t prev_offset,
    vm_size_t prev_size, vm_size_t next_size)
{
	vm_pindex_t start = atop(prev_offset + prev_size);
	vm_pindex_t end = start + atop(next_size);
	bool can;

	if (object == NULL)
		return (true);
	if (end > atop(VM_OBJECT_MAX))
		return (false);
	VM_OBJECT_LOCK(object);
	(void)vm_object_collapse(object);
	can = can_extend(object, start);
	if (can && start < object->size)
		vm_object_page_remove(object, start, end, 0);
	if (can && end > object->size)
		object->size = end;
	VM_OBJECT_UNLOCK(object);
	return (can);
}
