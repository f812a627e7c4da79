/*
 * What the VM system asks of the machine's page tables.
 *
 * Two ways lead to a physical page.  The direct map shows all of memory at a
 * constant distance and costs nothing.  Kernel virtual addresses (KVA) are
 * mapped one page at a time.  Only the second leaves a trace that a dump
 * writer can find, which is why users of the first register their pages: see
 * uma_machdep.c.
 *
 * The machine provides these: kernel/amd64/pmap.c, and on a host the simulated
 * machine under tests/vm.
 */
#ifndef KERNEL_VM_PMAP_H
#define KERNEL_VM_PMAP_H

#include <stdbool.h>

#include "kernel/vm/vm.h"

/* The direct map: address dmapbase + pa is physical address pa. */
extern vm_offset_t dmapbase;
extern vm_offset_t dmapend;

/* First kernel address that has no page-table page yet. */
extern vm_offset_t kernel_vm_end;

static inline vm_offset_t
PHYS_TO_DMAP(vm_paddr_t pa)
{
	return (dmapbase + (vm_offset_t)pa);
}

static inline vm_paddr_t
DMAP_TO_PHYS(vm_offset_t va)
{
	return ((vm_paddr_t)(va - dmapbase));
}

static inline bool
VIRT_IN_DMAP(vm_offset_t va)
{
	return (va >= dmapbase && va < dmapend);
}

/*
 * Provide page-table pages up to end, so that pmap_kenter cannot fail below
 * it.  Serializes itself; takes pages with VM_ALLOC_SYSTEM.  ENOMEM leaves
 * what was there.
 */
int pmap_growkernel(vm_offset_t end);

/* Map a page, wired, read and write, never to be executed. */
void pmap_kenter(vm_offset_t va, vm_paddr_t pa);

/*
 * Unmap npages pages from va.  When this returns no CPU uses the old
 * translations any more.
 */
void pmap_qremove(vm_offset_t va, vm_size_t npages);

/* Device registers at pa, uncached.  NULL: no addresses are left for them. */
volatile void *pmap_mapdev(vm_paddr_t pa, vm_size_t len);

/*
 * The physical address of a mapped kernel address: direct map, kernel image or
 * KVA.  0: nothing is mapped there.
 */
vm_paddr_t pmap_kextract(vm_offset_t va);

#endif
