/*
 * brk(2): the heap is one range that begins at vm_daddr, and its end moves.
 *
 * Lock: vm map, owned while the end moves, not held while new pages are wired.
 */
#include "kernel/sys/errno.h"
#include "kernel/vm/vm_mmap.h"

/* The map is owned.  What is between the old end and the new comes or goes. */
static int
move_end(struct vmspace *vm, vm_size_t size)
{
	const struct vm_map_what zeros = {
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.max = VM_PROT_ALL,
	};
	vm_offset_t old = vm->vm_daddr + vm->vm_dsize;
	vm_offset_t new = vm->vm_daddr + size;
	int error = KERN_SUCCESS;

	if (new > old)
		error = vm_map_insert(&vm->vm_map, old, new, &zeros);
	else if (new < old)
		error = vm_map_delete(&vm->vm_map, new, old);
	if (error == KERN_SUCCESS)
		vm->vm_dsize = size;
	return (error);
}

/* The new end of the heap could not be made to stay, so it is not mapped. */
static void
back_to(struct vmspace *vm, vm_offset_t end)
{
	vm_map_lock(&vm->vm_map);
	vm->vm_dsize = end - vm->vm_daddr;
	vm_map_unlock(&vm->vm_map);
}

int
kern_break(struct vmspace *vm, vm_offset_t addr)
{
	vm_map_t map = &vm->vm_map;
	vm_offset_t old = 0, new = 0;
	int error = KERN_NO_SPACE;

	vm_map_lock(map);
	if (addr < vm->vm_daddr) {
		error = KERN_INVALID_ARGUMENT;
	} else if (addr - vm->vm_daddr <= vm->vm_dmax) {
		old = vm->vm_daddr + vm->vm_dsize;
		error = move_end(vm, round_page(addr - vm->vm_daddr));
		new = vm->vm_daddr + vm->vm_dsize;
	}
	vm_map_unlock(map);
	if (error == KERN_SUCCESS && old < new) {
		error = vm_map_wire_new(map, old, new);
		if (error != KERN_SUCCESS)
			back_to(vm, old);
	}
	return (error == KERN_SUCCESS	       ? 0 :
		error == KERN_INVALID_ARGUMENT ? EINVAL :
						 ENOMEM);
}
