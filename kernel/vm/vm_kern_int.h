/*
 * Kernel memory from the inside: for vm_kern.c and vm_kern_freed.c.
 */
#ifndef KERNEL_VM_VM_KERN_INT_H
#define KERNEL_VM_VM_KERN_INT_H

#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_param.h"

extern vm_offset_t kva_base; /* constant: where the kernel map starts */

/*
 * Unmap npages from addr: a list of their pages, linked by next.  CPUs may use the old
 * translations until pmap_kforget().
 */
uint32_t kmem_unmap(vm_offset_t addr, vm_pindex_t npages);

/* Free the pages of such a list, to which no CPU has a translation. */
void kmem_free_pages(uint32_t list);

/*
 * Free the addresses of range, in which npages pages from addr are mapped, at least
 * one, and these pages: now, or when more have come together.
 */
void kmem_free_later(struct kva_range range, vm_offset_t addr,
    vm_pindex_t npages);

/* Part of kmem_early_init(). */
void kmem_freed_init(void);

#endif
