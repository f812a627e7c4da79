/*
 * UMA for malloc(9) alone.
 */
#ifndef KERNEL_VM_UMA_MALLOC_H
#define KERNEL_VM_UMA_MALLOC_H

#include "kernel/vm/vm.h"

/* Memory beyond a page, rounded up to whole pages; flags as malloc's. */
void *uma_large_malloc(vm_size_t size, int flags);

/*
 * Bytes of the allocation at addr, an item of a zone or a large one.  0: there
 * is none.
 */
size_t uma_malloc_size(const void *addr);

/*
 * Give it back; arg is for its zone's dtor.  Returns its bytes.  0: there was
 * none.
 */
size_t uma_malloc_free(void *addr, void *arg);

#endif
