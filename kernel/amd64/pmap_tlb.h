/*
 * Gathering what CPUs have to forget: unmap many, flush once, free after.
 */
#ifndef KERNEL_AMD64_PMAP_TLB_H
#define KERNEL_AMD64_PMAP_TLB_H

#include "kernel/amd64/pmap_cpu.h"

struct pmap;

/* Starts as zeros. */
struct tlb_gather {
	uint64_t tg_cpus; /* that may have used what was changed */
	vm_pindex_t tg_npages;
	vm_page_t tg_tables; /* to be freed, linked by object */
	struct tlb_flush tg_flush;
};

/* The entries of [start, end) have been changed; cpus may use the old ones. */
void tlb_gather_range(struct tlb_gather *g, uint64_t cpus, vm_offset_t start,
    vm_offset_t end);

/* The same in the user half of pmap. */
void tlb_gather_user(struct tlb_gather *g, struct pmap *pmap, vm_offset_t start,
    vm_offset_t end);

/* A page table that nothing leads to any more, but CPUs may know of it. */
void tlb_gather_table(struct tlb_gather *g, vm_page_t table);

/* No CPU uses what was gathered any more when this returns. */
void tlb_gather_finish(struct tlb_gather *g);

#endif
