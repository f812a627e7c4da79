/*
 * The kernel's limits, how bytes become pages, and its everyday macros.
 */
#ifndef KERNEL_SYS_PARAM_H
#define KERNEL_SYS_PARAM_H

#include "kernel/sys/cdefs.h"
#include "kernel/sys/types.h"

/* What debuggers take for the release that the symbols' shapes follow. */
#define __FreeBSD_version 1300139

#define MAXCOMLEN 19

/* No kernel of ours runs on more. */
#define MAXCPU 32

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((vm_size_t)1 << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

#define KSTACK_PAGES 4
#define KSTACK_SIZE  (KSTACK_PAGES * PAGE_SIZE)

#define nitems(x)	 (sizeof(x) / sizeof((x)[0]))
#define howmany(x, y)	 (((x) + ((y) - 1)) / (y))
#define rounddown2(x, y) ((x) & ~((y) - 1))
#define roundup2(x, y)	 (((x) + ((y) - 1)) & ~((y) - 1))

#define __containerof(p, type, member) \
	((type *)(void *)((char *)(p) - offsetof(type, member)))

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
