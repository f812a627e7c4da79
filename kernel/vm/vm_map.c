/*
 * Maps: entries come and go, are split and made one.
 *
 * An entry holds one reference of its object, and two entries that were split
 * from one hold one each.  An entry without an object shows zeros; it gets one
 * when it is split, so that both parts share it and can be made one again, and
 * when it is first accessed (vm_map_lookup()).
 *
 * A change looks at the whole range before it changes the first entry.  What it
 * splits it makes one again where neighbours are alike, so the number of entries
 * follows from what the map shows, not from the calls that led there.
 *
 * Of an object that is shown in parts, what a deleted entry showed goes at once,
 * with the map owned: the next mapping may have the same place in the object.
 *
 * The last reference of an object may mean I/O.  So deleted entries are gathered
 * while the lock is owned, and their objects go when it is let go of.
 *
 * Locks: vm map -> UMA's locks, for entries; vm map -> vm_mtx -> pmap.
 */
#include "kernel/vm/vm_map.h"

#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_map_int.h"
#include "kernel/vm/vm_object.h"

static uma_zone_t mapentzone;

void
vm_map_startup(void)
{
	mapentzone = uma_zcreate("MAP ENTRY", sizeof(struct vm_map_entry), NULL,
	    NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
}

void
vm_map_init(vm_map_t map, pmap_t pmap, vm_offset_t min, vm_offset_t max)
{
	*map = (struct vm_map){ .pmap = pmap };
	sx_init(&map->lock, "vm map");
	map->header.next = map->header.prev = &map->header;
	map->header.end = min;
	map->header.start = max;
}

void
vm_map_fini(vm_map_t map)
{
	KASSERT(map->nentries == 0,
	    ("%s: %p: %u entries", __func__, (void *)map, map->nentries));
	sx_destroy(&map->lock);
}

/* ---- The lock ---- */

void
vm_map_lock(vm_map_t map)
{
	sx_xlock(&map->lock);
	map->timestamp++;
}

static void
free_entries(vm_map_entry_t entry)
{
	while (entry != NULL) {
		vm_map_entry_t next = entry->next;

		vm_object_deallocate(entry->object);
		uma_zfree(mapentzone, entry);
		entry = next;
	}
}

void
vm_map_unlock(vm_map_t map)
{
	vm_map_entry_t deferred = map->deferred;

	map->deferred = NULL;
	sx_xunlock(&map->lock);
	free_entries(deferred);
}

void
vm_map_lock_read(vm_map_t map)
{
	sx_slock(&map->lock);
}

void
vm_map_unlock_read(vm_map_t map)
{
	sx_sunlock(&map->lock);
}

bool
vm_map_trylock_read(vm_map_t map)
{
	return (sx_try_slock(&map->lock));
}

void
vm_map_lock_downgrade(vm_map_t map)
{
	KASSERT(map->deferred == NULL, ("%s: deleted entries", __func__));
	sx_downgrade(&map->lock);
}

/* Let go of the lock, sleep until wakeup(chan), and own it again. */
static void
map_sleep(vm_map_t map, const void *chan)
{
	vm_map_entry_t deferred = map->deferred;

	map->deferred = NULL;
	(void)sx_sleep(chan, &map->lock, PVM | PDROP, "vmmaps", 0);
	free_entries(deferred);
	vm_map_lock(map);
}

/* The first entry of [start, end) that is being wired; NULL: none is. */
static vm_map_entry_t
in_transition(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry = vm_map_range_first(map, start, end);

	while (entry != NULL && (entry->eflags & MAP_ENTRY_IN_TRANSITION) == 0)
		entry = vm_map_range_next(map, entry, end);
	return (entry);
}

/* As vm_map_wait_busy(), for a range. */
static void
wait_transitions(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	while ((entry = in_transition(map, start, end)) != NULL) {
		entry->eflags |= MAP_ENTRY_NEEDS_WAKEUP;
		map_sleep(map, &map->root);
	}
}

void
vm_map_wait_busy(vm_map_t map)
{
	while (map->busy > 0) {
		map->flags |= MAP_BUSY_WAKEUP;
		map_sleep(map, &map->busy);
	}
}

/* ---- Entries ---- */

bool
vm_map_range_valid(const struct vm_map *map, vm_offset_t start, vm_offset_t end)
{
	return (((start | end) & PAGE_MASK) == 0 && start < end &&
	    start >= vm_map_min(map) && end <= vm_map_max(map));
}

bool
vm_map_range_given(const struct vm_map *map, vm_offset_t start, vm_offset_t end,
    int *error)
{
	if (vm_map_range_valid(map, start, end))
		return (true);
	*error = start == end ? KERN_SUCCESS : KERN_INVALID_ADDRESS;
	return (false);
}

bool
vm_map_range_lock(vm_map_t map, vm_offset_t start, vm_offset_t end, int *error)
{
	if (!vm_map_range_given(map, start, end, error))
		return (false);
	vm_map_lock(map);
	wait_transitions(map, start, end);
	return (true);
}

vm_map_entry_t
vm_map_entry_create(void)
{
	return (uma_zalloc(mapentzone, M_WAITOK | M_ZERO));
}

void
vm_map_entry_object(vm_map_entry_t entry)
{
	if (entry->object != NULL || (entry->eflags & MAP_ENTRY_GUARD) != 0)
		return;
	entry->object =
	    vm_object_allocate(OBJT_SWAP, atop(entry->end - entry->start));
	entry->offset = 0;
}

/* The part of entry from va on becomes an entry of its own. */
static vm_map_entry_t
split(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	vm_map_entry_t upper = vm_map_entry_create();

	vm_map_entry_object(entry);
	*upper = *entry;
	upper->start = va;
	if (upper->object != NULL) {
		upper->offset += va - entry->start;
		vm_object_reference_part(upper->object);
	}
	vm_map_entry_resize(map, entry, entry->start, va);
	vm_map_entry_link(map, entry, upper);
	return (upper);
}

vm_map_entry_t
vm_map_clip_first(vm_map_t map, vm_offset_t va)
{
	vm_map_entry_t entry;

	if (!vm_map_lookup_entry(map, va, &entry))
		return (entry->next);
	return (entry->start < va ? split(map, entry, va) : entry);
}

void
vm_map_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	if (entry->end > va)
		(void)split(map, entry, va);
}

