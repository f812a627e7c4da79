/*
 * An arena of pages of address space: which are handed out.
 */
#ifndef KERNEL_VM_VM_KVA_H
#define KERNEL_VM_VM_KVA_H

#include "kernel/vm/vm_param.h"

/* Guard: all of it is its owner's to lock. */
struct kva_arena {
	uint64_t *ka_bits; /* a set bit is a page in use; the owner's memory */
	vm_pindex_t ka_npages;
	vm_pindex_t ka_nused;
	vm_pindex_t ka_next; /* where the next search begins */
};

#define KVA_NONE UINT64_MAX

/* Bytes of bits that an arena of npages needs. */
static inline vm_size_t
kva_arena_size(vm_pindex_t npages)
{
	return ((npages + 63) / 64 * sizeof(uint64_t));
}

/* bits: kva_arena_size(npages) bytes of zeros. */
void kva_arena_init(struct kva_arena *arena, uint64_t *bits,
    vm_pindex_t npages);

/* Take npages consecutive free pages: the first, or KVA_NONE. */
vm_pindex_t kva_arena_alloc(struct kva_arena *arena, vm_pindex_t npages);

/* Panics unless all of them are in use. */
void kva_arena_free(struct kva_arena *arena, vm_pindex_t start,
    vm_pindex_t npages);

#endif
