/*
 * What malloc(9) has of UMA beyond its zones: pages of their own, with a slab's
 * header to tell how many, and the way from an address to its allocation.
 *
 * Lock: none.  An allocation belongs to the caller.
 */
#include "kernel/vm/uma_malloc.h"

#include "kernel/vm/uma_int.h"
#include "kernel/vm/vm_kern.h"

void *
uma_large_malloc(vm_size_t size, const struct malloc_type *type, int wait)
{
	struct uma_slab *slab = zone_alloc_item(slabzone, NULL,
	    wait & (M_NOWAIT | M_WAITOK | M_USE_RESERVE));
	void *mem;

	if (slab == NULL)
		return (NULL);
	mem = kmem_malloc(size, wait);
	if (mem == NULL) {
		zone_free_item(slabzone, slab, NULL, ZFREE_DTOR);
		return (NULL);
	}
	slab->us_keg = NULL;
	slab->us_data = mem;
	slab->us_size = round_page(size);
	slab->us_flags = UMA_SLAB_MALLOC;
	*slab_owner(slab, 0, 0) = (struct malloc_owner){ type, slab->us_size };
	vsetslab(mem, slab->us_size, slab);
	return (mem);
}

static void
large_free(struct uma_slab *slab)
{
	uint8_t *mem = slab->us_data;
	vm_size_t size = slab->us_size;

	vsetslab(mem, size, NULL);
	zone_free_item(slabzone, slab, NULL, ZFREE_DTOR);
	kmem_free(mem, size);
}

/* The slab of an allocation; NULL: there is none at addr. */
static struct uma_slab *
malloc_slab(const void *addr)
{
	struct uma_slab *slab = vtoslab(addr);

	if (slab == NULL || (slab->us_keg == NULL && slab->us_data != addr))
		return (NULL);
	return (slab);
}

static size_t
slab_item_size(const struct uma_slab *slab)
{
	return (slab->us_keg == NULL ? slab->us_size : slab->us_keg->uk_size);
}

size_t
uma_malloc_size(const void *addr)
{
	const struct uma_slab *slab = vtoslab(addr);

	return (slab == NULL ? 0 : slab_item_size(slab));
}

bool
uma_malloc_usable(const void *addr, size_t *size)
{
	struct uma_slab *slab = malloc_slab(addr);
	const struct malloc_owner *owner;

	if (slab == NULL)
		return (false);
	owner = slab_find_owner(slab, addr);
	*size = owner != NULL ? owner->mo_size : slab_item_size(slab);
	return (true);
}

size_t
uma_malloc_free(void *addr, struct malloc_type *type)
{
	struct uma_slab *slab = malloc_slab(addr);
	struct malloc_owner *owner;
	size_t size;

	if (slab == NULL)
		return (0);
	owner = slab_find_owner(slab, addr);
	size = slab_item_size(slab);
	if (owner != NULL)
		owner_leave(owner, addr, size, type);
	if (slab->us_keg == NULL)
		large_free(slab);
	else
		uma_zfree_arg(slab->us_keg->uk_zones, addr, type);
	return (size);
}