/* Its object goes when the lock is let go of. */
static void
entry_delete(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_unlink(map, entry);
	entry->next = map->deferred;
	map->deferred = entry;
}

static bool
alike(const struct vm_map_entry *prev, const struct vm_map_entry *entry)
{
	vm_size_t size = prev->end - prev->start;

	return (prev->end == entry->start && prev->object == entry->object &&
	    size + (entry->end - entry->start) <= VM_OBJECT_MAX &&
	    (prev->object == NULL || prev->offset + size == entry->offset) &&
	    prev->eflags == entry->eflags &&
	    prev->protection == entry->protection &&
	    prev->max_protection == entry->max_protection &&
	    prev->inheritance == entry->inheritance &&
	    prev->wired_count == entry->wired_count &&
	    (entry->eflags & MAP_ENTRY_IN_TRANSITION) == 0);
}

void
vm_map_try_merge_entries(vm_map_t map, vm_map_entry_t prev,
    vm_map_entry_t entry)
{
	vm_offset_t start = prev->start;

	if (prev == &map->header || entry == &map->header ||
	    !alike(prev, entry))
		return;
	entry->offset = prev->offset;
	entry_delete(map, prev);
	vm_map_entry_resize(map, entry, start, entry->end);
}

void
vm_map_simplify_range(vm_map_t map, vm_map_entry_t entry, vm_offset_t va)
{
	vm_map_entry_t next;

	for (;; entry = next) {
		bool last = entry == &map->header || entry->start >= va;

		next = entry->next;
		vm_map_try_merge_entries(map, entry->prev, entry);
		if (last)
			break;
	}
}

void
vm_map_range_change(vm_map_t map, vm_offset_t start, vm_offset_t end,
    void (*change)(vm_map_t map, vm_map_entry_t entry, const void *arg),
    const void *arg)
{
	vm_map_entry_t first = vm_map_clip_first(map, start);
	vm_map_entry_t entry = vm_map_range_first(map, start, end);

	for (; entry != NULL; entry = vm_map_range_next(map, entry, end)) {
		vm_map_clip_end(map, entry, end);
		change(map, entry, arg);
	}
	vm_map_simplify_range(map, first, end);
}

/* ---- Insert ---- */

static uint32_t
eflags_of(unsigned int cow)
{
	uint32_t eflags = 0;

	if ((cow & MAP_COPY_ON_WRITE) != 0)
		eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	if ((cow & MAP_DISABLE_SYNCER) != 0)
		eflags |= MAP_ENTRY_NOSYNC;
	if ((cow & MAP_DISABLE_COREDUMP) != 0)
		eflags |= MAP_ENTRY_NOCOREDUMP;
	if ((cow & MAP_CREATE_GUARD) != 0)
		eflags |= MAP_ENTRY_GUARD;
	if ((cow & MAP_CREATE_STACK_GAP_DN) != 0)
		eflags |= MAP_ENTRY_GUARD | MAP_ENTRY_STACK_GAP_DN;
	return (eflags);
}

