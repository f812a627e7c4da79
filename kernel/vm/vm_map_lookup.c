/*
 * What an access to an address finds: the entry, the object, what may be done.
 *
 * The first write to a copy makes a shadow of its object, and the first access
 * to memory that begins as zeros an object: changes, which want the map's lock
 * owned.  All else is looked up with the lock shared.
 *
 * Locks: vm map -> vm_mtx, for a new object.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_map_int.h"
#include "kernel/vm/vm_object.h"

/* A wired entry is ready for whatever it allows. */
static vm_prot_t
access_of(const struct vm_map_entry *entry, vm_prot_t access)
{
	return (entry->wired_count > 0 ? entry->protection : access);
}

static bool
needs_shadow(const struct vm_map_entry *entry, vm_prot_t access)
{
	return ((entry->eflags & MAP_ENTRY_NEEDS_COPY) != 0 &&
	    (access_of(entry, access) & VM_PROT_WRITE) != 0);
}

void
vm_map_entry_shadow(vm_map_entry_t entry)
{
	vm_object_shadow(&entry->object, &entry->offset,
	    entry->end - entry->start);
	entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
}

static int
look(vm_map_t map, vm_offset_t va, vm_prot_t access, vm_map_entry_t *entry)
{
	if (!vm_map_lookup_entry(map, va, entry))
		return (KERN_INVALID_ADDRESS);
	if ((*entry)->protection == VM_PROT_NONE ||
	    ((*entry)->eflags & MAP_ENTRY_GUARD) != 0 ||
	    (access & ~(*entry)->protection) != 0)
		return (KERN_PROTECTION_FAILURE);
	return (KERN_SUCCESS);
}

/* The same, with the entry made ready; the lock is shared if it was found. */
static int
look_and_lock(vm_map_t map, vm_offset_t va, vm_prot_t access,
    vm_map_entry_t *entry)
{
	int error;

	vm_map_lock_read(map);
	error = look(map, va, access, entry);
	if (error == KERN_SUCCESS &&
	    ((*entry)->object == NULL || needs_shadow(*entry, access))) {
		vm_map_unlock_read(map);
		vm_map_lock(map);
		error = look(map, va, access, entry);
		if (error == KERN_SUCCESS && needs_shadow(*entry, access))
			vm_map_entry_shadow(*entry);
		if (error == KERN_SUCCESS)
			vm_map_entry_object(*entry);
		vm_map_lock_downgrade(map);
	}
	if (error != KERN_SUCCESS)
		vm_map_unlock_read(map);
	return (error);
}

int
vm_map_lookup(vm_map_t map, vm_offset_t va, vm_prot_t access,
    struct vm_map_lookup *found)
{
	vm_map_entry_t entry;
	int error = look_and_lock(map, va, access, &entry);

	if (error == KERN_PROTECTION_FAILURE &&
	    vm_map_growstack(map, va) == KERN_SUCCESS)
		error = look_and_lock(map, va, access, &entry);
	if (error != KERN_SUCCESS)
		return (error);
	*found = (struct vm_map_lookup){
		.entry = entry,
		.object = entry->object,
		.pindex = atop(va - entry->start + entry->offset),
		.access = access_of(entry, access),
		.prot = entry->protection,
		.wired = entry->wired_count > 0,
	};
	if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) != 0)
		found->prot &= (vm_prot_t)~VM_PROT_WRITE;
	return (KERN_SUCCESS);
}
