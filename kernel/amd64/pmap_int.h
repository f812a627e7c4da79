/*
 * What the files of the pmap share.
 *
 *	pmap_bootstrap.c	the page tables of the boot: needs the machine
 *	pmap_kernel.c		the kernel map
 *	pmap_tlb.c		what CPUs have to forget
 *
 * All but pmap_bootstrap.c are compiled for a host, too, where tests/vm/mmu.c
 * has the functions of pmap_cpu.h.
 */
#ifndef KERNEL_AMD64_PMAP_INT_H
#define KERNEL_AMD64_PMAP_INT_H

#include "format/paging_amd64.h"
#include "kernel/sys/param.h"
#include "kernel/vm/vm.h"

#define NPTEPG 512
#define NBPDR  UINT64_C(0x200000)
#define NBPDP  UINT64_C(0x40000000)
#define NKPD   2 /* directory pages of the top 2 GB */

typedef uint64_t pt_entry_t;

/* An entry that leads to a table, and one that maps a kernel page of data. */
#define ENTRY_TABLE (AMD64_PTE_V | AMD64_PTE_RW)
#define ENTRY_DATA                                                             \
	(AMD64_PTE_V | AMD64_PTE_RW | AMD64_PTE_A | AMD64_PTE_M |              \
	    AMD64_PTE_G | AMD64_PTE_NX)

/* What an entry of a level maps, 0 the lowest. */
static inline uint64_t
level_size(unsigned int level)
{
	return (UINT64_C(1) << (12 + 9 * level));
}

/* The directories of the top 2 GB, through which its page tables are reached. */
extern pt_entry_t *kernel_pd[NKPD]; /* (c) */

/*
 * The directory entry, and the entry, for va in the top 2 GB; the second wants a
 * page table that exists.
 */
pt_entry_t *pmap_kernel_pde(vm_offset_t va);
pt_entry_t *pmap_kernel_pte(vm_offset_t va);

/* The physical address of va in the kernel's image; 0: it is not in it. */
vm_paddr_t pmap_image_extract(vm_offset_t va);

#endif
