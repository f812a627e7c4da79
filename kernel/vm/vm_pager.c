/*
 * Pagers: one table, by the type of the object.
 *
 * Keeps true: a call for a type that has no pager fails as a pager would; a page
 * that was read is valid in full.
 *
 * Lock: vm_mtx.  Callers hold it where vm_pager.h says so, and do not hold it
 * when pages are read or written.
 */
#include "kernel/vm/vm_pager.h"

#include "kernel/sys/fail.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

static const struct pagerops *const pagertab[OBJT_NTYPES] = {
	[OBJT_SWAP] = &swappagerops,
	[OBJT_PHYS] = &physpagerops,
	[OBJT_VNODE] = &vnodepagerops,
	[OBJT_DEVICE] = &devicepagerops,
};

static const struct pagerops *
pager_of(vm_object_t object)
{
	return (object->type < OBJT_NTYPES ? pagertab[object->type] : NULL);
}

void
vm_pager_init(void)
{
	for (size_t type = 0; type < nitems(pagertab); type++) {
		if (pagertab[type] != NULL && pagertab[type]->pgo_init != NULL)
			pagertab[type]->pgo_init();
	}
}

vm_object_t
vm_pager_allocate(enum obj_type type, void *handle, vm_ooffset_t size,
    vm_prot_t prot, vm_ooffset_t offset)
{
	if (type >= OBJT_NTYPES || pagertab[type] == NULL)
		return (NULL);
	return (pagertab[type]->pgo_alloc(handle, size, prot, offset));
}

/* The object of that handle with one more reference, or NULL.  Locked. */
static vm_object_t
find(const struct vm_object_list *list, const void *handle)
{
	vm_object_t object;

	TAILQ_FOREACH(object, list, pager_object_list) {
		if (object->handle == handle &&
		    (object->flags & OBJ_DEAD) == 0) {
			vm_object_reference_locked(object);
			return (object);
		}
	}
	return (NULL);
}

/*
 * The new object is made first, because the lock cannot be held over that.  It is
 * given up if there is an object of that handle already.
 */
vm_object_t
vm_pager_object_share(struct vm_object_list *list, enum obj_type type,
    void *handle, vm_pindex_t npages)
{
	vm_object_t object, new = vm_object_allocate(type, npages);

	mtx_lock(&vm_mtx);
	object = handle == NULL ? NULL : find(list, handle);
	if (object == NULL) {
		object = new;
		new = NULL;
		object->handle = handle;
		if (handle != NULL)
			TAILQ_INSERT_TAIL(list, object, pager_object_list);
	} else if (npages > object->size) {
		object->size = npages;
	}
	mtx_unlock(&vm_mtx);
	vm_object_deallocate(new);
	return (object);
}

void
vm_pager_deallocate(vm_object_t object)
{
	const struct pagerops *ops = pager_of(object);

	VM_OBJECT_ASSERT_LOCKED(object);
	if (ops != NULL && ops->pgo_dealloc != NULL)
		ops->pgo_dealloc(object);
	object->type = OBJT_DEAD;
}

static void
assert_pages(vm_page_t *ma, int count)
{
	KASSERT(count > 0 && count <= VM_PAGER_MAXPAGES,
	    ("%s: %d pages", __func__, count));
	for (int i = 0; i < count; i++)
		KASSERT(vm_page_busied(ma[i]) &&
			ma[i]->pindex == ma[0]->pindex + (uint32_t)i,
		    ("%s: page %p, %d of %d: index %#x, busy %u", __func__,
			(void *)ma[i], i, count, ma[i]->pindex, ma[i]->busy));
}

int
vm_pager_get_pages(vm_object_t object, vm_page_t *ma, int count, int *rbehind,
    int *rahead)
{
	const struct pagerops *ops = pager_of(object);
	int none = 0, nor = 0;

	VM_OBJECT_ASSERT_UNLOCKED(object);
	assert_pages(ma, count);
	if (ops == NULL || ops->pgo_getpages == NULL)
		return (VM_PAGER_BAD);
	FAIL_POINT(FAIL_PAGE_IN,
	    (const void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(ma[0])));
	return (ops->pgo_getpages(object, ma, count,
	    rbehind != NULL ? rbehind : &none, rahead != NULL ? rahead : &nor));
}

