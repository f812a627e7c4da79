/*
 * The page array: who owns which page, and who may still have one.
 *
 * vm_phys.c knows which blocks are free; this file decides who gets them.
 * Normal requests leave v_free_reserved pages alone, system requests the last
 * v_interrupt_free_min, and interrupt requests nothing.
 *
 * Lock: vm_page_queue_free_mtx, taken here for the free lists and their count.  A
 * page that is not free is guarded by its owner's lock: vm_mtx, if it is an object's.
 */
#include "kernel/vm/vm_page.h"

#include "kernel/sys/dumpset.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/uma_boot.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_pageout.h"

struct vm_page *vm_page_array;
vm_pindex_t vm_page_array_size;

struct mtx vm_mtx = MTX_DEF_INITIALIZER("vm");
struct mtx vm_page_queue_free_mtx;

struct vmmeter vm_cnt;
vm_pindex_t vm_page_max_user_wired;

static unsigned int vm_waiters; /* (f) threads in vm_wait */

int
malloc2vm_flags(int flags)
{
	int req = VM_ALLOC_SYSTEM;

	if ((flags & M_USE_RESERVE) != 0)
		req = VM_ALLOC_INTERRUPT;
	if ((flags & M_WAITOK) != 0)
		req |= VM_ALLOC_WAITOK;
	if ((flags & M_ZERO) != 0)
		req |= VM_ALLOC_ZERO;
	if ((flags & M_NODUMP) != 0)
		req |= VM_ALLOC_NODUMP;
	return (req);
}

/* Where a request of each class stops. */
static vm_pindex_t
vm_page_reserve(int req)
{
	switch (req & VM_ALLOC_CLASS_MASK) {
	case VM_ALLOC_INTERRUPT:
		return (0);
	case VM_ALLOC_SYSTEM:
		return (vm_cnt.v_interrupt_free_min);
	default:
		return (vm_cnt.v_free_reserved);
	}
}

static enum vm_freepool
vm_page_pool(int req)
{
	return ((req & VM_ALLOC_USER) != 0 ? VM_FREEPOOL_DEFAULT :
					     VM_FREEPOOL_DIRECT);
}

/* FreeBSD's marks, see vm_pageout(9), for a machine of this many pages. */
static void
vm_page_set_marks(vm_pindex_t npages)
{
	vm_pindex_t cluster = npages > 1024 ? 16 : 8;
	vm_pindex_t pageout = 2 * atop(64 * 1024) + 2;
	vm_pindex_t min = 4 + (npages > 1024 ? (npages - 1024) / 200 : 0);

	vm_cnt.v_page_count = npages;
	vm_cnt.v_interrupt_free_min = 2;
	vm_cnt.v_free_reserved = cluster + pageout + npages / 768;
	vm_cnt.v_free_min = min + vm_cnt.v_free_reserved;
	vm_cnt.v_free_target = (npages > 6144 ? 4 : 2) * vm_cnt.v_free_min +
	    vm_cnt.v_free_reserved;
	vm_cnt.v_inactive_target = vm_cnt.v_free_target * 3 / 2;
}

void
vm_page_add_free(int64_t n)
{
	mtx_assert(&vm_page_queue_free_mtx, MA_OWNED);
	__atomic_store_n(&vm_cnt.v_free_count,
	    vm_cnt.v_free_count + (vm_pindex_t)n, __ATOMIC_RELAXED);
	if (n > 0 && vm_waiters > 0)
		wakeup(&vm_cnt.v_free_count);
}

static void
vm_page_init(struct vm_page *m)
{
	*m = (struct vm_page){
		.next = VM_PAGE_NONE,
		.prev = VM_PAGE_NONE,
		.pv = VM_PAGE_NONE,
		.wire_count = 1,
		.flags = VPG_BOOT,
	};
}

/*
 * Give what is left in phys_avail to the free lists, lowest first: lists are
 * last in, first out, so low memory, which old devices need, is used last.
 */
static void
vm_page_free_avail(void)
{
	for (vm_paddr_t *pair = phys_avail; pair[1] != 0; pair += 2) {
		vm_paddr_t start = round_page(pair[0]);
		vm_paddr_t end = trunc_page(pair[1]);

		if (start >= end)
			continue;
		for (vm_paddr_t pa = start; pa < end; pa += PAGE_SIZE) {
			vm_page_t m = PHYS_TO_VM_PAGE(pa);

			if (m == NULL)
				panic("%s: phys_avail has %#jx, dump_avail not",
				    __func__, (uintmax_t)pa);
			m->wire_count = 0;
			m->flags = VPG_FREE;
		}
		vm_phys_free_run(PHYS_TO_VM_PAGE(start), atop(end - start));
		vm_page_add_free((int64_t)atop(end - start));
	}
}

