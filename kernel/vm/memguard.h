/*
 * Memory that faults when it is misused: memguard(9).
 *
 * An allocation that is guarded has pages of its own, between pages that are
 * never mapped, and the last byte of it is the last of its pages but for its
 * alignment.  So code that runs off its end faults there and then, and so does
 * code that uses it when it is free: its pages are unmapped, and the addresses
 * are used again as late as possible.  The bytes around it in its pages are
 * checked when it is freed.
 *
 * What is guarded is chosen by tunables, which can be set at any time:
 *
 *	vm.memguard.desc	the name of a malloc type or of a zone
 *	vm.memguard.frequency	so many allocations of 100000, of any kind
 *	vm.memguard.minsize	none that are smaller
 *	vm.memguard.options	MG_*
 *	vm.memguard.divisor	the share of the kernel map that it has: 1 / this;
 *				at boot only
 */
#ifndef KERNEL_VM_MEMGUARD_H
#define KERNEL_VM_MEMGUARD_H

#include <stdbool.h>

#include "kernel/sys/cdefs.h"
#include "kernel/sys/malloc.h"
#include "kernel/vm/uma.h"

#define MG_GUARD_AROUND	  0x1 /* unmapped pages on both sides */
#define MG_GUARD_ALLLARGE 0x2 /* all allocations of a page or more */
#define MG_GUARD_NOFREE	  0x4 /* also of zones that never free */
#define MG_GUARD_UNDERRUN 0x8 /* at the start of a page, not at the end */

struct memguard_config {
	char mgc_desc[32];
	int mgc_frequency;
	int mgc_minsize;
	int mgc_options;
	int mgc_divisor;
};

extern struct memguard_config memguard_config;

struct memguard_counts {
	uint64_t mgn_numalloc; /* atomic, as all */
	uint64_t mgn_fail_kva; /* no addresses were left */
	uint64_t mgn_fail_pgs; /* no pages were left */
};

extern struct memguard_counts memguard_counts;

/* The addresses that it has; both are 0 while nothing was ever guarded. */
extern vm_offset_t memguard_base;
extern vm_size_t memguard_mapsize;

/* Take the addresses, if the configuration asks for any.  May sleep. */
void memguard_init(void);

/* Is the next allocation of the type or zone of that name to be guarded? */
bool memguard_cmp(const char *what, size_t size);

/*
 * NULL: no addresses or no pages are left, even with M_WAITOK; the caller
 * allocates as it would without.  what is the name of the type or zone.
 */
void *memguard_alloc(size_t size, const char *what, int flags);

/*
 * Free it; its size.  panic() if it is no guarded allocation, not of what, was
 * freed before, or if bytes around it have changed.
 */
size_t memguard_free(void *addr, const char *what);

/* The size that was asked for. */
size_t memguard_get_req_size(const void *addr);

/*
 * Say on the console what addr is part of, or close to, with the stacks of that
 * allocation and of its free.  Takes no lock.  false: it is none of ours.
 */
bool memguard_describe(vm_offset_t addr);

static inline bool
is_memguard_addr(const void *addr)
{
	return (__predict_false((vm_offset_t)addr - memguard_base <
	    memguard_mapsize));
}

#endif
