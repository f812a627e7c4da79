/*
 * Memory that stays: shared memory that is not to be swapped, large buffers.
 *
 * A page is zeros when it is first touched, and then wired until its object
 * ends: it is in no queue, so the page daemon does not even see it.
 *
 * Objects with a handle are found by it, so that all who name it share one.
 *
 * Lock: vm_mtx.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_pager.h"

static struct vm_object_list phys_objects;

static void
phys_pager_init(void)
{
	TAILQ_INIT(&phys_objects);
}

static vm_object_t
phys_pager_alloc(void *handle, vm_ooffset_t size, vm_prot_t prot,
    vm_ooffset_t offset)
{
	(void)prot;
	return (vm_pager_object_share(&phys_objects, OBJT_PHYS, handle,
	    atop(round_page(offset + size))));
}

static void
phys_pager_dealloc(vm_object_t object)
{
	if (object->handle != NULL)
		TAILQ_REMOVE(&phys_objects, object, pager_object_list);
}

static int
phys_pager_getpages(vm_object_t object, vm_page_t *ma, int count, int *rbehind,
    int *rahead)
{
	*rbehind = *rahead = 0;
	VM_OBJECT_LOCK(object);
	for (int i = 0; i < count; i++) {
		vm_page_zero_invalid(ma[i], true);
		vm_page_wire(ma[i]);
	}
	VM_OBJECT_UNLOCK(object);
	return (VM_PAGER_OK);
}

static void
phys_pager_putpages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals)
{
	(void)flags;
	(void)rtvals;
	panic("%s: %d pages from %#x of object %p, which stay in memory",
	    __func__, count, ma[0]->pindex, (void *)object);
}

static bool
phys_pager_haspage(vm_object_t object, vm_pindex_t pindex, int *before,
    int *after)
{
	*before = *after = 0;
	return (pindex < object->size);
}

const struct pagerops physpagerops = {
	.pgo_init = phys_pager_init,
	.pgo_alloc = phys_pager_alloc,
	.pgo_dealloc = phys_pager_dealloc,
	.pgo_getpages = phys_pager_getpages,
	.pgo_putpages = phys_pager_putpages,
	.pgo_haspage = phys_pager_haspage,
};
