/*
 * Who owns a page: what its vm_page says, and how it is registered for dumps.
 *
 * This runs in a dying kernel, without a lock.  The page array may not be mapped,
 * and is read with safe_copy().  The object that a page names is read only if it
 * lies in memory, through the direct map: reading a device may change it.
 */
#include "kernel/kern/kern_owner.h"

#include "kernel/kern/kern_dumppages.h"
#include "kernel/machine/pmap.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/image.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"

/* By enum obj_type. */
static const uint8_t owner_by_type[OBJT_NTYPES] = {
	[OBJT_SWAP] = OWNER_USER,
	[OBJT_PHYS] = OWNER_OBJECT,
	[OBJT_VNODE] = OWNER_FILE,
	[OBJT_DEVICE] = OWNER_OBJECT,
	[OBJT_DEAD] = OWNER_OBJECT,
};

static bool
in_image(vm_paddr_t pa)
{
	return (pa >= (vm_offset_t)_text - KERNBASE &&
	    pa < (vm_offset_t)_end - KERNBASE);
}

static enum page_owner
owner_by_object(const struct vm_object *object)
{
	vm_offset_t va = (vm_offset_t)&object->type;
	uint8_t type;

	if (va < dmapbase || va >= DMAP_MAX_ADDRESS ||
	    PHYS_TO_VM_PAGE(DMAP_TO_PHYS(va)) == NULL ||
	    !safe_copy(&type, (const void *)va, sizeof(type)) ||
	    type >= OBJT_NTYPES)
		return (OWNER_UNKNOWN);
	return ((enum page_owner)owner_by_type[type]);
}

/* Of pages that the allocator of pages has given away, without an object. */
static enum page_owner
owner_by_flags(uint16_t flags, bool is_bulk)
{
	if ((flags & VPG_TABLE) != 0)
		return (is_bulk ? OWNER_USER_TABLE : OWNER_TABLE);
	if ((flags & VPG_STACK) != 0)
		return (OWNER_STACK);
	/* Which pool they go back to tells who took them. */
	if ((flags & VPG_DIRECT) == 0)
		return (is_bulk ? OWNER_PV : OWNER_USER);
	return (is_bulk ? OWNER_VM : OWNER_HEAP);
}

static enum page_owner
owner_of(vm_paddr_t pa, const struct vm_page *m)
{
	bool is_bulk = dump_pages_has(&kernel_dump_pages, pa, DUMP_CLASS_BULK);

	if (in_image(pa))
		return (OWNER_IMAGE);
	if (pmap_is_boot_table(pa))
		return (OWNER_TABLE);
	if ((m->flags & VPG_FREE) != 0)
		return (OWNER_FREE);
	if ((m->flags & VPG_NODUMP) != 0)
		return (OWNER_NEVER);
	if ((m->flags & VPG_BOOT) != 0)
		return (is_bulk ? OWNER_ARRAY : OWNER_BOOT);
	if ((m->flags & VPG_OBJECT) != 0)
		return (owner_by_object(m->object));
	return (owner_by_flags(m->flags, is_bulk));
}

void
page_owners(void *arg, uint64_t pa, unsigned int n, uint8_t *owner)
{
	struct vm_page pages[DUMP_OWNERS_MAX] = { 0 };

	(void)arg;
	if (PHYS_TO_VM_PAGE(pa) == NULL ||
	    !safe_copy(pages, PHYS_TO_VM_PAGE(pa), n * sizeof(pages[0])))
		return;
	for (unsigned int i = 0; i < n; i++)
		owner[i] = (uint8_t)owner_of(pa + ptoa(i), &pages[i]);
}

enum page_owner
page_owner(vm_paddr_t pa)
{
	uint8_t owner = OWNER_UNKNOWN;

	page_owners(NULL, pa, 1, &owner);
	return ((enum page_owner)owner);
}
