/*
 * Physical memory: where it is, and which of it is free.
 */
#ifndef KERNEL_VM_VM_PHYS_H
#define KERNEL_VM_VM_PHYS_H

#include "kernel/vm/vm_param.h"

/*
 * Pairs of addresses, half-open, ascending, up to a pair whose end is 0.
 * dump_avail is the machine's memory as firmware reported it: what may be
 * dumped.  phys_avail is what of it is still unused: the machine fills it in,
 * vm_phys_early_alloc shrinks it, the free lists swallow it.
 */
extern vm_paddr_t dump_avail[2 * VM_PHYSSEG_MAX + 2];
extern vm_paddr_t phys_avail[2 * VM_PHYSSEG_MAX + 2];

/* A range of memory, and where in the page array its pages begin. */
struct vm_phys_seg {
	vm_paddr_t start;
	vm_paddr_t end;
	uint32_t first;
};

extern struct vm_phys_seg vm_phys_segs[VM_PHYSSEG_MAX];
extern int vm_phys_nsegs;

/*
 * A block is taken from the pool of its user, and from another only when that
 * has none: then the largest there is, so that what the kernel uses lies
 * together.  Fewer large pages map it, and the part of the page array that
 * describes it, which every dump holds, is small.
 */
enum vm_freepool {
	VM_FREEPOOL_DEFAULT, /* user memory, page cache */
	VM_FREEPOOL_DIRECT,  /* the kernel's own */
	VM_NFREEPOOL
};

/* How memory that is taken before there is a page array gets into a dump. */
enum vm_early_class {
	VM_EARLY_CORE, /* always */
	VM_EARLY_BULK, /* as dump_add_bulk says */
};

/*
 * Take memory before the free lists exist, from the end of the largest range
 * of phys_avail.  It is zeroed, never freed, and registered for dumps as soon
 * as there is a set to register it in: no early memory can be forgotten.
 * Panics when there is none left.
 */
vm_paddr_t vm_phys_early_alloc(vm_size_t bytes, enum vm_early_class class);
void vm_phys_early_register(void);

/*
 * Read dump_avail into vm_phys_segs, and return how many pages there are.
 * Must come before anything else here but early_alloc.
 */
vm_pindex_t vm_phys_init(void);

/* The page at pa, NULL if that is not memory. */
vm_page_t vm_phys_paddr_to_vm_page(vm_paddr_t pa);
vm_paddr_t vm_phys_vm_page_to_paddr(const struct vm_page *m);

/*
 * The free lists.  The caller holds vm_page_queue_free_mtx and counts what is
 * free.  A block is 2^order pages, aligned to its own size.
 */
vm_page_t vm_phys_alloc_pages(enum vm_freepool pool, int order);
void vm_phys_free_pages(vm_page_t m, int order);

/* Where m goes when it is freed. */
enum vm_freepool vm_phys_pool(const struct vm_page *m);

/* Where a contiguous allocation may lie; powers of two, boundary 0 is none. */
struct vm_phys_where {
	vm_paddr_t low;
	vm_paddr_t high; /* the run ends at or below this */
	uint64_t alignment;
	uint64_t boundary;
};

/*
 * The first address in [start, end) from which size bytes meet all wishes; end if
 * there is none.
 */
vm_paddr_t vm_phys_fit(vm_paddr_t start, vm_paddr_t end, uint64_t size,
    const struct vm_phys_where *where);

/*
 * npages consecutive pages, at most 2^(VM_NFREEORDER - 1).  NULL: there are
 * none.
 */
vm_page_t vm_phys_alloc_contig(enum vm_freepool pool, vm_pindex_t npages,
    const struct vm_phys_where *where);

/* Free a run of any length and alignment. */
void vm_phys_free_run(vm_page_t m, vm_pindex_t npages);

/* Free blocks of one size in one pool. */
vm_pindex_t vm_phys_free_blocks(enum vm_freepool pool, int order);

#endif
