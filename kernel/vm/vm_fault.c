/*
 * Faults: the page at an address is found, or made, and mapped.
 *
 *	look up		the entry, and the object that it shows: the first object
 *	walk		the first object, then what is behind it, until one has
 *			the page; where its pager has it, it is read
 *	fill or copy	no object has it: zeros.  One behind the first has it, and
 *			it is to be written to: a copy, or the page itself
 *	map		if the entry is as it was
 *
 * On the way, the page is exclusively busy, and so is a page without contents at
 * its place in the first object: it keeps other faults for that page out.  The
 * objects have paging in progress, so that their chain stays as it is.
 *
 * A device's memory has no pages: its pager says where it is, and it is mapped.
 *
 * The map's lock is let go of for the pager.  If the map has changed since, the
 * fault begins again, as it does after each sleep; it then finds what was read.
 *
 * Locks: vm map -> vm_mtx -> pmap.  vm_mtx is held all the time, but for reads
 * and sleeps: copying a page takes less long than a lock that is handed over.
 */
#include "kernel/vm/vm_fault.h"

#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_map_int.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pager.h"

/* Beside KERN_*: something has changed, or is to be waited for; again. */
#define FAULT_RESTART (-1)

/* Neighbours that are read, too, and that are mapped if they are there. */
#define READ_BEHIND 7
#define READ_AHEAD  8
#define READ_MOST   (VM_PAGER_MAXPAGES - 1)
#define MAP_AROUND  4

struct faultstate {
	vm_map_t map;
	vm_offset_t va;
	unsigned int flags;
	struct vm_map_lookup top;
	uint32_t timestamp; /* of the map, when top was looked up */
	bool map_locked;
	vm_page_t placeholder; /* keeps others out; NULL: none, or it is m */
	vm_object_t object;    /* where the walk is */
	vm_pindex_t pindex;
	vm_page_t m; /* busy; NULL: not found yet */
};

/* ---- Letting go ---- */

/* A busy page; one without contents is of no use. */
static void
release_page(vm_page_t m)
{
	if (m == NULL)
		return;
	if (vm_page_none_valid(m) && m->wire_count == 0)
		vm_page_free(m);
	else
		vm_page_xunbusy(m);
}

/* The walk is at an object no more. */
static void
leave_object(struct faultstate *fs)
{
	if (fs->object != fs->top.object)
		vm_object_pip_wakeup(fs->object);
}

static void
unlock_map(struct faultstate *fs)
{
	if (fs->map_locked)
		vm_map_unlock_read(fs->map);
	fs->map_locked = false;
}

/* Everything; vm_mtx is held, and is not afterwards. */
static void
release_all(struct faultstate *fs)
{
	release_page(fs->m);
	release_page(fs->placeholder);
	fs->m = fs->placeholder = NULL;
	leave_object(fs);
	vm_object_pip_wakeup(fs->top.object);
	VM_OBJECT_UNLOCK(fs->top.object);
	unlock_map(fs);
	vm_object_deallocate(fs->top.object);
}

static int
wait_for_memory(struct faultstate *fs)
{
	release_all(fs);
	vm_wait(VM_ALLOC_NORMAL);
	return (FAULT_RESTART);
}

/* The map is let go of first: whoever has the page busy may want it. */
static int
wait_for_page(struct faultstate *fs, vm_page_t m)
{
	vm_object_t object = fs->top.object;

	release_page(fs->placeholder);
	leave_object(fs);
	vm_object_pip_wakeup(object);
	unlock_map(fs);
	(void)vm_page_sleep_if_busy(m, "vmpfw");
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
	return (FAULT_RESTART);
}

/* ---- The walk ---- */

/*
 * How far to read ahead: twice as far as the last time while faults go on in order,
 * and as far as can be if the user said that they will.
 */
static int
read_ahead(vm_map_entry_t entry, uint32_t advice, bool in_order)
{
	int last = __atomic_load_n(&entry->read_ahead, __ATOMIC_RELAXED);
	int now = READ_AHEAD;

	if (in_order && last >= READ_AHEAD)
		now = 2 * last < READ_MOST ? 2 * last : READ_MOST;
	if (advice == MAP_ENTRY_BEHAV_SEQ)
		now = READ_MOST;
	if (advice == MAP_ENTRY_BEHAV_RANDOM)
		now = 0;
	__atomic_store_n(&entry->read_ahead, (uint8_t)now, __ATOMIC_RELAXED);
	return (now);
}