void
vm_pager_put_pages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals)
{
	const struct pagerops *ops = pager_of(object);

	VM_OBJECT_ASSERT_UNLOCKED(object);
	assert_pages(ma, count);
	FAIL_POINT(FAIL_PAGE_OUT,
	    (const void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(ma[0])));
	for (int i = 0; i < count; i++)
		rtvals[i] = VM_PAGER_BAD;
	if (ops != NULL && ops->pgo_putpages != NULL)
		ops->pgo_putpages(object, ma, count, flags, rtvals);
}

bool
vm_pager_has_room(vm_object_t object)
{
	const struct pagerops *ops = pager_of(object);

	VM_OBJECT_ASSERT_LOCKED(object);
	return (ops == NULL || ops->pgo_hasroom == NULL || ops->pgo_hasroom());
}

bool
vm_pager_has_page(vm_object_t object, vm_pindex_t pindex, int *before,
    int *after)
{
	const struct pagerops *ops = pager_of(object);
	int none, nor;

	VM_OBJECT_ASSERT_LOCKED(object);
	if (before == NULL)
		before = &none;
	if (after == NULL)
		after = &nor;
	*before = *after = 0;
	return (ops != NULL && ops->pgo_haspage != NULL &&
	    ops->pgo_haspage(object, pindex, before, after));
}

int
vm_pager_paddr(vm_object_t object, vm_pindex_t pindex, vm_prot_t prot,
    vm_paddr_t *pa)
{
	const struct pagerops *ops = pager_of(object);

	VM_OBJECT_ASSERT_UNLOCKED(object);
	return (ops != NULL && ops->pgo_paddr != NULL ?
		ops->pgo_paddr(object, pindex, prot, pa) :
		VM_PAGER_BAD);
}

void
vm_pager_page_unswapped(vm_page_t m)
{
	vm_object_t object = vm_page_object(m);
	const struct pagerops *ops = pager_of(object);

	VM_OBJECT_ASSERT_LOCKED(object);
	if (ops != NULL && ops->pgo_freespace != NULL)
		(void)ops->pgo_freespace(object, m->pindex, 1);
}

bool
vm_pager_freespace(vm_object_t object, vm_pindex_t start, vm_pindex_t count)
{
	const struct pagerops *ops = pager_of(object);

	VM_OBJECT_ASSERT_LOCKED(object);
	return (ops == NULL || ops->pgo_freespace == NULL ||
	    ops->pgo_freespace(object, start, count));
}

/* ---- Pages that a pager reads together ---- */

void
vm_pager_run_init(struct pager_run *run, vm_page_t *ma, int count)
{
	*run = (struct pager_run){ .pgr_count = count };
	for (int i = 0; i < count; i++)
		run->pgr_pages[i] = ma[i];
}

/* NULL: it is in memory, or there is no memory for it. */
static vm_page_t
neighbour(vm_object_t object, vm_pindex_t pindex)
{
	if (vm_page_lookup(object, pindex) != NULL)
		return (NULL);
	return (vm_page_alloc(object, pindex, VM_ALLOC_NORMAL));
}

static void
put_first(struct pager_run *run, vm_page_t m)
{
	for (int i = run->pgr_count++; i > 0; i--)
		run->pgr_pages[i] = run->pgr_pages[i - 1];
	run->pgr_pages[0] = m;
	run->pgr_behind++;
}

void
vm_pager_run_extend(vm_object_t object, struct pager_run *run, int behind,
    int ahead)
{
	vm_pindex_t first = run->pgr_pages[0]->pindex;
	vm_pindex_t last = run->pgr_pages[run->pgr_count - 1]->pindex;
	vm_page_t m;

	while (ahead-- > 0 && run->pgr_count < VM_PAGER_MAXPAGES &&
	    (m = neighbour(object, ++last)) != NULL)
		run->pgr_pages[run->pgr_count++] = m;
	while (behind-- > 0 && run->pgr_count < VM_PAGER_MAXPAGES &&
	    (m = neighbour(object, --first)) != NULL)
		put_first(run, m);
}

/* A neighbour was read, or not. */
static void
finish_neighbour(vm_page_t m, int error)
{
	if (error != 0) {
		vm_page_free(m);
		return;
	}
	vm_page_valid(m);
	vm_page_deactivate(m);
	vm_page_xunbusy(m);
}

void
vm_pager_run_finish(struct pager_run *run, int count, int error)
{
	for (int i = 0; i < run->pgr_count; i++) {
		vm_page_t m = run->pgr_pages[i];

		if (i < run->pgr_behind || i >= run->pgr_behind + count)
			finish_neighbour(m, error);
		else if (error == 0)
			vm_page_valid(m);
	}
}
