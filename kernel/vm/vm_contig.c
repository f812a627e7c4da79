/*
 * Memory without a gap, for devices: contigmalloc(9).
 *
 * When no run of free pages will do, one is made: of pages that are free or belong
 * to objects, which do not care where a page of theirs is.
 *
 *	before	 f  A  f  W  A  f  f  B	    f free, W wired, A B of objects
 *	window		     [        ]
 *	after	 f  A  f  W  f  f  f  f	    A and B have moved elsewhere
 *
 * Nobody holds the window while its pages move, so another may take a page of it;
 * then it is tried again, a few times.
 *
 * A search looks at all of memory, so others get vm_mtx from time to time, but not
 * between the look at a window and the moves.
 *
 * Locks: vm_mtx -> the pmap's, vm_page_queue_free_mtx.
 */
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_phys.h"

#define CONTIG_TRIES 3

/* Windows that are looked at before others may have vm_mtx. */
#define WINDOW_BATCH 64

/* Free, or an object's that nobody needs where it is. */
static bool
is_movable(vm_page_t m)
{
	const struct vm_object *object;

	if ((vm_page_aflags(m) & VPG_FREE) != 0)
		return (true);
	object = vm_page_object(m);
	return (object != NULL && (object->flags & OBJ_UNMANAGED) == 0 &&
	    !vm_page_busied(m) && m->wire_count == 0);
}

/* The last page of a window that has to stay; NULL: there is none. */
static vm_page_t
last_obstacle(vm_page_t first, vm_pindex_t npages)
{
	while (npages-- > 0) {
		if (!is_movable(&first[npages]))
			return (&first[npages]);
	}
	return (NULL);
}

/* The first page of a window in a segment; NULL: it has none. */
static vm_page_t
find_window(const struct vm_phys_seg *seg, vm_pindex_t npages,
    const struct vm_phys_where *where)
{
	vm_paddr_t at = seg->start, pa;
	unsigned int n = 0;

	while ((pa = vm_phys_fit(at, seg->end, ptoa(npages), where)) !=
	    seg->end) {
		vm_page_t first = PHYS_TO_VM_PAGE(pa);
		vm_page_t obstacle = last_obstacle(first, npages);

		if (obstacle == NULL)
			return (first);
		at = VM_PAGE_TO_PHYS(obstacle) + PAGE_SIZE;
		if (++n % WINDOW_BATCH == 0) {
			mtx_unlock(&vm_mtx);
			mtx_lock(&vm_mtx);
		}
	}
	return (NULL);
}

/* A free page outside of the window; those inside are put on a list meanwhile. */
static vm_page_t
take_outside(vm_page_t first, vm_pindex_t npages, uint32_t *inside)
{
	vm_page_t m;

	while ((m = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_USER)) !=
		NULL &&
	    m >= first && m < first + npages) {
		m->next = *inside;
		*inside = (uint32_t)(m - vm_page_array);
	}
	return (m);
}

/* Give m->object another page for m, or none if it can do without; false: no. */
static bool
vacate_page(vm_page_t m, vm_page_t to)
{
	pmap_remove_all(m);
	vm_page_test_dirty(m);
	if (to == NULL && m->dirty != 0)
		return (false);
	if (to != NULL) {
		memcpy((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(to)),
		    (const void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)), PAGE_SIZE);
		vm_page_replace(to, m);
	}
	vm_page_free(m);
	return (true);
}

/* Make all pages of a window free; vm_mtx is held. */
static bool
clear_window(vm_page_t first, vm_pindex_t npages)
{
	uint32_t inside = VM_PAGE_NONE;
	bool ok = true;

	for (vm_pindex_t i = 0; ok && i < npages; i++) {
		if (vm_page_object(&first[i]) != NULL)
			ok = vacate_page(&first[i],
			    take_outside(first, npages, &inside));
	}
	while (inside != VM_PAGE_NONE) {
		vm_page_t m = &vm_page_array[inside];

		inside = m->next;
		m->next = VM_PAGE_NONE;
		vm_page_free(m);
	}
	return (ok);
}

/* A run is taken from one free block, which is aligned to its size. */
static struct vm_phys_where
where_of_block(vm_pindex_t npages, const struct vm_phys_where *where)
{
	struct vm_phys_where block = *where;

	while (block.alignment < ptoa(npages))
		block.alignment =
		    block.alignment == 0 ? PAGE_SIZE : 2 * block.alignment;
	return (block);
}

bool
vm_page_reclaim_contig(vm_pindex_t npages, const struct vm_phys_where *where)
{
	struct vm_phys_where block;
	bool ok = false;

	if (npages == 0 || npages > (vm_pindex_t)1 << (VM_NFREEORDER - 1))
		return (false);
	block = where_of_block(npages, where);
	mtx_lock(&vm_mtx);
	for (int i = 0; !ok && i < vm_phys_nsegs; i++) {
		vm_page_t first = find_window(&vm_phys_segs[i], npages, &block);

		ok = first != NULL && clear_window(first, npages);
	}
	mtx_unlock(&vm_mtx);
	return (ok);
}

vm_page_t
vm_page_alloc_contig_hard(int req, vm_pindex_t npages,
    const struct vm_phys_where *where)
{
	vm_page_t m = vm_page_alloc_contig(req, npages, where);

	for (int tries = 0; m == NULL && tries < CONTIG_TRIES; tries++) {
		if (!vm_page_reclaim_contig(npages, where))
			break;
		m = vm_page_alloc_contig(req, npages, where);
	}
	return (m);
}

void *
contigmalloc(size_t size, struct malloc_type *type, int flags, vm_paddr_t low,
    vm_paddr_t high, size_t alignment, vm_paddr_t boundary)
{
	const struct vm_phys_where where = {
		.low = low,
		.high = high,
		.alignment = alignment,
		.boundary = boundary,
	};
	void *addr = kmem_alloc_contig(size, flags, &where);

	if (addr != NULL)
		malloc_type_allocated(type, round_page(size));
	return (addr);
}

void
contigfree(void *addr, size_t size, struct malloc_type *type)
{
	kmem_free(addr, size);
	malloc_type_freed(type, round_page(size));
}
