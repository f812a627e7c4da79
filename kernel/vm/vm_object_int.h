/*
 * What the files of objects share.  All with objects locked.
 */
#ifndef KERNEL_VM_VM_OBJECT_INT_H
#define KERNEL_VM_VM_OBJECT_INT_H

#include "kernel/vm/vm_object.h"

/*
 * Put backing behind an object that has nothing there, and take it away again;
 * what it was, or NULL.  The object's reference to it passes by.
 */
void vm_object_backing_set(vm_object_t object, vm_object_t backing,
    vm_ooffset_t offset);
vm_object_t vm_object_backing_clear(vm_object_t object);

/* Pages that are looked at or freed before others may have the lock. */
#define VM_OBJECT_BATCH 256

/* Others get the lock for a moment.  The caller has paging in progress. */
static inline void
vm_object_yield(vm_object_t object)
{
	VM_OBJECT_UNLOCK(object);
	VM_OBJECT_LOCK(object);
}

/* Free an object without references, pages and backing object. */
void vm_object_destroy(vm_object_t object);

#endif