/* A device's memory cannot be copied, so all that show it share it. */
static bool
is_device(vm_object_t object)
{
	return (object != NULL && object->type == OBJT_DEVICE);
}

static bool
is_shared(unsigned int cow)
{
	return ((cow & (MAP_INHERIT_SHARE | MAP_COPY_ON_WRITE)) ==
	    MAP_INHERIT_SHARE);
}

/* Can length bytes be that? */
static int
check_what(const struct vm_map_what *what, vm_size_t length)
{
	bool object = what->object != NULL;
	bool guard = (eflags_of(what->cow) & MAP_ENTRY_GUARD) != 0;

	if ((what->prot & ~what->max) != 0 || (object && guard) ||
	    (!object && (what->cow & MAP_COPY_ON_WRITE) != 0))
		return (KERN_INVALID_ARGUMENT);
	if (is_device(what->object) && !is_shared(what->cow))
		return (KERN_INVALID_ARGUMENT);
	if (length > VM_OBJECT_MAX ||
	    (object && what->offset > VM_OBJECT_MAX - length))
		return (KERN_OUT_OF_BOUNDS);
	return (KERN_SUCCESS);
}

/*
 * Memory that begins as zeros makes the entry before it longer, if that is alike
 * and its object can grow: a heap that grows stays one entry.
 */
static bool
extend(vm_map_t map, vm_map_entry_t prev, const struct vm_map_entry *new)
{
	struct vm_map_entry wanted = *new;
	vm_size_t size = prev->end - prev->start;

	wanted.object = prev->object;
	wanted.offset = prev->offset + size;
	if (prev == &map->header || new->object != NULL ||
	    !alike(prev, &wanted) ||
	    (prev->object != NULL &&
		!vm_object_coalesce(prev->object, prev->offset, size,
		    new->end - new->start)))
		return (false);
	vm_map_entry_resize(map, prev, prev->start, new->end);
	vm_map_try_merge_entries(map, prev, prev->next);
	return (true);
}

int
vm_map_insert(vm_map_t map, vm_offset_t start, vm_offset_t end,
    const struct vm_map_what *what)
{
	struct vm_map_entry new = {
		.start = start,
		.end = end,
		.object = what->object,
		.offset = what->object != NULL ? what->offset : 0,
		.eflags = eflags_of(what->cow),
		.protection = what->prot,
		.max_protection = what->max,
		.inheritance = (what->cow & MAP_INHERIT_SHARE) != 0 ?
		    VM_INHERIT_SHARE :
		    VM_INHERIT_COPY,
		.next_read = start,
	};
	vm_map_entry_t prev, entry;
	int error;

	sx_assert(&map->lock, SA_XLOCKED);
	if (!vm_map_range_valid(map, start, end))
		return (KERN_INVALID_ADDRESS);
	error = check_what(what, end - start);
	if (error != KERN_SUCCESS)
		return (error);
	if (vm_map_lookup_entry(map, start, &prev) || prev->next->start < end)
		return (KERN_NO_SPACE);
	if (extend(map, prev, &new))
		return (KERN_SUCCESS);

	entry = vm_map_entry_create();
	*entry = new;
	vm_map_entry_link(map, prev, entry);
	vm_map_try_merge_entries(map, prev, entry);
	vm_map_try_merge_entries(map, entry, entry->next);
	return (KERN_SUCCESS);
}

int
vm_map_find(vm_map_t map, vm_offset_t *addr, vm_size_t length,
    const struct vm_map_what *what)
{
	int error = KERN_NO_SPACE;

	vm_map_lock(map);
	if (vm_map_findspace(map, *addr, length, addr))
		error = vm_map_insert(map, *addr, *addr + length, what);
	vm_map_unlock(map);
	return (error);
}

int
vm_map_fixed(vm_map_t map, vm_offset_t start, vm_size_t length,
    const struct vm_map_what *what)
{
	int error;

	if (length > UINTPTR_MAX - start)
		return (KERN_INVALID_ADDRESS);
	error = check_what(what, length);
	if (error != KERN_SUCCESS)
		return (error);
	vm_map_lock(map);
	error = vm_map_delete(map, start, start + length);
	if (error == KERN_SUCCESS)
		error = vm_map_insert(map, start, start + length, what);
	vm_map_unlock(map);
	return (error);
}

