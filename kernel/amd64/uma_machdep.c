/*
 * One-page slabs through the direct map.
 *
 * They cost no kernel addresses, no page-table entries and no shootdowns.  The
 * price: page tables cannot tell which pages of the direct map hold data of the
 * kernel, so each is registered for dumps here.  The bit is set before a
 * pointer into the page is handed out, and cleared before the page is free
 * again, so a dump at any moment holds all that is reachable.
 *
 * Lock: none.  A slab belongs to the caller.
 */
#include "kernel/sys/dumpset.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma_machdep.h"
#include "kernel/vm/vm_page.h"

void *
uma_small_alloc(uma_zone_t zone, vm_size_t size, uint8_t *pflag, int wait)
{
	vm_paddr_t pa;
	vm_page_t m;

	(void)zone;
	KASSERT(size == PAGE_SIZE, ("%s: %zu bytes", __func__, size));
	m = vm_page_alloc_noobj(malloc2vm_flags(wait) | VM_ALLOC_WIRED);
	if (m == NULL)
		return (NULL);
	pa = VM_PAGE_TO_PHYS(m);
	if ((wait & M_BULK) != 0)
		dump_add_bulk(pa);
	else if ((wait & M_NODUMP) == 0)
		dump_add_page(pa);
	*pflag = UMA_SLAB_PRIV;
	return ((void *)PHYS_TO_DMAP(pa));
}

void
uma_small_free(void *mem, vm_size_t size, uint8_t pflag)
{
	vm_paddr_t pa = DMAP_TO_PHYS((vm_offset_t)mem);
	vm_page_t m = PHYS_TO_VM_PAGE(pa);

	(void)size;
	(void)pflag;
	dump_drop_page(pa);
	if (vm_page_unwire_noq(m))
		vm_page_free(m);
}
