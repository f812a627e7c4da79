/*
 * Who owns a page, as a dump says it: format/owner.h.
 */
#ifndef KERNEL_KERN_KERN_OWNER_H
#define KERNEL_KERN_KERN_OWNER_H

#include <stdint.h>

#include "format/owner.h"
#include "kernel/vm/vm_param.h"

enum page_owner page_owner(vm_paddr_t pa);

/* For dm_owners of a dump's machine: of n pages from pa on. */
void page_owners(void *arg, uint64_t pa, unsigned int n, uint8_t *owner);

#endif
