/*
 * Facts about each machine that only libkvm needs: where the
 * kernel's page tables start, and how it stores per-CPU pointers.
 */
#ifndef LIBKVM_ARCH_H
#define LIBKVM_ARCH_H

#include "format/arch.h"
#include "format/paging.h"

/* Bits of CR4 that choose the form of page tables: Intel SDM vol. 3, 4.1.1. */
#define CR4_PAE	   UINT64_C(0x20)
#define CR4_LA57   UINT64_C(0x1000)
#define CR4_PAGING (CR4_PAE | CR4_LA57)

/* Boot loaders put kernels at multiples of this many bytes. */
#define LOAD_ALIGN UINT64_C(0x200000)

/* A way to the root of the kernel's page tables: by which symbol, and how. */
struct root_route {
	const struct paging *rte_paging;
	const char *rte_symbol;
	unsigned int rte_pointer_len; /* of the root's address at the symbol;
					 0: the root is at the symbol */
	uint64_t rte_kernbase;	      /* if the kernel has no such symbol */
	uint64_t rte_load_va_off; /* from kernbase to what LOAD_ALIGN holds */
	uint64_t rte_dmapbase;	  /* 0: not known */

	/* x86, in the core of a hypervisor. */
	uint64_t rte_cr4;      /* the paging bits of CR4, if this is it */
	uint64_t rte_cr3_addr; /* the bits of CR3 that are the address */
};

struct kvm_arch {
	const struct root_route *kar_routes; /* in the order to try them */
	size_t kar_nroutes;		     /* 0: full dumps are not read */

	/* Per-CPU pointers are distances from where __pcpu points. */
	bool kar_zpcpu_is_offset;
};

/* The row of arch, which is below ARCH_COUNT. */
const struct kvm_arch *kvm_arch(enum dump_arch arch);

/* Is it the machine that this program runs on? */
bool kvm_arch_is_host(enum dump_arch arch);

#endif
