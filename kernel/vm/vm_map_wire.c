/*
 * Memory that stays: wiring.
 *
 * An entry counts who wants it to stay: mlock(2), once, and the kernel.  While the
 * count is not 0, each of its pages is in its own object (vm_fault() copies it
 * there), has one wiring for the entry, and its mapping is wired.  So the pages
 * are found by their index when the last of them lets go.
 *
 * What mlock(2) keeps is counted, over all maps, before it is brought in, and may
 * be vm_page_max_user_wired pages: others need memory, too.
 *
 * Pages are brought in without the map's lock.  Meanwhile the entries are in
 * transition: nobody deletes, protects or wires them, but they may be split.  So
 * they are looked up again, by address and by whose wiring it is.
 *
 * Locks: vm map -> vm_mtx -> pmap.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_map_int.h"
#include "kernel/vm/vm_object.h"

/* One call of vm_map_wire(). */
struct wiring {
	vm_map_t wir_map;
	vm_offset_t wir_start, wir_end;
	vm_offset_t wir_done; /* up to where pages have been brought in */
	unsigned int wir_flags;
};

static bool
is_mine(const struct wiring *w, const struct vm_map_entry *entry)
{
	return ((entry->eflags & MAP_ENTRY_IN_TRANSITION) != 0 &&
	    entry->wiring == w);
}

static bool
can_wire(const struct vm_map_entry *entry, const void *arg)
{
	(void)arg;
	return ((entry->eflags & MAP_ENTRY_GUARD) == 0 &&
	    entry->protection != VM_PROT_NONE);
}

/* ---- What mlock(2) keeps ---- */

static vm_pindex_t user_wire_count; /* atomic */

vm_pindex_t
vm_user_wire_count(void)
{
	return (__atomic_load_n(&user_wire_count, __ATOMIC_RELAXED));
}

static void
user_wire_sub(vm_pindex_t npages)
{
	__atomic_fetch_sub(&user_wire_count, npages, __ATOMIC_RELAXED);
}

/* false: those would be too many. */
static bool
user_wire_add(vm_pindex_t npages)
{
	vm_pindex_t count =
	    __atomic_add_fetch(&user_wire_count, npages, __ATOMIC_RELAXED);

	if (count <= vm_page_max_user_wired)
		return (true);
	user_wire_sub(npages);
	return (false);
}

/* mlock(2) keeps it no more. */
static void
entry_user_unwire(vm_map_entry_t entry)
{
	if ((entry->eflags & MAP_ENTRY_USER_WIRED) != 0)
		user_wire_sub(atop(entry->end - entry->start));
	entry->eflags &= ~MAP_ENTRY_USER_WIRED;
}

/* ---- Pages of an entry let go ---- */

static void
unwire_pages(vm_map_t map, const struct vm_map_entry *entry, vm_offset_t start,
    vm_offset_t end)
{
	vm_object_t object = entry->object;

	pmap_unwire(map->pmap, start, end);
	for (vm_offset_t va = start; va < end; va += PAGE_SIZE) {
		vm_pindex_t pindex = atop(va - entry->start + entry->offset);
		vm_page_t m;

		VM_OBJECT_LOCK(object);
		m = vm_page_lookup(object, pindex);
		if (m != NULL)
			vm_page_unwire(m, PQ_ACTIVE);
		VM_OBJECT_UNLOCK(object);
	}
}

/* Up to end, pages have been wired for those who let go now. */
static void
entry_let_go(vm_map_t map, vm_map_entry_t entry, vm_offset_t end)
{
	KASSERT(entry->wired_count > 0,
	    ("%s: %#jx is not wired", __func__, (uintmax_t)entry->start));
	if (--entry->wired_count > 0)
		return;
	pmap_unwire(map->pmap, entry->start, entry->end);
	if (end > entry->end)
		end = entry->end;
	if (end > entry->start)
		unwire_pages(map, entry, entry->start, end);
}

void
vm_map_entry_unwire(vm_map_t map, vm_map_entry_t entry)
{
	if (entry->wired_count == 0)
		return;
	entry->wired_count = 1;
	entry_user_unwire(entry);
	entry_let_go(map, entry, entry->end);
}

void
vm_map_entry_copy_wired(vm_map_t map, vm_map_entry_t entry)
{
	struct vm_map_entry old = *entry;

	vm_fault_copy_entry(entry, &old, VM_FAULT_WIRE);
	unwire_pages(map, &old, old.start, old.end);
	pmap_remove(map->pmap, old.start, old.end);
	vm_object_deallocate(old.object);
}

/* ---- Wire ---- */

/* Has this call something to do for an entry? */
static bool
wants(const struct wiring *w, const struct vm_map_entry *entry)
{
	return (can_wire(entry, NULL) &&
	    ((w->wir_flags & VM_MAP_WIRE_USER) == 0 ||
		(entry->eflags & MAP_ENTRY_USER_WIRED) == 0));
}

/* How many pages of [start, end) an entry has. */
static vm_pindex_t
pages_within(const struct vm_map_entry *entry, vm_offset_t start,
    vm_offset_t end)
{
	if (start < entry->start)
		start = entry->start;
	return (atop((end < entry->end ? end : entry->end) - start));
}

/* Count the pages that mlock(2) is to keep; false: too many. */
static bool
charge(const struct wiring *w)
{
	vm_map_t map = w->wir_map;
	vm_pindex_t npages = 0;
	vm_map_entry_t entry;

	if ((w->wir_flags & VM_MAP_WIRE_USER) == 0)
		return (true);
	for (entry = vm_map_range_first(map, w->wir_start, w->wir_end);
	     entry != NULL; entry = vm_map_range_next(map, entry, w->wir_end)) {
		if (wants(w, entry))
			npages += pages_within(entry, w->wir_start, w->wir_end);
	}
	return (user_wire_add(npages));
}

