/*
 * What a user says about how it will use a range of addresses, and when it wants
 * what it wrote to be in the file.
 *
 * Some of it is kept in the entries, for faults and for those who write pages
 * back.  The rest is about the pages that are there now.
 *
 * Locks: vm map -> vm_mtx -> pmap.  The map is owned to change entries and
 * shared for pages; it is not held while a file is written.
 */
#include "kernel/sys/mman.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_map_int.h"
#include "kernel/vm/vm_object.h"

/* Flags of entries that advice clears and sets. */
static const struct {
	uint32_t clear, set;
} advice_flags[] = {
	[MADV_NORMAL] = { MAP_ENTRY_BEHAV_MASK, MAP_ENTRY_BEHAV_NORMAL },
	[MADV_RANDOM] = { MAP_ENTRY_BEHAV_MASK, MAP_ENTRY_BEHAV_RANDOM },
	[MADV_SEQUENTIAL] = { MAP_ENTRY_BEHAV_MASK, MAP_ENTRY_BEHAV_SEQ },
	[MADV_NOSYNC] = { 0, MAP_ENTRY_NOSYNC },
	[MADV_AUTOSYNC] = { MAP_ENTRY_NOSYNC, 0 },
	[MADV_NOCORE] = { 0, MAP_ENTRY_NOCOREDUMP },
	[MADV_CORE] = { MAP_ENTRY_NOCOREDUMP, 0 },
};

static void
advise_entry(vm_map_t map, vm_map_entry_t entry, const void *arg)
{
	const int *advice = arg;

	(void)map;
	if ((entry->eflags & MAP_ENTRY_GUARD) != 0)
		return;
	entry->eflags &= ~advice_flags[*advice].clear;
	entry->eflags |= advice_flags[*advice].set;
}

/* Pages that are still to be copied are others', too: nothing is to be freed. */
static void
advise_pages(vm_map_t map, vm_offset_t start, vm_offset_t end, int advice)
{
	vm_map_entry_t entry;

	vm_map_lock_read(map);
	for (entry = vm_map_range_first(map, start, end); entry != NULL;
	     entry = vm_map_range_next(map, entry, end)) {
		vm_offset_t from = entry->start > start ? entry->start : start;
		vm_offset_t to = entry->end < end ? entry->end : end;
		vm_pindex_t pindex = atop(from - entry->start + entry->offset);

		if (entry->object == NULL ||
		    (advice == MADV_FREE &&
			(entry->eflags & MAP_ENTRY_NEEDS_COPY) != 0))
			continue;
		vm_object_madvise(entry->object, pindex,
		    pindex + atop(to - from), advice);
	}
	vm_map_unlock_read(map);
}

int
vm_map_madvise(vm_map_t map, vm_offset_t start, vm_offset_t end, int advice)
{
	int error;

	if (advice < MADV_NORMAL || advice > MADV_CORE)
		return (KERN_INVALID_ARGUMENT);
	if (!vm_map_range_given(map, start, end, &error))
		return (error);
	if (advice == MADV_WILLNEED || advice == MADV_DONTNEED ||
	    advice == MADV_FREE) {
		advise_pages(map, start, end, advice);
	} else {
		vm_map_lock(map);
		vm_map_range_change(map, start, end, advise_entry, &advice);
		vm_map_unlock(map);
	}
	return (KERN_SUCCESS);
}

/* ---- msync(2) ---- */

/* Is all of it mapped, and nothing of it wired that is to go? */
static int
may_sync(vm_map_t map, vm_offset_t start, vm_offset_t end, unsigned int flags)
{
	vm_map_entry_t entry;

	for (; start < end; start = entry->end) {
		if (!vm_map_lookup_entry(map, start, &entry))
			return (KERN_INVALID_ADDRESS);
		if ((flags & VM_MAP_SYNC_INVAL) != 0 && entry->wired_count > 0)
			return (KERN_INVALID_ARGUMENT);
	}
	return (KERN_SUCCESS);
}

/* The part of entry from start on, without the lock; *start is where it ends. */
static bool
sync_entry(vm_map_t map, const struct vm_map_entry *entry, vm_offset_t *start,
    vm_offset_t end, unsigned int flags)
{
	vm_object_t object = entry->object;
	vm_ooffset_t offset = *start - entry->start + entry->offset;
	vm_size_t size = (entry->end < end ? entry->end : end) - *start;
	bool ok;

	*start += size;
	vm_object_reference_part(object);
	vm_map_unlock_read(map);
	ok = vm_object_sync(object, offset, size,
	    (flags & VM_MAP_SYNC_WAIT) != 0, (flags & VM_MAP_SYNC_INVAL) != 0);
	vm_object_deallocate(object);
	vm_map_lock_read(map);
	return (ok);
}

int
vm_map_sync(vm_map_t map, vm_offset_t start, vm_offset_t end,
    unsigned int flags)
{
	vm_map_entry_t entry;
	int error;

	if (!vm_map_range_given(map, start, end, &error))
		return (error);
	vm_map_lock_read(map);
	error = may_sync(map, start, end, flags);
	while (error == KERN_SUCCESS && start < end) {
		if (!vm_map_lookup_entry(map, start, &entry))
			error = KERN_INVALID_ADDRESS;
		else if (!sync_entry(map, entry, &start, end, flags))
			error = KERN_FAILURE;
	}
	vm_map_unlock_read(map);
	return (error);
}
