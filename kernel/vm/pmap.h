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

/* Addresses [kr_start, kr_end) of the kernel map, whole pages. */
struct kva_range {
	vm_offset_t kr_start;
	vm_offset_t kr_end;
};

/*
 * Unmap npages pages from va, while CPUs may go on using the old translations; and
 * make all CPUs forget what they know of some ranges.
 */
void pmap_kremove(vm_offset_t va, vm_size_t npages);
void pmap_kforget(const struct kva_range *ranges, unsigned int nranges);

/* Device registers at pa, uncached.  NULL: no addresses are left for them. */
volatile void *pmap_mapdev(vm_paddr_t pa, vm_size_t len);

/*
 * The physical address of a mapped kernel address: direct map, kernel image or
 * KVA.  0: nothing is mapped there.
 */
vm_paddr_t pmap_kextract(vm_offset_t va);

/*
 * User halves of address spaces.  A pmap is a cache of what a map says: it may
 * forget a mapping that is not wired at any time, and a fault brings it back.
 * The kernel's half is the same in all of them.
 *
 * Every mapping of a page is known, so a page can be found and taken away
 * wherever it is mapped.  What a mapping knew, that its page was accessed or
 * written to, stays with the page.  When a call returns that removed a mapping
 * or a right, no CPU uses it any more.
 *
 * They take a spin mutex and do not sleep.  Addresses are of whole pages, ranges
 * half-open and in the user half.
 */
extern struct pmap kernel_pmap_store;
#define kernel_pmap (&kernel_pmap_store)

/* Before the first of these, once the kernel's page tables are there. */
void pmap_init(void);

/* Bytes of a struct pmap. */
extern const vm_size_t pmap_struct_size;

/* An address space with nothing in it.  0 or ENOMEM. */
int pmap_pinit(pmap_t pmap);

/* Give back what pmap_pinit() took.  No mapping is left, no CPU has it loaded. */
void pmap_release(pmap_t pmap);

/* This CPU uses pmap from now on; kernel_pmap is the kernel's half alone. */
void pmap_activate(pmap_t pmap);

/* Flags of pmap_enter(), beside the VM_PROT_* of the access that needs it. */
#define PMAP_ENTER_WIRED 0x100 /* stays until it is removed or unwired */

/*
 * Map m, which is not free, at va, instead of what is there.  0, or ENOMEM when
 * there is no page for tables or reverse maps: then nothing has changed,
 * but that a large page that was there may have been forgotten.
 */
int pmap_enter(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot,
    unsigned int flags);

/*
 * After ENOMEM of these calls: sleep until there may be such a page.  Without
 * locks.
 */
void pmap_wait(void);

/*
 * Map a page of a device's memory at pa, uncached.  It is no page of the machine's
 * memory, so only its address leads to the mapping.  flags may have
 * PMAP_ENTER_WIRED; what is returned is as for pmap_enter().
 */
int pmap_enter_device(pmap_t pmap, vm_offset_t va, vm_paddr_t pa,
    vm_prot_t prot, unsigned int flags);

/*
 * Map 512 consecutive pages from m on as one large page, which va and m are
 * aligned to, instead of all that is there.  It is not wired.  All of its pages
 * count as accessed and, if it may be written to, as dirty: so the caller is to
 * ask for that only if they are.  0, or ENOMEM: then nothing is mapped there.
 */
int pmap_enter_large(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot);

/* Remove what is mapped, wired or not. */
void pmap_remove(pmap_t pmap, vm_offset_t start, vm_offset_t end);

/* Take away the rights that are not in prot; without READ, the mappings. */
void pmap_protect(pmap_t pmap, vm_offset_t start, vm_offset_t end,
    vm_prot_t prot);

/* The wired mappings there are so no more. */
void pmap_unwire(pmap_t pmap, vm_offset_t start, vm_offset_t end);

/*
 * For a fork: map in dst what src maps, but not wired, where dst has nothing.
 * With the same rights, so src's are taken away first where that is meant.  A
 * hint: leaves out large pages, and ends at the first page that memory is lacking
 * for.
 */
void pmap_copy(pmap_t dst, pmap_t src, vm_offset_t start, vm_offset_t end);

/* The physical address of va; 0: nothing is mapped there. */
vm_paddr_t pmap_extract(pmap_t pmap, vm_offset_t va);

/* How many pages are mapped, and how many of these wired. */
vm_pindex_t pmap_resident_count(pmap_t pmap);
vm_pindex_t pmap_wired_count(pmap_t pmap);

/* Of a page, in all pmaps: */
bool pmap_page_is_mapped(vm_page_t m);
void pmap_remove_all(vm_page_t m);   /* its mappings, wired or not */
void pmap_remove_write(vm_page_t m); /* the right to write to it */

/* Has it been written to since pmap_clear_modify()? */
bool pmap_is_modified(vm_page_t m);
void pmap_clear_modify(vm_page_t m);

/*
 * Has it been accessed since pmap_ts_referenced() counted and forgot that?  CPUs
 * are not told, so an access by one that has just used the page may be missed.
 */
bool pmap_is_referenced(vm_page_t m);
int pmap_ts_referenced(vm_page_t m);

#endif
