/*
 * Kernel memory by the page, at addresses of the kernel map.
 */
#ifndef KERNEL_VM_VM_KERN_H
#define KERNEL_VM_VM_KERN_H

#include <stdbool.h>

#include "kernel/vm/vm.h"

/*
 * Addresses [start, end) are free for use; kernel_vm_end is somewhere among
 * them or before.  Called once, before vm_page_startup(): the arena's own
 * memory comes from vm_phys_early_alloc().
 */
void kmem_early_init(vm_offset_t start, vm_offset_t end);

/*
 * Addresses without memory, whole pages, growkernel done.  0: none are left,
 * or there is no memory for page tables.  Never sleeps.
 */
vm_offset_t kva_alloc(vm_size_t size);
void kva_free(vm_offset_t addr, vm_size_t size);

/*
 * size bytes, rounded up to pages, wired and mapped; with M_ZERO, zeroed.
 * NULL only with M_NOWAIT, or of 0 bytes.  M_WAITOK sleeps until there are
 * addresses, too, and panics if the kernel map could never have so many.
 */
void *kmem_malloc(vm_size_t size, int flags);
void kmem_free(void *addr, vm_size_t size);

/*
 * Pages and addresses that were freed may be free only later: this makes them free
 * now.  false: there were none.  Takes no lock that may sleep.
 */
bool kmem_settle(void);

/*
 * Physically consecutive, and where a device wants them: kmem_free() frees them.
 * M_WAITOK waits for addresses only.  NULL: there is no such memory, and none can be
 * made.  Takes vm_mtx.
 */
struct vm_phys_where;
void *kmem_alloc_contig(vm_size_t size, int flags,
    const struct vm_phys_where *where);

/*
 * The same with an unmapped page on both sides, for stacks: running off the
 * end faults instead of writing over a neighbour.
 */
void *kmem_malloc_guarded(vm_size_t size, int flags);
void kmem_free_guarded(void *addr, vm_size_t size);

/*
 * Map npages fresh pages at addr, all or none: 0 or ENOMEM.  And unmap and free
 * them; the addresses stay the caller's.
 */
int kmem_back(vm_offset_t addr, vm_pindex_t npages, int flags);
void kmem_unback(vm_offset_t addr, vm_pindex_t npages);

/* Does a thread wait for addresses?  Without a lock. */
bool kva_is_wanted(void);

/* Bytes of addresses: all, those handed out, and those with memory. */
vm_size_t kva_size(void);
vm_size_t kva_used(void);
vm_size_t kmem_used(void);

#endif