/* Count; those that are new to it are brought in by us. */
static void
mark(const struct wiring *w)
{
	vm_map_t map = w->wir_map;
	vm_map_entry_t entry;

	for (entry = vm_map_clip_first(map, w->wir_start);
	     entry != &map->header && entry->start < w->wir_end;
	     entry = entry->next) {
		vm_map_clip_end(map, entry, w->wir_end);
		if (!wants(w, entry))
			continue;
		entry->eflags |= MAP_ENTRY_IN_TRANSITION;
		entry->wiring = w;
		entry->wired_count++;
	}
}

/* Bring pages in up to end, without the lock. */
static int
fault_range(struct wiring *w, vm_offset_t end)
{
	vm_map_t map = w->wir_map;
	int error = KERN_SUCCESS;

	map->busy++;
	vm_map_unlock(map);
	while (w->wir_done < end) {
		error = vm_fault(map, w->wir_done, VM_PROT_NONE, VM_FAULT_WIRE);
		if (error != KERN_SUCCESS)
			break;
		w->wir_done += PAGE_SIZE;
	}
	vm_map_lock(map);
	if (--map->busy == 0 && (map->flags & MAP_BUSY_WAKEUP) != 0) {
		map->flags &= ~(uint32_t)MAP_BUSY_WAKEUP;
		wakeup(&map->busy);
	}
	return (error);
}

/* All that was marked, and was not wired before. */
static int
fault_marked(struct wiring *w)
{
	int error = KERN_SUCCESS;
	vm_map_entry_t entry;

	while (error == KERN_SUCCESS && w->wir_done < w->wir_end) {
		if (!vm_map_lookup_entry(w->wir_map, w->wir_done, &entry))
			w->wir_done = entry->next->start;
		else if (is_mine(w, entry) && entry->wired_count == 1)
			error = fault_range(w, entry->end);
		else
			w->wir_done = entry->end;
	}
	return (error);
}

/* The transition is over.  Where it failed, what was wired lets go again. */
static void
settle(const struct wiring *w)
{
	bool user = (w->wir_flags & VM_MAP_WIRE_USER) != 0;
	vm_map_t map = w->wir_map;
	vm_map_entry_t first = vm_map_clip_first(map, w->wir_start), entry;
	bool failed = w->wir_done < w->wir_end, wanted = false;

	for (entry = first; entry != &map->header && entry->start < w->wir_end;
	     entry = entry->next) {
		if (!is_mine(w, entry))
			continue;
		wanted |= (entry->eflags & MAP_ENTRY_NEEDS_WAKEUP) != 0;
		entry->eflags &=
		    ~(MAP_ENTRY_IN_TRANSITION | MAP_ENTRY_NEEDS_WAKEUP);
		entry->wiring = NULL;
		if (user)
			entry->eflags |= MAP_ENTRY_USER_WIRED;
		if (failed) {
			entry_user_unwire(entry);
			entry_let_go(map, entry, w->wir_done);
		}
	}
	vm_map_simplify_range(map, first, w->wir_end);
	if (wanted)
		wakeup(&map->root);
}

int
vm_map_wire(vm_map_t map, vm_offset_t start, vm_offset_t end,
    unsigned int flags)
{
	struct wiring w = { map, start, end, start, flags };
	int error = KERN_SUCCESS;

	if (!vm_map_range_lock(map, start, end, &error))
		return (error);
	if ((flags & VM_MAP_WIRE_HOLESOK) == 0 &&
	    !vm_map_range_all(map, start, end, can_wire, NULL)) {
		error = KERN_INVALID_ADDRESS;
	} else if (!charge(&w)) {
		error = KERN_RESOURCE_SHORTAGE;
	} else {
		mark(&w);
		error = fault_marked(&w);
		settle(&w);
	}
	vm_map_unlock(map);
	return (error);
}

int
vm_map_wire_new(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	bool future;
	int error;

	vm_map_lock_read(map);
	future = (map->flags & MAP_WIREFUTURE) != 0;
	vm_map_unlock_read(map);
	if (!future)
		return (KERN_SUCCESS);
	error = vm_map_wire(map, start, end,
	    VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK);
	if (error != KERN_SUCCESS)
		(void)vm_map_remove(map, start, end);
	return (error);
}

/* ---- Unwire ---- */

/* Whose wiring is to end: mlock(2)'s, or whoever's. */
static bool
is_wired(const struct vm_map_entry *entry, const void *arg)
{
	const unsigned int *flags = arg;

	if ((*flags & VM_MAP_WIRE_USER) != 0)
		return ((entry->eflags & MAP_ENTRY_USER_WIRED) != 0);
	return (entry->wired_count > 0);
}

static void
unwire_entry(vm_map_t map, vm_map_entry_t entry, const void *arg)
{
	const unsigned int *flags = arg;

	if (!is_wired(entry, flags))
		return;
	if ((*flags & VM_MAP_WIRE_USER) != 0)
		entry_user_unwire(entry);
	entry_let_go(map, entry, entry->end);
}

int
vm_map_unwire(vm_map_t map, vm_offset_t start, vm_offset_t end,
    unsigned int flags)
{
	int error = KERN_SUCCESS;

	if (!vm_map_range_lock(map, start, end, &error))
		return (error);
	if ((flags & VM_MAP_WIRE_HOLESOK) != 0 ||
	    vm_map_range_all(map, start, end, is_wired, &flags))
		vm_map_range_change(map, start, end, unwire_entry, &flags);
	else
		error = KERN_INVALID_ARGUMENT;
	vm_map_unlock(map);
	return (error);
}
