/*
 * Physical segments, and a buddy allocator over them.
 *
 * A free block is 2^order pages and aligned to its own size, so its buddy, the
 * other half of the next larger block, is found by flipping one bit of its
 * address.  The first page of a free block carries the block's order and is
 * linked into the list of that order and pool; the pages after it carry none.
 *
 *	pa      0x10000         0x14000   0x16000   0x18000
 *	order   | 2  -  -  -    | 1  -    | used    | 3 ...
 *
 * Keeps true: two free buddies of the same order do not exist, they are one
 * block; lists are last in, first out, so that what was used is used again.
 *
 * Lock: vm_page_queue_free_mtx, which callers hold for the free lists.  Segments
 * do not change after the boot.
 */
#include "kernel/vm/vm_phys.h"

#include "kernel/sys/dumpset.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

vm_paddr_t dump_avail[2 * VM_PHYSSEG_MAX + 2];
vm_paddr_t phys_avail[2 * VM_PHYSSEG_MAX + 2];

struct vm_phys_seg vm_phys_segs[VM_PHYSSEG_MAX];
int vm_phys_nsegs;

/*
 * Where to look for the segment of an address, or of an index: the numbers up to
 * the last are cut into equal pieces, and for each the first segment is noted that
 * ends in it or after it.  It is that one, or one of the few that share the piece.
 */
#define SEG_PIECES 256

struct seg_hint {
	unsigned int sgh_shift; /* a piece is 2^sgh_shift long */
	uint8_t sgh_first[SEG_PIECES];
};

static struct seg_hint seg_by_pa;
static struct seg_hint seg_by_idx;

struct freelist {
	uint32_t fl_head;
	vm_pindex_t fl_nblocks;
};

static struct freelist vm_phys_free[VM_NFREEPOOL][VM_NFREEORDER]; /* (f) */

/* What early_alloc gave away, until it can be registered for dumps. */
#define EARLY_MAX 16

struct early {
	vm_paddr_t ea_start;
	vm_paddr_t ea_end;
	enum vm_early_class ea_class;
};

static struct early early_allocs[EARLY_MAX];
static int early_nallocs;

/* The pair of phys_avail that holds most. */
static vm_paddr_t *
phys_avail_largest(void)
{
	vm_paddr_t *best = phys_avail;

	for (vm_paddr_t *pair = phys_avail; pair[1] != 0; pair += 2) {
		if (pair[1] - pair[0] > best[1] - best[0])
			best = pair;
	}
	return (best);
}

vm_paddr_t
vm_phys_early_alloc(vm_size_t bytes, enum vm_early_class class)
{
	vm_paddr_t *pair = phys_avail_largest();
	vm_size_t size = round_page(bytes);

	if (size == 0 || pair[1] < size ||
	    trunc_page(pair[1] - size) < round_page(pair[0]))
		panic("%s: %zu bytes, largest range %#jx - %#jx", __func__,
		    bytes, (uintmax_t)pair[0], (uintmax_t)pair[1]);
	if (early_nallocs == EARLY_MAX)
		panic("%s: more than %d requests", __func__, EARLY_MAX);

	pair[1] = trunc_page(pair[1] - size);
	early_allocs[early_nallocs++] = (struct early){
		.ea_start = pair[1],
		.ea_end = pair[1] + size,
		.ea_class = class,
	};
	memset((void *)PHYS_TO_DMAP(pair[1]), 0, size);
	return (pair[1]);
}

void
vm_phys_early_register(void)
{
	for (int i = 0; i < early_nallocs; i++) {
		const struct early *ea = &early_allocs[i];

		for (vm_paddr_t pa = ea->ea_start; pa < ea->ea_end;
		     pa += PAGE_SIZE) {
			if (ea->ea_class == VM_EARLY_BULK)
				dump_add_bulk(pa);
			else
				dump_add_page(pa);
		}
	}
	early_nallocs = 0;
}

static vm_pindex_t
seg_end_idx(const struct vm_phys_seg *seg)
{
	return (seg->first + atop(seg->end - seg->start));
}

static uint64_t
seg_end(const struct vm_phys_seg *seg, bool by_idx)
{
	return (by_idx ? seg_end_idx(seg) : seg->end);
}

/* All segments are known. */
static void
seg_hint_init(struct seg_hint *hint, bool by_idx)
{
	uint64_t end = seg_end(&vm_phys_segs[vm_phys_nsegs - 1], by_idx);
	int seg = 0;

	hint->sgh_shift = 0;
	while ((end - 1) >> hint->sgh_shift >= SEG_PIECES)
		hint->sgh_shift++;
	for (uint64_t piece = 0; piece < SEG_PIECES; piece++) {
		while (seg < vm_phys_nsegs &&
		    seg_end(&vm_phys_segs[seg], by_idx) <= piece
			    << hint->sgh_shift)
			seg++;
		hint->sgh_first[piece] = (uint8_t)seg;
	}
}

/* No segment before this one holds n. */
static int
seg_hint_first(const struct seg_hint *hint, uint64_t n)
{
	uint64_t piece = n >> hint->sgh_shift;

	return (piece < SEG_PIECES ? hint->sgh_first[piece] : vm_phys_nsegs);
}