/* ---- Delete ---- */

int
vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry, next;

	sx_assert(&map->lock, SA_XLOCKED);
	if (!vm_map_range_valid(map, start, end))
		return (KERN_INVALID_ADDRESS);
	wait_transitions(map, start, end);
	for (entry = vm_map_clip_first(map, start);
	     entry != &map->header && entry->start < end; entry = next) {
		vm_map_clip_end(map, entry, end);
		next = entry->next;
		vm_map_entry_unwire(map, entry);
		pmap_remove(map->pmap, entry->start, entry->end);
		vm_object_unshown(entry->object, atop(entry->offset),
		    atop(entry->offset + (entry->end - entry->start)));
		entry_delete(map, entry);
	}
	return (KERN_SUCCESS);
}

int
vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	int error;

	vm_map_lock(map);
	error = vm_map_delete(map, start, end);
	vm_map_unlock(map);
	return (error);
}

/* ---- Protect, inherit ---- */

struct protection {
	vm_prot_t ptn_prot;
	unsigned int ptn_flags;
};

/* Rights that were taken away are taken away from the pmap; faults give more. */
static void
protect_entry(vm_map_t map, vm_map_entry_t entry, const void *arg)
{
	const struct protection *new = arg;
	vm_prot_t prot = new->ptn_prot, old = entry->protection;

	if ((entry->eflags & MAP_ENTRY_GUARD) != 0)
		return;
	if ((new->ptn_flags &VM_MAP_PROTECT_SET_MAXPROT) != 0) {
		entry->max_protection = prot;
		prot &= old;
	}
	entry->protection = prot;
	if ((prot & ~old & VM_PROT_WRITE) != 0 && entry->wired_count > 0 &&
	    (entry->eflags & MAP_ENTRY_NEEDS_COPY) != 0)
		vm_map_entry_copy_wired(map, entry);
	if ((old & ~prot) == 0)
		return;
	if (prot != VM_PROT_NONE)
		prot |= VM_PROT_READ; /* the machine's other rights imply it */
	pmap_protect(map->pmap, entry->start, entry->end, prot);
}

static bool
may_protect(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	vm_map_entry_t entry = vm_map_range_first(map, start, end);

	for (; entry != NULL; entry = vm_map_range_next(map, entry, end)) {
		if ((entry->eflags & MAP_ENTRY_GUARD) == 0 &&
		    (prot & ~entry->max_protection) != 0)
			return (false);
	}
	return (true);
}

int
vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end, vm_prot_t prot,
    unsigned int flags)
{
	const struct protection new = { prot, flags };
	int error = KERN_SUCCESS;

	if (!vm_map_range_lock(map, start, end, &error))
		return (error);
	if (may_protect(map, start, end, prot))
		vm_map_range_change(map, start, end, protect_entry, &new);
	else
		error = KERN_PROTECTION_FAILURE;
	vm_map_unlock(map);
	return (error);
}

static bool
may_inherit(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_inherit_t inherit)
{
	vm_map_entry_t entry = vm_map_range_first(map, start, end);

	for (; entry != NULL; entry = vm_map_range_next(map, entry, end)) {
		if (inherit == VM_INHERIT_COPY && is_device(entry->object))
			return (false);
	}
	return (true);
}

static void
inherit_entry(vm_map_t map, vm_map_entry_t entry, const void *arg)
{
	(void)map;
	entry->inheritance = *(const vm_inherit_t *)arg;
}

int
vm_map_inherit(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_inherit_t inherit)
{
	int error = KERN_SUCCESS;

	if (inherit > VM_INHERIT_ZERO)
		return (KERN_INVALID_ARGUMENT);
	if (!vm_map_range_given(map, start, end, &error))
		return (error);
	vm_map_lock(map);
	if (may_inherit(map, start, end, inherit))
		vm_map_range_change(map, start, end, inherit_entry, &inherit);
	else
		error = KERN_INVALID_ARGUMENT;
	vm_map_unlock(map);
	return (error);
}

static bool
permits(const struct vm_map_entry *entry, const void *arg)
{
	const vm_prot_t *prot = arg;

	return ((*prot & ~entry->protection) == 0);
}

bool
vm_map_check_protection(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_prot_t prot)
{
	VM_MAP_ASSERT_LOCKED(map);
	return (vm_map_range_all(map, start, end, permits, &prot));
}
