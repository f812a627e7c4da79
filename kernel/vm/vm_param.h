/*
 * Sizes that the machine dictates, and how bytes become pages.
 */
#ifndef KERNEL_VM_VM_PARAM_H
#define KERNEL_VM_VM_PARAM_H

#include "kernel/vm/vm.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((vm_size_t)1 << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

/* Ranges of physical memory that firmware may report. */
#define VM_PHYSSEG_MAX 32

/* Blocks of the page allocator: 2^0 to 2^12 pages, 4 KB to 16 MB. */
#define VM_NFREEORDER 13

/* No kernel of ours runs on more. */
#define MAXCPU 32

static inline vm_pindex_t
atop(uint64_t bytes)
{
	return (bytes >> PAGE_SHIFT);
}

static inline uint64_t
ptoa(vm_pindex_t npages)
{
	return (npages << PAGE_SHIFT);
}

static inline uint64_t
trunc_page(uint64_t addr)
{
	return (addr & ~(uint64_t)PAGE_MASK);
}

static inline uint64_t
round_page(uint64_t addr)
{
	return (trunc_page(addr + PAGE_MASK));
}

#endif
