/*
 * Bytes around each allocation of malloc(9) that are checked when it is freed:
 * redzone(9).  The tunable vm.redzone.enable=1 turns it on, at boot only.
 *
 *	malloc		ask for redzone_size_ntor(size), then redzone_setup()
 *	free		redzone_check(), then free redzone_addr_ntor(addr)
 */
#ifndef KERNEL_VM_REDZONE_H
#define KERNEL_VM_REDZONE_H

#include "kernel/sys/malloc.h"

extern int redzone_enable;
extern int redzone_panic; /* vm.redzone.panic: panic, do not go on */

/* Bytes to allocate for size of them. */
size_t redzone_size_ntor(size_t size);

/* What the user gets of raw, which has room bytes. */
void *redzone_setup(void *raw, size_t room, size_t size,
    const struct malloc_type *type);

/*
 * Are the bytes around an allocation as they were, and is it of that type?  If
 * not, say so with the stacks of the allocation and of this call, and panic() if
 * redzone_panic is set or the type is another.
 */
void redzone_check(void *addr, size_t room, const struct malloc_type *type);

/* What was allocated for addr, and what its user asked for. */
void *redzone_addr_ntor(void *addr);
size_t redzone_get_size(const void *addr);

#endif