vm_pindex_t
vm_phys_init(void)
{
	vm_pindex_t npages = 0;

	vm_phys_nsegs = 0;
	for (const vm_paddr_t *pair = dump_avail; pair[1] != 0; pair += 2) {
		struct vm_phys_seg *seg = &vm_phys_segs[vm_phys_nsegs];

		seg->start = round_page(pair[0]);
		seg->end = trunc_page(pair[1]);
		seg->first = (uint32_t)npages;
		if (seg->start >= seg->end)
			continue;
		npages += atop(seg->end - seg->start);
		vm_phys_nsegs++;
	}
	if (npages == 0 || npages >= VM_PAGE_NONE)
		panic("%s: %ju pages", __func__, (uintmax_t)npages);

	seg_hint_init(&seg_by_pa, false);
	seg_hint_init(&seg_by_idx, true);

	for (int pool = 0; pool < VM_NFREEPOOL; pool++) {
		for (int order = 0; order < VM_NFREEORDER; order++)
			vm_phys_free[pool][order] =
			    (struct freelist){ .fl_head = VM_PAGE_NONE };
	}
	return (npages);
}

vm_page_t
vm_phys_paddr_to_vm_page(vm_paddr_t pa)
{
	for (int i = seg_hint_first(&seg_by_pa, pa); i < vm_phys_nsegs; i++) {
		const struct vm_phys_seg *seg = &vm_phys_segs[i];

		if (pa < seg->start)
			break;
		if (pa < seg->end)
			return (
			    &vm_page_array[seg->first + atop(pa - seg->start)]);
	}
	return (NULL);
}

vm_paddr_t
vm_phys_vm_page_to_paddr(const struct vm_page *m)
{
	vm_pindex_t idx = (vm_pindex_t)(m - vm_page_array);

	for (int i = seg_hint_first(&seg_by_idx, idx); i < vm_phys_nsegs; i++) {
		const struct vm_phys_seg *seg = &vm_phys_segs[i];

		if (idx >= seg->first && idx < seg_end_idx(seg))
			return (seg->start + ptoa(idx - seg->first));
	}
	panic("%s: %p is not in the page array", __func__, (const void *)m);
}

enum vm_freepool
vm_phys_pool(const struct vm_page *m)
{
	return ((vm_page_aflags(m) & VPG_DIRECT) != 0 ? VM_FREEPOOL_DIRECT :
							VM_FREEPOOL_DEFAULT);
}

static void
set_pool(vm_page_t m, enum vm_freepool pool)
{
	if (pool == VM_FREEPOOL_DIRECT)
		vm_page_aflag_set(m, VPG_DIRECT);
	else
		vm_page_aflag_clear(m, VPG_DIRECT);
}

static void
freelist_add(enum vm_freepool pool, int order, vm_page_t m)
{
	struct freelist *fl = &vm_phys_free[pool][order];
	uint32_t idx = (uint32_t)(m - vm_page_array);

	m->order = (uint8_t)order;
	vm_page_aflag_set(m, VPG_HEAD);
	set_pool(m, pool);
	m->prev = VM_PAGE_NONE;
	m->next = fl->fl_head;
	if (m->next != VM_PAGE_NONE)
		vm_page_array[m->next].prev = idx;
	fl->fl_head = idx;
	fl->fl_nblocks++;
}

/* Take the block that m heads out of its list. */
static void
freelist_remove(vm_page_t m)
{
	struct freelist *fl = &vm_phys_free[vm_phys_pool(m)][m->order];

	if (m->prev != VM_PAGE_NONE)
		vm_page_array[m->prev].next = m->next;
	else
		fl->fl_head = m->next;
	if (m->next != VM_PAGE_NONE)
		vm_page_array[m->next].prev = m->prev;
	fl->fl_nblocks--;
	m->order = 0;
	vm_page_aflag_clear(m, VPG_HEAD);
	m->next = VM_PAGE_NONE;
	m->prev = VM_PAGE_NONE;
}

static vm_page_t
freelist_first(enum vm_freepool pool, int order)
{
	uint32_t idx = vm_phys_free[pool][order].fl_head;

	return (idx == VM_PAGE_NONE ? NULL : &vm_page_array[idx]);
}

/*
 * Take a free block and keep its first 2^order pages; the rest, halved again
 * and again, goes to pool.
 */
static vm_page_t
freelist_take(vm_page_t m, enum vm_freepool pool, int order)
{
	int have = m->order;

	freelist_remove(m);
	while (have > order) {
		have--;
		freelist_add(pool, have, m + ((size_t)1 << have));
	}
	for (size_t i = 0; i < (size_t)1 << order; i++)
		set_pool(&m[i], pool);
	return (m);
}