/* How much of the entry's neighbourhood is worth to be read, too. */
static void
read_around(const struct faultstate *fs, int *behind, int *ahead)
{
	vm_map_entry_t entry = fs->top.entry;
	vm_pindex_t before = atop(fs->va - entry->start);
	vm_pindex_t after = atop(entry->end - fs->va) - 1;
	uint32_t advice = entry->eflags & MAP_ENTRY_BEHAV_MASK;
	bool in_order = advice == MAP_ENTRY_BEHAV_SEQ ||
	    __atomic_load_n(&entry->next_read, __ATOMIC_RELAXED) == fs->va;
	int most_behind =
	    in_order || advice == MAP_ENTRY_BEHAV_RANDOM ? 0 : READ_BEHIND;
	int most_ahead = read_ahead(entry, advice, in_order);

	*behind = before < (vm_pindex_t)most_behind ? (int)before : most_behind;
	*ahead = after < (vm_pindex_t)most_ahead ? (int)after : most_ahead;
}

/* Read m; KERN_SUCCESS, FAULT_RESTART, or what is wrong with it. */
static int
page_in(struct faultstate *fs)
{
	int behind, ahead, result;

	read_around(fs, &behind, &ahead);
	VM_OBJECT_UNLOCK(fs->object);
	unlock_map(fs);
	result = vm_pager_get_pages(fs->object, &fs->m, 1, &behind, &ahead);
	VM_OBJECT_LOCK(fs->object);
	if (result == VM_PAGER_OK)
		return (KERN_SUCCESS);
	if (result == VM_PAGER_AGAIN)
		return (wait_for_memory(fs));
	release_all(fs);
	return (result == VM_PAGER_BAD ? KERN_OUT_OF_BOUNDS : KERN_FAILURE);
}

/* The next object of the chain; false: this was the last. */
static bool
next_object(struct faultstate *fs)
{
	vm_object_t next = fs->object->backing_object;

	if (fs->m != NULL && fs->object != fs->top.object)
		release_page(fs->m);
	else if (fs->m != NULL)
		fs->placeholder = fs->m;
	fs->m = NULL;
	if (next == NULL)
		return (false);
	vm_object_pip_add(next, 1);
	fs->pindex += atop(fs->object->backing_object_offset);
	leave_object(fs);
	fs->object = next;
	return (true);
}

/*
 * The page in this object: m is busy and valid.  KERN_SUCCESS with an m that is
 * not valid, or none: it is not here.
 */
static int
look_in_object(struct faultstate *fs)
{
	vm_object_t object = fs->object;
	bool has_it;

	if ((object->flags & OBJ_DEAD) != 0) {
		release_all(fs);
		return (KERN_PROTECTION_FAILURE);
	}
	fs->m = vm_page_lookup(object, fs->pindex);
	if (fs->m != NULL && !vm_page_tryxbusy(fs->m)) {
		vm_page_t m = fs->m;

		fs->m = NULL;
		return (wait_for_page(fs, m));
	}
	if (fs->m != NULL && vm_page_all_valid(fs->m))
		return (KERN_SUCCESS);
	if (fs->pindex >= object->size && (object->flags & OBJ_ANON) == 0) {
		release_all(fs);
		return (KERN_OUT_OF_BOUNDS);
	}
	has_it = vm_pager_has_page(object, fs->pindex, NULL, NULL);
	if (fs->m == NULL && (has_it || object == fs->top.object)) {
		fs->m = vm_page_alloc(object, fs->pindex,
		    VM_ALLOC_NORMAL | VM_ALLOC_USER);
		if (fs->m == NULL)
			return (wait_for_memory(fs));
	}
	return (has_it ? page_in(fs) : KERN_SUCCESS);
}

/* Find the page, or fill one with zeros in the first object. */
static int
find_page(struct faultstate *fs)
{
	int error;

	fs->object = fs->top.object;
	fs->pindex = fs->top.pindex;
	do {
		error = look_in_object(fs);
		if (error != KERN_SUCCESS ||
		    (fs->m != NULL && vm_page_all_valid(fs->m)))
			return (error);
	} while (next_object(fs));
	leave_object(fs);
	fs->object = fs->top.object;
	fs->m = fs->placeholder;
	fs->placeholder = NULL;
	vm_page_zero_invalid(fs->m, true);
	return (KERN_SUCCESS);
}

/* ---- Copy on write ---- */

/*
 * May the page itself go up into the first object?  Nobody else sees it: the
 * object behind is anonymous, and the first one is all that refers to it.
 */
static bool
can_move_page(const struct faultstate *fs)
{
	vm_object_t object = fs->object;

	return (object == fs->top.object->backing_object &&
	    (object->flags & OBJ_ANON) != 0 && object->ref_count == 1 &&
	    object->shadow_count == 1 && fs->m->wire_count == 0);
}

/*
 * Others that show the first object may have the page of the object behind it in
 * their page tables, which is not what they see any more.
 */
static void
forget_original(const struct faultstate *fs)
{
	/* Beside ours, of the entry and of this fault. */
	if (fs->top.object->ref_count > 2)
		pmap_remove_all(fs->m);
}

