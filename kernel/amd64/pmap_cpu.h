/*
 * All that the pmap wants of a CPU, beside critical_cpu() and memory.
 *
 * The kernel has these in mp_machdep.c.  tests/vm/mmu.c has them for a host: an
 * MMU with a TLB for each simulated CPU, which keeps what it is not told to
 * forget.
 */
#ifndef KERNEL_AMD64_PMAP_CPU_H
#define KERNEL_AMD64_PMAP_CPU_H

#include <stdbool.h>

#include "kernel/vm/vm.h"

/* Addresses [tlb_start, tlb_end), whole pages. */
struct tlb_range {
	vm_offset_t tlb_start;
	vm_offset_t tlb_end;
};

/* More ranges, or more pages, than these are not worth single instructions. */
#define TLB_NRANGES 8
#define TLB_NPAGES  64

/* The translations that a CPU must forget: some ranges, or all with the global. */
struct tlb_flush {
	bool tlf_all;
	unsigned int tlf_nranges;
	struct tlb_range tlf_range[TLB_NRANGES];
};

#define TLB_ALL_CPUS UINT64_MAX

/* Has this CPU PCIDs, and are they on?  All CPUs have what the first has. */
bool pmap_cpu_has_pcid(void);

/*
 * Use the page tables at an address, with a PCID in its low bits.  Without
 * CR3_PCID_SAVE, forget what the CPU knows under that PCID and is not global.
 * Intel SDM vol. 3, "Invalidation of TLBs and Paging-Structure Caches".
 */
#define CR3_PCID_MASK UINT64_C(0xfff)
#define CR3_PCID_SAVE (UINT64_C(1) << 63)
void pmap_cpu_load(uint64_t cr3);

/*
 * Make CPUs, a bit each, forget translations, and what they know of the tables
 * that lead there: ranges under the PCID that is loaded there, all under all.  When this returns they have.  Only what the caller has
 * changed before is certain to be gone.  Any context but an NMI.
 */
void pmap_cpu_invalidate(uint64_t cpus, const struct tlb_flush *flush);

#endif
