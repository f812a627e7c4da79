/*
 * Stacks, which grow downwards as they are used.
 *
 * A stack is two entries: the part that is mapped, and below it a guard for the
 * rest of its size.  An access to the guard moves the edge between them.  Since
 * the guard is an entry, nothing else is mapped where the stack may grow to.
 *
 *	start                                      end
 *	| guard page | guard: may grow   | mapped    |
 *	                            <----
 *
 * The lowest page stays a guard, so that a stack that is used up faults and does
 * not run into what is below it.
 *
 * Lock: vm map, owned to move the edge, not held while new pages are wired.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_map_int.h"

/* How much a stack grows at least, if there is room: vm.stack_grow of FreeBSD. */
#define STACK_GROW ((vm_size_t)128 * 1024)

int
vm_map_stack(vm_map_t map, vm_offset_t start, vm_size_t size, vm_size_t mapped,
    const struct vm_map_what *what)
{
	const struct vm_map_what gap = { .cow = MAP_CREATE_STACK_GAP_DN };
	vm_offset_t end = start + size;
	int error;

	if (size < 2 * PAGE_SIZE || mapped < PAGE_SIZE ||
	    mapped > size - PAGE_SIZE || size > UINTPTR_MAX - start)
		return (KERN_INVALID_ARGUMENT);
	vm_map_lock(map);
	error = vm_map_insert(map, start, end - mapped, &gap);
	if (error == KERN_SUCCESS) {
		error = vm_map_insert(map, end - mapped, end, what);
		if (error != KERN_SUCCESS)
			(void)vm_map_delete(map, start, end - mapped);
	}
	vm_map_unlock(map);
	return (error);
}

/* How far down the edge goes for va: a good deal, but not over the last page. */
static vm_offset_t
new_edge(const struct vm_map_entry *gap, vm_offset_t va)
{
	vm_offset_t edge = trunc_page(va);

	if (gap->end - edge < STACK_GROW)
		edge = gap->end - gap->start > STACK_GROW + PAGE_SIZE ?
		    gap->end - STACK_GROW :
		    gap->start + PAGE_SIZE;
	return (edge);
}

static int
grow(vm_map_t map, vm_map_entry_t gap, vm_offset_t va)
{
	vm_map_entry_t stack = gap->next;
	vm_offset_t edge = new_edge(gap, va), end = gap->end;
	struct vm_map_what what;

	if (stack->start != end || (stack->eflags & MAP_ENTRY_GUARD) != 0)
		return (KERN_FAILURE);
	if (trunc_page(va) < gap->start + PAGE_SIZE)
		return (KERN_NO_SPACE);
	what = (struct vm_map_what){
		.prot = stack->protection,
		.max = stack->max_protection,
	};
	vm_map_entry_resize(map, gap, gap->start, edge);
	return (vm_map_insert(map, edge, end, &what));
}

/* What could not be made to stay, and is not mapped any more, is a guard again. */
static void
shrink(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t gap;

	vm_map_lock(map);
	if (vm_map_lookup_entry(map, start - PAGE_SIZE, &gap) &&
	    (gap->eflags & MAP_ENTRY_STACK_GAP_DN) != 0 && gap->end == start &&
	    gap->next->start >= end)
		vm_map_entry_resize(map, gap, gap->start, end);
	vm_map_unlock(map);
}

/* The guard of a stack at va.  NULL with SUCCESS: another thread was faster. */
static int
look_for_gap(vm_map_t map, vm_offset_t va, vm_map_entry_t *gap)
{
	vm_map_entry_t entry;

	*gap = NULL;
	if (!vm_map_lookup_entry(map, va, &entry))
		return (KERN_FAILURE);
	if ((entry->eflags & MAP_ENTRY_GUARD) == 0)
		return (KERN_SUCCESS);
	if ((entry->eflags & MAP_ENTRY_STACK_GAP_DN) == 0)
		return (KERN_FAILURE);
	*gap = entry;
	return (KERN_SUCCESS);
}

/* Most accesses that fail are not of stacks: the map is owned only for those. */
int
vm_map_growstack(vm_map_t map, vm_offset_t va)
{
	vm_map_entry_t gap;
	vm_offset_t start = 0, end = 0;
	int error;

	vm_map_lock_read(map);
	error = look_for_gap(map, va, &gap);
	vm_map_unlock_read(map);
	if (gap == NULL)
		return (error);

	vm_map_lock(map);
	vm_map_wait_busy(map);
	error = look_for_gap(map, va, &gap);
	if (gap != NULL) {
		end = gap->end;
		error = grow(map, gap, va);
		start = gap->end;
	}
	vm_map_unlock(map);
	if (error == KERN_SUCCESS && start < end) {
		error = vm_map_wire_new(map, start, end);
		if (error != KERN_SUCCESS)
			shrink(map, start, end);
	}
	return (error);
}
