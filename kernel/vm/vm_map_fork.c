/*
 * Vmspaces: a map with its pmap, and what a child gets of its parent's.
 *
 *	share	both entries show one object
 *	copy	both show one object and may not write to it: the first write of
 *		either makes a shadow.  What is wired and may be written to is
 *		copied at once, since its pages have to stay where they are
 *	zero	new memory
 *	none	nothing
 *
 * Locks: the parent's vm map -> the child's, which nobody else has yet.  vmspace_mtx
 * guards the list of all, and no lock is taken under it.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_map_int.h"
#include "kernel/vm/vm_object.h"

struct vmspace_list vmspace_list = TAILQ_HEAD_INITIALIZER(vmspace_list);
struct mtx vmspace_mtx = MTX_DEF_INITIALIZER("vmspaces");

static uma_zone_t vmspace_zone, pmap_zone;

void
vmspace_startup(void)
{
	vm_map_startup();
	TAILQ_INIT(&vmspace_list);
	vmspace_zone = uma_zcreate("VMSPACE", sizeof(struct vmspace), NULL,
	    NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	pmap_zone = uma_zcreate("PMAP", pmap_struct_size, NULL, NULL, NULL,
	    NULL, UMA_ALIGN_PTR, 0);
}

struct vmspace *
vmspace_alloc(vm_offset_t min, vm_offset_t max)
{
	pmap_t pmap = uma_zalloc(pmap_zone, M_WAITOK);
	struct vmspace *vm;

	if (pmap_pinit(pmap) != 0) {
		uma_zfree(pmap_zone, pmap);
		return (NULL);
	}
	vm = uma_zalloc(vmspace_zone, M_WAITOK | M_ZERO);
	vm_map_init(&vm->vm_map, pmap, min, max);
	vm->vm_refcnt = 1;
	mtx_lock(&vmspace_mtx);
	TAILQ_INSERT_TAIL(&vmspace_list, vm, vm_list);
	mtx_unlock(&vmspace_mtx);
	return (vm);
}

void
vmspace_ref(struct vmspace *vm)
{
	__atomic_fetch_add(&vm->vm_refcnt, 1, __ATOMIC_RELAXED);
}

void
vmspace_free(struct vmspace *vm)
{
	vm_map_t map = &vm->vm_map;

	if (__atomic_sub_fetch(&vm->vm_refcnt, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	mtx_lock(&vmspace_mtx);
	TAILQ_REMOVE(&vmspace_list, vm, vm_list);
	mtx_unlock(&vmspace_mtx);
	(void)vm_map_remove(map, vm_map_min(map), vm_map_max(map));
	pmap_release(map->pmap);
	uma_zfree(pmap_zone, map->pmap);
	vm_map_fini(map);
	uma_zfree(vmspace_zone, vm);
}

bool
vmspace_exec(struct vmspace **vm, vm_offset_t min, vm_offset_t max)
{
	struct vmspace *old = *vm, *fresh = vmspace_alloc(min, max);

	if (fresh == NULL)
		return (false);
	fresh->vm_dmax = old->vm_dmax;
	*vm = fresh;
	vmspace_free(old);
	return (true);
}

/* ---- Forks ---- */

/* A writable copy that is still to be made is the one that both see. */
static void
share(vm_map_t map, vm_map_entry_t child, vm_map_entry_t parent)
{
	bool needs_copy = (parent->eflags & MAP_ENTRY_NEEDS_COPY) != 0;

	if (needs_copy && parent->wired_count > 0)
		vm_map_entry_copy_wired(map, parent);
	else if (needs_copy)
		vm_map_entry_shadow(parent);
	vm_map_entry_object(parent);
	child->object = parent->object;
	child->offset = parent->offset;
	child->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	vm_object_reference(child->object);
}

static void
copy_later(vm_map_t map, vm_map_entry_t child, vm_map_entry_t parent)
{
	if (parent->object == NULL)
		return;
	if ((parent->eflags & MAP_ENTRY_NEEDS_COPY) == 0) {
		if ((parent->protection & VM_PROT_WRITE) != 0)
			pmap_protect(map->pmap, parent->start, parent->end,
			    (parent->protection & ~VM_PROT_WRITE) |
				VM_PROT_READ);
		parent->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
		child->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	}
	vm_object_reference(child->object);
}

static void
copy(vm_map_t map, vm_map_entry_t child, vm_map_entry_t parent)
{
	if (parent->wired_count > 0 &&
	    (parent->protection & VM_PROT_WRITE) != 0)
		vm_fault_copy_entry(child, parent, VM_FAULT_NORMAL);
	else
		copy_later(map, child, parent);
}

static void
zero(vm_map_entry_t child)
{
	child->object = NULL;
	child->offset = 0;
	child->eflags &= ~(MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY);
}

static void
fork_entry(vm_map_t to, vm_map_t from, vm_map_entry_t parent)
{
	vm_map_entry_t child = vm_map_entry_create();

	*child = *parent;
	child->wired_count = 0;
	child->eflags &= ~MAP_ENTRY_USER_WIRED;
	if (parent->inheritance == VM_INHERIT_SHARE)
		share(from, child, parent);
	else if (parent->inheritance == VM_INHERIT_COPY)
		copy(from, child, parent);
	else
		zero(child);
	vm_map_entry_link(to, to->header.prev, child);
	/* A hint: pages that are mapped need no fault. */
	if (child->object == parent->object && child->object != NULL)
		pmap_copy(to->pmap, from->pmap, child->start, child->end);
}

struct vmspace *
vmspace_fork(struct vmspace *parent)
{
	vm_map_t from = &parent->vm_map;
	struct vmspace *child =
	    vmspace_alloc(vm_map_min(from), vm_map_max(from));

	if (child == NULL)
		return (NULL);
	child->vm_daddr = parent->vm_daddr;
	child->vm_dsize = parent->vm_dsize;
	child->vm_dmax = parent->vm_dmax;
	vm_map_lock(from);
	vm_map_wait_busy(from);
	for (vm_map_entry_t entry = from->header.next; entry != &from->header;
	     entry = entry->next) {
		if (entry->inheritance != VM_INHERIT_NONE)
			fork_entry(&child->vm_map, from, entry);
	}
	vm_map_unlock(from);
	return (child);
}
