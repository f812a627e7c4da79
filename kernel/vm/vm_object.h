/*
 * Objects: pages with a backing store, and what shows them.
 */
#ifndef KERNEL_VM_VM_OBJECT_H
#define KERNEL_VM_VM_OBJECT_H

#include "kernel/vm/vm.h"

/* Where an object's pages come from and go to. */
enum obj_type {
	OBJT_SWAP, /* zeros, and swap */
};

/* A new object with one reference; may sleep for memory. */
vm_object_t vm_object_allocate(enum obj_type type, vm_pindex_t size);

void vm_object_reference(vm_object_t object);

/* Give up a reference; the last one ends the object.  NULL is none. */
void vm_object_deallocate(vm_object_t object);

/*
 * May an object that shows prev_size bytes from prev_offset show next_size more
 * after them, as zeros?  It is made larger if it may.
 */
bool vm_object_coalesce(vm_object_t object, vm_ooffset_t prev_offset,
    vm_size_t prev_size, vm_size_t next_size);

#endif
