/*
 * A bitmap, searched next-fit: each search begins where the last one ended, so
 * that an address is used again as late as possible, and a stale pointer meets
 * an unmapped page rather than another's memory.
 *
 * 2 GB of addresses take 64 KB of bits; full or empty words are skipped 64
 * pages at a time.  No memory is allocated, so nothing can recurse.
 *
 * Lock: that of the arena's owner, which callers hold: kva_mtx or memguard_mtx.
 */
#include "kernel/vm/vm_kva.h"

#include "kernel/sys/systm.h"

static bool
kva_is_used(const struct kva_arena *arena, vm_pindex_t page)
{
	return ((arena->ka_bits[page / 64] >> page % 64 & 1) != 0);
}

/*
 * The end of the run of pages from start that are all free, or all in use; a
 * whole word at a time where that is possible.  Looks no further than limit.
 */
static vm_pindex_t
kva_run_end(const struct kva_arena *arena, vm_pindex_t start, vm_pindex_t limit)
{
	bool used = kva_is_used(arena, start);
	vm_pindex_t page = start;

	while (page < limit) {
		uint64_t word = arena->ka_bits[page / 64];
		uint64_t differs = (used ? ~word : word) >> page % 64;

		if (differs != 0) {
			page += (vm_pindex_t)__builtin_ctzll(differs);
			break;
		}
		page += 64 - page % 64;
	}
	return (page < limit ? page : limit);
}

/* First fit in [start, end). */
static vm_pindex_t
kva_find(const struct kva_arena *arena, vm_pindex_t start, vm_pindex_t end,
    vm_pindex_t npages)
{
	while (start < end && end - start >= npages) {
		bool used = kva_is_used(arena, start);
		vm_pindex_t limit = used ? end : start + npages;
		vm_pindex_t next = kva_run_end(arena, start, limit);

		if (!used && next == limit)
			return (start);
		start = next;
	}
	return (KVA_NONE);
}

void
kva_arena_init(struct kva_arena *arena, uint64_t *bits, vm_pindex_t npages)
{
	*arena = (struct kva_arena){ .ka_bits = bits, .ka_npages = npages };
}

vm_pindex_t
kva_arena_alloc(struct kva_arena *arena, vm_pindex_t npages)
{
	vm_pindex_t start;

	if (npages == 0 || npages > arena->ka_npages - arena->ka_nused)
		return (KVA_NONE);
	start = kva_find(arena, arena->ka_next, arena->ka_npages, npages);
	if (start == KVA_NONE)
		start = kva_find(arena, 0, arena->ka_npages, npages);
	if (start == KVA_NONE)
		return (KVA_NONE);

	for (vm_pindex_t page = start; page < start + npages; page++)
		arena->ka_bits[page / 64] |= (uint64_t)1 << page % 64;
	arena->ka_nused += npages;
	arena->ka_next = (start + npages) % arena->ka_npages;
	return (start);
}

void
kva_arena_free(struct kva_arena *arena, vm_pindex_t start, vm_pindex_t npages)
{
	if (start >= arena->ka_npages || npages > arena->ka_npages - start)
		panic("%s: pages %#jx + %#jx of %#jx", __func__,
		    (uintmax_t)start, (uintmax_t)npages,
		    (uintmax_t)arena->ka_npages);
	for (vm_pindex_t page = start; page < start + npages; page++) {
		if (!kva_is_used(arena, page))
			panic("%s: page %#jx is free already", __func__,
			    (uintmax_t)page);
		arena->ka_bits[page / 64] &= ~((uint64_t)1 << page % 64);
	}
	arena->ka_nused -= npages;
}