static void
copy_contents(vm_page_t to, vm_page_t from)
{
	memcpy((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(to)),
	    (const void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(from)), PAGE_SIZE);
	vm_page_valid(to);
	vm_page_dirty(to);
}

static void
copy_page(struct faultstate *fs)
{
	vm_page_t copy = fs->placeholder;

	copy_contents(copy, fs->m);
	forget_original(fs);
	vm_page_activate(fs->m);
	release_page(fs->m);
	fs->m = copy;
}

/* 0, or ENOMEM: there is no node for the page, nor a placeholder any more. */
static int
move_page(struct faultstate *fs)
{
	vm_page_free(fs->placeholder);
	fs->placeholder = NULL;
	forget_original(fs);
	return (vm_page_rename(fs->m, fs->top.object, fs->top.pindex));
}

/* The page of an object behind the first becomes one of the first. */
static int
copy_on_write(struct faultstate *fs)
{
	if (!can_move_page(fs))
		copy_page(fs);
	else if (move_page(fs) != 0)
		return (wait_for_memory(fs));
	leave_object(fs);
	fs->object = fs->top.object;
	fs->placeholder = NULL;
	return (KERN_SUCCESS);
}

/* ---- Mapping ---- */

/* Is the entry as it was?  If not, the fault begins again. */
static int
lock_map_again(struct faultstate *fs)
{
	if (fs->map_locked)
		return (KERN_SUCCESS);
	VM_OBJECT_UNLOCK(fs->object);
	fs->map_locked = vm_map_trylock_read(fs->map);
	VM_OBJECT_LOCK(fs->object);
	if (fs->map_locked && fs->map->timestamp == fs->timestamp)
		return (KERN_SUCCESS);
	release_all(fs);
	return (FAULT_RESTART);
}

/* Map the page at va, if it is there; false: it is not mapped. */
static bool
map_neighbour(const struct faultstate *fs, vm_offset_t va)
{
	const struct vm_map_entry *entry = fs->top.entry;
	vm_prot_t prot = fs->top.prot & (vm_prot_t)~VM_PROT_WRITE;
	vm_page_t m = vm_page_lookup(fs->top.object,
	    atop(va - entry->start + entry->offset));

	if (pmap_extract(fs->map->pmap, va) != 0)
		return (true);
	return (m != NULL && vm_page_all_valid(m) && !vm_page_xbusied(m) &&
	    pmap_enter(fs->map->pmap, va, m, prot | VM_PROT_READ, 0) == 0);
}

/*
 * Neighbours that are there need no fault of their own, until they are written.
 * Where the next fault is, if faults go on in order.
 */
static vm_offset_t
map_around(const struct faultstate *fs)
{
	const struct vm_map_entry *entry = fs->top.entry;
	vm_offset_t reach = ptoa(MAP_AROUND);
	vm_offset_t va =
	    fs->va - entry->start > reach ? fs->va - reach : entry->start;
	vm_offset_t end = entry->end - fs->va > reach + PAGE_SIZE ?
	    fs->va + reach + PAGE_SIZE :
	    entry->end;
	vm_offset_t next = fs->va;

	for (; va < end; va += PAGE_SIZE) {
		if (map_neighbour(fs, va) && va == next)
			next += PAGE_SIZE;
	}
	return (next);
}

/* The page belongs to the first object, or is mapped without the right to write. */
static int
map_page(struct faultstate *fs)
{
	vm_prot_t prot = fs->top.prot | VM_PROT_READ;
	vm_prot_t access = fs->top.access & prot;
	unsigned int flags = access | (fs->top.wired ? PMAP_ENTER_WIRED : 0);
	vm_offset_t next = fs->va + PAGE_SIZE;

	if ((access & VM_PROT_WRITE) != 0) {
		vm_page_dirty(fs->m);
		vm_pager_page_unswapped(fs->m);
	}
	if (pmap_enter(fs->map->pmap, fs->va, fs->m, prot, flags) != 0) {
		release_all(fs);
		pmap_wait();
		return (FAULT_RESTART);
	}
	if (!fs->top.wired)
		next = map_around(fs);
	if ((fs->flags & VM_FAULT_WIRE) != 0)
		vm_page_wire(fs->m);
	else
		vm_page_activate(fs->m);
	__atomic_store_n(&fs->top.entry->next_read, next, __ATOMIC_RELAXED);
	release_all(fs);
	return (KERN_SUCCESS);
}

/* The pages of a file that is gone are only read. */
static bool
is_readonly(const struct faultstate *fs)
{
	return ((fs->top.object->flags & OBJ_READONLY) != 0);
}