vm_page_t
vm_phys_alloc_pages(enum vm_freepool pool, int order)
{
	vm_page_t m;

	mtx_assert(&vm_page_queue_free_mtx, MA_OWNED);
	for (int have = order; have < VM_NFREEORDER; have++) {
		m = freelist_first(pool, have);
		if (m != NULL)
			return (freelist_take(m, pool, order));
	}

	/* From another pool: the largest, to come back as rarely as can be. */
	for (int have = VM_NFREEORDER - 1; have >= order; have--) {
		for (int other = 0; other < VM_NFREEPOOL; other++) {
			m = freelist_first((enum vm_freepool)other, have);
			if (m != NULL)
				return (freelist_take(m, pool, order));
		}
	}
	return (NULL);
}

/* The other half of the block of order + 1, if all of it is free. */
static vm_page_t
free_buddy(vm_paddr_t pa, int order)
{
	vm_page_t buddy = PHYS_TO_VM_PAGE(pa ^ ptoa((vm_pindex_t)1 << order));

	if (buddy == NULL || (vm_page_aflags(buddy) & VPG_HEAD) == 0 ||
	    buddy->order != order)
		return (NULL);
	return (buddy);
}

void
vm_phys_free_pages(vm_page_t m, int order)
{
	enum vm_freepool pool = vm_phys_pool(m);
	vm_paddr_t pa = VM_PAGE_TO_PHYS(m);

	mtx_assert(&vm_page_queue_free_mtx, MA_OWNED);
	KASSERT((vm_page_aflags(m) & VPG_HEAD) == 0,
	    ("%s: page %#jx heads a free block", __func__, (uintmax_t)pa));
	for (; order < VM_NFREEORDER - 1; order++) {
		vm_page_t buddy = free_buddy(pa, order);

		if (buddy == NULL)
			break;
		freelist_remove(buddy);
		pa &= ~ptoa((vm_pindex_t)1 << order);
	}
	freelist_add(pool, order, PHYS_TO_VM_PAGE(pa));
}

void
vm_phys_free_run(vm_page_t m, vm_pindex_t npages)
{
	while (npages > 0) {
		vm_pindex_t pfn = atop(VM_PAGE_TO_PHYS(m));
		int order = 0;

		/* The largest block that is aligned here and fits. */
		while (order < VM_NFREEORDER - 1 &&
		    (pfn & ((vm_pindex_t)1 << order)) == 0 &&
		    (vm_pindex_t)2 << order <= npages)
			order++;
		vm_phys_free_pages(m, order);
		m += (size_t)1 << order;
		npages -= (vm_pindex_t)1 << order;
	}
}

vm_paddr_t
vm_phys_fit(vm_paddr_t start, vm_paddr_t end, uint64_t size,
    const struct vm_phys_where *where)
{
	uint64_t align =
	    where->alignment > PAGE_SIZE ? where->alignment : PAGE_SIZE;
	uint64_t bound = where->boundary;
	vm_paddr_t pa = start > where->low ? start : where->low;
	vm_paddr_t limit = end < where->high ? end : where->high;

	pa = (pa + align - 1) & ~(align - 1);
	if (bound != 0 && ((pa ^ (pa + size - 1)) & ~(bound - 1)) != 0)
		pa = (pa + bound - 1) & ~(bound - 1);
	if ((pa & (align - 1)) != 0 || pa >= limit || size > limit - pa)
		return (end);
	return (pa);
}

/* A run in the free blocks of one list; takes it out of them. */
static vm_page_t
contig_from_list(enum vm_freepool from, int order, enum vm_freepool pool,
    vm_pindex_t npages, const struct vm_phys_where *where)
{
	uint32_t next = vm_phys_free[from][order].fl_head;

	while (next != VM_PAGE_NONE) {
		vm_page_t m = &vm_page_array[next];
		vm_paddr_t start = VM_PAGE_TO_PHYS(m);
		vm_paddr_t end = start + ptoa((vm_pindex_t)1 << order);
		vm_paddr_t pa = vm_phys_fit(start, end, ptoa(npages), where);

		next = m->next;
		if (pa == end)
			continue;
		freelist_take(m, pool, order);
		vm_phys_free_run(m, atop(pa - start));
		vm_phys_free_run(m + atop(pa - start) + npages,
		    atop(end - pa) - npages);
		return (m + atop(pa - start));
	}
	return (NULL);
}

vm_page_t
vm_phys_alloc_contig(enum vm_freepool pool, vm_pindex_t npages,
    const struct vm_phys_where *where)
{
	int smallest = 0;

	mtx_assert(&vm_page_queue_free_mtx, MA_OWNED);
	if (npages == 0 || npages > (vm_pindex_t)1 << (VM_NFREEORDER - 1) ||
	    (where->boundary != 0 && ptoa(npages) > where->boundary))
		return (NULL);
	while ((vm_pindex_t)1 << smallest < npages)
		smallest++;

	for (int step = 0; step < VM_NFREEPOOL; step++) {
		int from = ((int)pool + step) % VM_NFREEPOOL;

		for (int order = smallest; order < VM_NFREEORDER; order++) {
			vm_page_t m = contig_from_list((enum vm_freepool)from,
			    order, pool, npages, where);

			if (m != NULL)
				return (m);
		}
	}
	return (NULL);
}

vm_pindex_t
vm_phys_free_blocks(enum vm_freepool pool, int order)
{
	return (vm_phys_free[pool][order].fl_nblocks);
}