void
vm_page_startup(void)
{
	vm_pindex_t npages = vm_phys_init();
	vm_size_t boot_size = uma_boot_size();
	vm_paddr_t boot, array;

	mtx_init(&vm_page_queue_free_mtx, "vm page free queue", NULL, MTX_SPIN);
	boot = vm_phys_early_alloc(boot_size, VM_EARLY_CORE);
	array =
	    vm_phys_early_alloc(npages * sizeof(struct vm_page), VM_EARLY_BULK);
	vm_page_array = (struct vm_page *)PHYS_TO_DMAP(array);
	vm_page_array_size = npages;
	for (vm_pindex_t i = 0; i < npages; i++)
		vm_page_init(&vm_page_array[i]);

	vm_cnt = (struct vmmeter){ 0 };
	vm_waiters = 0;
	vm_pageq_init();
	vm_page_pcpu_init();
	vm_page_set_marks(npages);
	mtx_lock_spin(&vm_page_queue_free_mtx);
	vm_page_free_avail();
	mtx_unlock_spin(&vm_page_queue_free_mtx);
	vm_wire_add((int)(npages - vm_cnt.v_free_count));
	vm_page_max_user_wired = vm_cnt.v_free_count / 3;

	vm_phys_early_register();
	uma_startup((void *)PHYS_TO_DMAP(boot), boot_size);
	printf("vm_page: %d segments, %ju pages, %ju free\n", vm_phys_nsegs,
	    (uintmax_t)npages, (uintmax_t)vm_cnt.v_free_count);
}

/* Make a page that left the free lists the caller's. */
static void
vm_page_claim(vm_page_t m, int req)
{
	KASSERT((vm_page_aflags(m) & VPG_FREE) != 0 && m->wire_count == 0 &&
		m->object == NULL,
	    ("%s: page %#jx on the free lists: flags %#x wired %u owner %p",
		__func__, (uintmax_t)VM_PAGE_TO_PHYS(m), vm_page_aflags(m),
		m->wire_count, m->object));
	vm_page_aflag_clear(m, VPG_FREE);
	if ((req & VM_ALLOC_NODUMP) != 0) {
		vm_page_aflag_set(m, VPG_NODUMP);
		dump_add_never(VM_PAGE_TO_PHYS(m));
	}
	if ((req & VM_ALLOC_WIRED) != 0)
		vm_page_wire(m);
	if ((req & VM_ALLOC_ZERO) != 0)
		memset((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)), 0, PAGE_SIZE);
}

/* npages from the free lists, if the reserve of this request allows it. */
static vm_page_t
vm_page_take(int req, vm_pindex_t npages, const struct vm_phys_where *where)
{
	enum vm_freepool pool = vm_page_pool(req);
	vm_page_t m = NULL;

	mtx_lock_spin(&vm_page_queue_free_mtx);
	if (vm_cnt.v_free_count >= npages + vm_page_reserve(req))
		m = where == NULL ? vm_phys_alloc_pages(pool, 0) :
				    vm_phys_alloc_contig(pool, npages, where);
	if (m != NULL)
		vm_page_add_free(-(int64_t)npages);
	if (vm_cnt.v_free_count < vm_cnt.v_free_min)
		pagedaemon_wakeup_locked();
	mtx_unlock_spin(&vm_page_queue_free_mtx);
	return (m);
}

/* The same, and if there are too few, with what CPUs keep. */
static vm_page_t
vm_page_take_all(int req, vm_pindex_t npages, const struct vm_phys_where *where)
{
	vm_page_t m = vm_page_take(req, npages, where);
	bool more;

	if (m != NULL)
		return (m);
	more = kmem_settle();
	if (vm_pgcache_drain() > 0 || more)
		m = vm_page_take(req, npages, where);
	return (m);
}

vm_page_t
vm_page_alloc_contig(int req, vm_pindex_t npages,
    const struct vm_phys_where *where)
{
	vm_page_t m = vm_page_take_all(req, npages, where);

	for (vm_pindex_t i = 0; m != NULL && i < npages; i++)
		vm_page_claim(&m[i], req);
	return (m);
}

