/*
 * amd64's page tables, beside what all machines have (vm/pmap.h).
 */
#ifndef KERNEL_AMD64_PMAP_H
#define KERNEL_AMD64_PMAP_H

#include "kernel/sys/param.h"
#include "kernel/sys/queue.h"
#include "kernel/sys/types.h"

struct dump_range;

/* The number of an address space on a CPU: pmap_pcid.c. */
struct pcid {
	uint32_t pcid_number;
	uint32_t pcid_gen; /* in which the CPU gave it */
};

/* An address space.  (p): the pmap's lock. */
struct pmap {
	vm_paddr_t pm_root;	 /* (c) the top-level page table */
	uint64_t pm_active;	 /* atomic: CPUs that have it loaded */
	uint64_t pm_kept;	 /* atomic: CPUs that may keep its PCID */
	vm_pindex_t pm_resident; /* (p) pages that are mapped */
	vm_pindex_t pm_wired;	 /* (p) of these, wired */
	vm_pindex_t pm_tables;	 /* (p) page tables, the root included */
	vm_pindex_t pm_pvfree;	 /* (p) free entries of its chunks */
	LIST_HEAD(, pv_chunk) pm_chunks; /* (p) those with free entries */
	struct pcid pm_pcids[MAXCPU];	 /* by CPU, which writes its own */
};

static inline uint64_t
pmap_active(const struct pmap *pmap)
{
	return (__atomic_load_n(&pmap->pm_active, __ATOMIC_SEQ_CST));
}

/* Make the kernel's own page tables and switch to them. */
void pmap_bootstrap(void);

/* Switch a CPU that starts to them. */
void pmap_load(void);

/* What pmap_mapdev() has mapped, for the dumper: *n ranges. */
const struct dump_range *pmap_device_ranges(size_t *n);

/* The first gigabyte at its own address, for CPUs that start. */
void pmap_map_low(void);
void pmap_unmap_low(void);

/* Make a page of the image fault: the guard of a stack. */
void pmap_guard(vm_offset_t va);

/*
 * The page-table entry for va at a level, 3 the top; NULL: there is no table of
 * that level.  Tables are followed only inside of memory: this also serves the
 * debugger.
 */
uint64_t *pmap_entry(vm_offset_t va, unsigned int level);

/* Is this a page table that was made before there were pages?  See VPG_TABLE. */
bool pmap_is_boot_table(vm_paddr_t pa);

/* The top-level page table; debuggers read KPML4phys. */
extern uint64_t KPML4phys;
extern uint64_t kernphys;

#endif
