/*
 * Memory of devices: registers, frame buffers.
 *
 * It has no pages.  A fault asks the driver where the memory is, and maps that
 * uncached.  So an object has no page that could be read, written, wired, queued
 * or dumped.  All who map a device show one object.
 *
 * The driver is asked about each page when a mapping is made, so that what the
 * device lacks is refused then.  If it has less memory later, faults fail; what is
 * mapped already stays until it is unmapped.
 *
 * Lock: vm_mtx, which is not held while the driver is asked.
 */
#include "kernel/sys/conf.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_pager.h"

static struct vm_object_list device_objects;

static void
device_pager_init(void)
{
	TAILQ_INIT(&device_objects);
}

/* false: the device has no such page, or not for that. */
static bool
ask(struct cdev *dev, vm_ooffset_t off, vm_prot_t prot, vm_paddr_t *pa)
{
	return (dev->si_devsw->d_mmap(dev, off, pa, prot) == 0 &&
	    (*pa & PAGE_MASK) == 0 && PHYS_TO_VM_PAGE(*pa) == NULL);
}

static vm_object_t
device_pager_alloc(void *handle, vm_ooffset_t size, vm_prot_t prot,
    vm_ooffset_t offset)
{
	struct cdev *dev = handle;
	vm_paddr_t pa;

	if (dev == NULL || dev->si_devsw->d_mmap == NULL || size == 0 ||
	    size > VM_OBJECT_MAX || offset > VM_OBJECT_MAX - size)
		return (NULL);
	for (vm_ooffset_t off = trunc_page(offset); off < offset + size;
	     off += PAGE_SIZE) {
		if (!ask(dev, off, prot, &pa))
			return (NULL);
	}
	return (vm_pager_object_share(&device_objects, OBJT_DEVICE, dev,
	    atop(round_page(offset + size))));
}

static void
device_pager_dealloc(vm_object_t object)
{
	if (object->handle != NULL)
		TAILQ_REMOVE(&device_objects, object, pager_object_list);
}

static int
device_pager_paddr(vm_object_t object, vm_pindex_t pindex, vm_prot_t prot,
    vm_paddr_t *pa)
{
	return (ask(object->handle, ptoa(pindex), prot, pa) ? VM_PAGER_OK :
							      VM_PAGER_BAD);
}

const struct pagerops devicepagerops = {
	.pgo_init = device_pager_init,
	.pgo_alloc = device_pager_alloc,
	.pgo_dealloc = device_pager_dealloc,
	.pgo_paddr = device_pager_paddr,
};