vm_page_t
vm_page_alloc_noobj(int req)
{
	vm_page_t m = vm_pgcache_alloc(vm_page_pool(req));

	while (m == NULL) {
		m = vm_page_take_all(req, 1, NULL);
		if (m != NULL || (req & VM_ALLOC_WAITOK) == 0)
			break;
		vm_wait(req);
	}
	if (m != NULL)
		vm_page_claim(m, req);
	return (m);
}

void
vm_page_free(vm_page_t m)
{
	uint16_t flags;

	if (vm_page_object(m) != NULL)
		vm_page_remove(m);
	vm_page_dequeue(m);
	if (vm_page_xbusied(m))
		vm_page_xunbusy(m);
	flags = vm_page_aflags(m);
	KASSERT((flags & VPG_FREE) == 0,
	    ("%s: page %#jx is free already", __func__,
		(uintmax_t)VM_PAGE_TO_PHYS(m)));
	KASSERT(m->wire_count == 0 && m->busy == 0 && m->object == NULL &&
		m->pv == VM_PAGE_NONE && (flags & VPG_SLAB) == 0,
	    ("%s: page %#jx is in use: flags %#x wired %u busy %u owner %p "
	     "mapped %#x",
		__func__, (uintmax_t)VM_PAGE_TO_PHYS(m), flags, m->wire_count,
		m->busy, m->object, m->pv));

	if ((flags & VPG_NODUMP) != 0)
		dump_drop_page(VM_PAGE_TO_PHYS(m));
	m->valid = m->dirty = m->act_count = 0;
	__atomic_store_n(&m->flags, VPG_FREE | (flags & VPG_DIRECT),
	    __ATOMIC_RELAXED);
	if (vm_pgcache_free(m))
		return;

	mtx_lock_spin(&vm_page_queue_free_mtx);
	vm_phys_free_pages(m, 0);
	vm_page_add_free(1);
	mtx_unlock_spin(&vm_page_queue_free_mtx);
}

void
vm_page_wire(vm_page_t m)
{
	KASSERT(m->wire_count < UINT16_MAX,
	    ("%s: page %#jx", __func__, (uintmax_t)VM_PAGE_TO_PHYS(m)));
	vm_page_dequeue(m);
	if (m->wire_count++ == 0)
		vm_wire_add(1);
}

bool
vm_page_unwire_noq(vm_page_t m)
{
	KASSERT(m->wire_count > 0,
	    ("%s: page %#jx", __func__, (uintmax_t)VM_PAGE_TO_PHYS(m)));
	if (--m->wire_count > 0)
		return (false);
	vm_wire_add(-1);
	return (true);
}

void
vm_wait(int req)
{
	mtx_lock_spin(&vm_page_queue_free_mtx);
	while (vm_cnt.v_free_count <= vm_page_reserve(req)) {
		vm_waiters++;
		(void)msleep_spin(&vm_cnt.v_free_count, &vm_page_queue_free_mtx,
		    "vmwait", 0);
		vm_waiters--;
	}
	mtx_unlock_spin(&vm_page_queue_free_mtx);
}

bool
vm_page_array_describes(vm_paddr_t pa, unsigned int i, vm_paddr_t *start,
    vm_paddr_t *end)
{
	vm_paddr_t array = DMAP_TO_PHYS((vm_offset_t)vm_page_array);
	uint64_t off = trunc_page(pa) - array;
	vm_pindex_t first, last;

	if (trunc_page(pa) < array ||
	    off >= vm_page_array_size * sizeof(struct vm_page))
		return (false);
	first = off / sizeof(struct vm_page);
	last = (off + PAGE_SIZE - 1) / sizeof(struct vm_page);
	for (int seg = 0; seg < vm_phys_nsegs; seg++) {
		const struct vm_phys_seg *ps = &vm_phys_segs[seg];
		vm_pindex_t end_idx = ps->first + atop(ps->end - ps->start);
		vm_pindex_t lo = first > ps->first ? first : ps->first;
		vm_pindex_t hi = last + 1 < end_idx ? last + 1 : end_idx;

		if (lo >= hi || i-- > 0)
			continue;
		*start = ps->start + ptoa(lo - ps->first);
		*end = ps->start + ptoa(hi - ps->first);
		return (true);
	}
	return (false);
}
