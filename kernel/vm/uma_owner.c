/*
 * Owners of malloc(9)'s allocations: of which type each is, and how much was asked for.
 *
 *	addr		     addr + mo_size	   addr + room
 *	| what was asked for | slack: all SLACK    |
 *
 * Slabs have them at the end of their headers: those of items with uma_debug, those of
 * large mallocs always, which have the room for it.  Only with uma_debug mo_size is
 * less than there is, so only then is there slack to look at.
 *
 * Lock: none.  An allocation and its owner's record belong to the caller.
 */
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma_int.h"
#include "kernel/vm/uma_malloc.h"

#define SLACK 0xa5

struct malloc_owner *
slab_find_owner(struct uma_slab *slab, const void *addr)
{
	const struct uma_keg *keg = slab->us_keg;
	uint32_t idx;

	if (keg == NULL)
		return (slab_owner(slab, 0, 0));
	if ((keg->uk_flags & UMA_ZFLAG_OWNERS) == 0)
		return (NULL);
	idx = slab_item_index(slab, addr);
	if (idx >= keg->uk_ipers || slab_item(slab, idx) != addr)
		return (NULL);
	return (slab_owner(slab, keg->uk_ipers, idx));
}

static void
check_slack(const struct malloc_owner *owner, const uint8_t *addr, size_t room)
{
	for (size_t i = owner->mo_size; i < room; i++) {
		if (addr[i] != SLACK)
			panic("free: %p, %zu bytes of type %s, was overrun: "
			      "%#x at %p",
			    (const void *)addr, owner->mo_size,
			    owner->mo_type->ks_shortdesc, addr[i],
			    (const void *)&addr[i]);
	}
}

void
owner_leave(struct malloc_owner *owner, const void *addr, size_t room,
    const struct malloc_type *type)
{
	if (owner->mo_type == NULL)
		return;
	check_slack(owner, addr, room);
	if (owner->mo_type != type)
		malloc_wrong_type(addr, owner->mo_type, type);
	owner->mo_type = NULL;
}

void
uma_malloc_own(void *addr, size_t size, const struct malloc_type *type)
{
	struct malloc_owner *owner = slab_find_owner(vtoslab(addr), addr);
	size_t room = uma_malloc_size(addr);

	if (owner == NULL)
		return;
	owner_leave(owner, addr, room, type);
	owner->mo_type = type;
	owner->mo_size = size;
	memset((uint8_t *)addr + size, SLACK, room - size);
}
