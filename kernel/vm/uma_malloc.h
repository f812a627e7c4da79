/*
 * UMA for malloc(9) alone.
 */
#ifndef KERNEL_VM_UMA_MALLOC_H
#define KERNEL_VM_UMA_MALLOC_H

#include "kernel/sys/malloc.h"
#include "kernel/vm/vm.h"

/* Memory beyond a page, rounded up to whole pages; flags as malloc's. */
void *uma_large_malloc(vm_size_t size, const struct malloc_type *type,
    int flags);

/*
 * Bytes of the allocation that addr is in, an item of a zone or a large one.  0: it is
 * in none.
 */
size_t uma_malloc_size(const void *addr);

/*
 * How many of them its user may use: with uma_debug, what was asked for.  false: no
 * allocation begins at addr.
 */
bool uma_malloc_usable(const void *addr, size_t *size);

/*
 * With uma_debug: what begins at addr is for size bytes of that type from now on.
 * uma_malloc_free() looks at the rest of it, and so does this if it has been called for
 * it before.
 */
void uma_malloc_own(void *addr, size_t size, const struct malloc_type *type);

/*
 * Give it back.  Returns its bytes.  0: there was none at addr.  Panics if its type is
 * known to be another, or what is beyond its user's bytes has changed.
 */
size_t uma_malloc_free(void *addr, struct malloc_type *type);

#endif