static int
may_map(const struct faultstate *fs)
{
	if (is_readonly(fs) && (fs->top.access & VM_PROT_WRITE) != 0)
		return (KERN_FAILURE);
	if ((fs->flags & VM_FAULT_WIRE) != 0 &&
	    fs->m->wire_count >= VM_PAGE_WIRE_MAX)
		return (KERN_RESOURCE_SHORTAGE);
	return (KERN_SUCCESS);
}

/* ---- All of it ---- */

/* A wired page is in the first object, too: see vm_map_wire.c. */
static int
take_into_first(struct faultstate *fs)
{
	if (fs->object == fs->top.object)
		return (KERN_SUCCESS);
	if ((fs->top.access & VM_PROT_WRITE) != 0 || fs->top.wired)
		return (copy_on_write(fs));
	fs->top.prot &= (vm_prot_t)~VM_PROT_WRITE;
	return (KERN_SUCCESS);
}

/* The map stays locked, so what is mapped is what the map says. */
static int
map_device(struct faultstate *fs)
{
	vm_prot_t prot = fs->top.prot | VM_PROT_READ;
	vm_paddr_t pa;
	int result = vm_pager_paddr(fs->top.object, fs->top.pindex, prot, &pa);
	int error = 0;

	if (result == VM_PAGER_OK)
		error = pmap_enter_device(fs->map->pmap, fs->va, pa, prot,
		    fs->top.wired ? PMAP_ENTER_WIRED : 0);
	unlock_map(fs);
	if (result != VM_PAGER_OK)
		return (KERN_OUT_OF_BOUNDS);
	if (error == 0)
		return (KERN_SUCCESS);
	vm_wait(VM_ALLOC_NORMAL);
	return (FAULT_RESTART);
}

static int
fault_once(struct faultstate *fs, vm_prot_t access)
{
	int error = vm_map_lookup(fs->map, fs->va, access, &fs->top);

	if (error != KERN_SUCCESS)
		return (error);
	fs->map_locked = true;
	if (fs->top.object->type == OBJT_DEVICE)
		return (map_device(fs));
	fs->timestamp = fs->map->timestamp;
	fs->m = fs->placeholder = NULL;
	VM_OBJECT_LOCK(fs->top.object);
	vm_object_reference_locked(fs->top.object);
	vm_object_pip_add(fs->top.object, 1);

	error = find_page(fs);
	if (error != KERN_SUCCESS)
		return (error);
	error = take_into_first(fs);
	if (error != KERN_SUCCESS)
		return (error);
	error = lock_map_again(fs);
	if (error != KERN_SUCCESS)
		return (error);
	error = may_map(fs);
	if (error != KERN_SUCCESS) {
		release_all(fs);
		return (error);
	}
	if (is_readonly(fs))
		fs->top.prot &= (vm_prot_t)~VM_PROT_WRITE;
	return (map_page(fs));
}

int
vm_fault(vm_map_t map, vm_offset_t va, vm_prot_t access, unsigned int flags)
{
	struct faultstate fs = {
		.map = map,
		.va = trunc_page(va),
		.flags = flags,
	};
	int error;

	do {
		error = fault_once(&fs, access);
	} while (error == FAULT_RESTART);
	return (error);
}

/* ---- Copies of what is wired ---- */

/* Page at of to becomes a copy of page pindex of from, which has it. */
static void
copy_wired_page(vm_object_t to, vm_pindex_t at, vm_object_t from,
    vm_pindex_t pindex, unsigned int flags)
{
	vm_page_t m, copy;

	VM_OBJECT_LOCK(from);
	for (;;) {
		m = vm_page_lookup(from, pindex);
		KASSERT(m != NULL,
		    ("%s: page %#jx of %p is not wired", __func__,
			(uintmax_t)pindex, (void *)from));
		if (vm_page_sleep_if_xbusy(m, "vmcopy"))
			continue;
		copy = vm_page_alloc(to, at, VM_ALLOC_NORMAL | VM_ALLOC_USER);
		if (copy != NULL)
			break;
		VM_OBJECT_UNLOCK(from);
		vm_wait(VM_ALLOC_NORMAL);
		VM_OBJECT_LOCK(from);
	}
	copy_contents(copy, m);
	if ((flags & VM_FAULT_WIRE) != 0)
		vm_page_wire(copy);
	else
		vm_page_activate(copy);
	vm_page_xunbusy(copy);
	VM_OBJECT_UNLOCK(from);
}

void
vm_fault_copy_entry(vm_map_entry_t entry, const struct vm_map_entry *from,
    unsigned int flags)
{
	vm_pindex_t n = atop(entry->end - entry->start);
	vm_pindex_t first = atop(from->offset);
	vm_object_t object = vm_object_allocate(OBJT_SWAP, n);

	for (vm_pindex_t i = 0; i < n; i++)
		copy_wired_page(object, i, from->object, first + i, flags);
	entry->object = object;
	entry->offset = 0;
	entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
}
