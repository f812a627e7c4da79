/* What is true of all objects, and of swap, whenever no call is under way. */
#ifndef TESTS_VM_OBJECTS_H
#define TESTS_VM_OBJECTS_H

#include <stddef.h>

#include "kernel/vm/vm_object.h"

/* How many objects there are, and how many pages they have.  Locks. */
size_t audit_objects(vm_pindex_t *npages);

/* Each used block is one page's, and no two pages have the same.  Locks. */
void audit_swap(void);

#endif
