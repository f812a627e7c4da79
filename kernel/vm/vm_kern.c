/*
 * The kernel map: addresses from an arena, pages from vm_page.c.
 *
 * Order in both directions: addresses are reserved before they are mapped, and
 * unmapped on every CPU before pages and addresses can be used again.
 *
 * Lock: kva_mtx, for the arena, a leaf: nothing is allocated or mapped under it.
 */
#include "kernel/vm/vm_kern.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_kern_int.h"
#include "kernel/vm/vm_kva.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

static struct mtx kva_mtx;
static struct kva_arena kva_arena; /* (kva_mtx) */
vm_offset_t kva_base;
static unsigned int kva_waiters; /* (kva_mtx) */
static vm_pindex_t kmem_npages;	 /* atomic: pages that are mapped */

void
kmem_early_init(vm_offset_t start, vm_offset_t end)
{
	vm_pindex_t npages = atop(end - start);
	vm_paddr_t bits =
	    vm_phys_early_alloc(kva_arena_size(npages), VM_EARLY_CORE);

	KASSERT((start & PAGE_MASK) == 0 && start < end,
	    ("%s: %#jx - %#jx", __func__, (uintmax_t)start, (uintmax_t)end));
	mtx_init(&kva_mtx, "kernel map", NULL, MTX_SPIN);
	kva_arena_init(&kva_arena, (uint64_t *)PHYS_TO_DMAP(bits), npages);
	kva_base = start;
	kmem_npages = 0;
	kva_waiters = 0;
	kmem_freed_init();
}

/* Addresses that are reserved get page tables, or are given back: then 0. */
static vm_offset_t
kva_prepare(vm_pindex_t page, vm_pindex_t npages)
{
	vm_offset_t va = kva_base + ptoa(page);

	if (pmap_growkernel(va + ptoa(npages)) != 0) {
		kva_free(va, ptoa(npages));
		return (0);
	}
	return (va);
}

vm_size_t
kva_size(void)
{
	return (ptoa(kva_arena.ka_npages));
}

static vm_pindex_t
kva_reserve(vm_pindex_t npages)
{
	vm_pindex_t page;

	mtx_lock_spin(&kva_mtx);
	page = kva_arena_alloc(&kva_arena, npages);
	mtx_unlock_spin(&kva_mtx);
	return (page);
}

vm_offset_t
kva_alloc(vm_size_t size)
{
	vm_pindex_t npages = atop(round_page(size));
	vm_pindex_t page;

	page = kva_reserve(npages);
	if (page == KVA_NONE && kmem_settle())
		page = kva_reserve(npages);
	return (page == KVA_NONE ? 0 : kva_prepare(page, npages));
}

/* Sleep until there are so many; the daemon asks UMA for what it has. */
static vm_pindex_t
kva_reserve_wait(vm_pindex_t npages)
{
	vm_pindex_t page;

	mtx_lock_spin(&kva_mtx);
	__atomic_store_n(&kva_waiters, kva_waiters + 1, __ATOMIC_RELAXED);
	mtx_unlock_spin(&kva_mtx);
	pagedaemon_wakeup();

	mtx_lock_spin(&kva_mtx);
	while ((page = kva_arena_alloc(&kva_arena, npages)) == KVA_NONE)
		(void)msleep_spin(&kva_waiters, &kva_mtx, "kvawait", 0);
	__atomic_store_n(&kva_waiters, kva_waiters - 1, __ATOMIC_RELAXED);
	mtx_unlock_spin(&kva_mtx);
	return (page);
}

/* kva_alloc() that waits, for addresses and for memory of page tables. */
static vm_offset_t
kva_alloc_wait(vm_size_t size)
{
	vm_pindex_t npages = atop(round_page(size));
	vm_offset_t va = kva_alloc(size);

	if (npages > kva_arena.ka_npages)
		panic("kmem_malloc: kernel map too small for %zu bytes: it has "
		      "%zu",
		    size, kva_size());
	while (va == 0) {
		va = kva_prepare(kva_reserve_wait(npages), npages);
		if (va == 0)
			vm_wait(VM_ALLOC_SYSTEM);
	}
	return (va);
}

bool
kva_is_wanted(void)
{
	return (__atomic_load_n(&kva_waiters, __ATOMIC_RELAXED) > 0);
}

void
kva_free(vm_offset_t addr, vm_size_t size)
{
	KASSERT((addr & PAGE_MASK) == 0 && addr >= kva_base,
	    ("%s: %#jx", __func__, (uintmax_t)addr));
	mtx_lock_spin(&kva_mtx);
	kva_arena_free(&kva_arena, atop(addr - kva_base),
	    atop(round_page(size)));
	if (kva_waiters > 0)
		wakeup(&kva_waiters);
	mtx_unlock_spin(&kva_mtx);
}

uint32_t
kmem_unmap(vm_offset_t addr, vm_pindex_t npages)
{
	uint32_t list = VM_PAGE_NONE;

	for (vm_pindex_t i = 0; i < npages; i++) {
		vm_page_t m = PHYS_TO_VM_PAGE(pmap_kextract(addr + ptoa(i)));

		KASSERT(m != NULL,
		    ("%s: nothing at %#jx", __func__,
			(uintmax_t)(addr + ptoa(i))));
		m->next = list;
		list = (uint32_t)(m - vm_page_array);
	}
	pmap_kremove(addr, npages);
	__atomic_fetch_sub(&kmem_npages, npages, __ATOMIC_RELAXED);
	return (list);
}

void
kmem_free_pages(uint32_t list)
{
	while (list != VM_PAGE_NONE) {
		vm_page_t m = &vm_page_array[list];

		list = m->next;
		if (vm_page_unwire_noq(m))
			vm_page_free(m);
	}
}

void
kmem_unback(vm_offset_t addr, vm_pindex_t npages)
{
	struct kva_range range = { addr, addr + ptoa(npages) };
	uint32_t pages = kmem_unmap(addr, npages);

	pmap_kforget(&range, 1);
	kmem_free_pages(pages);
}

int
kmem_back(vm_offset_t addr, vm_pindex_t npages, int flags)
{
	int req = malloc2vm_flags(flags) | VM_ALLOC_WIRED;

	for (vm_pindex_t i = 0; i < npages; i++) {
		vm_page_t m = vm_page_alloc_noobj(req);

		if (m == NULL) {
			kmem_unback(addr, i);
			return (ENOMEM);
		}
		pmap_kenter(addr + ptoa(i), VM_PAGE_TO_PHYS(m));
		__atomic_fetch_add(&kmem_npages, 1, __ATOMIC_RELAXED);
	}
	return (0);
}

/* Memory at the addresses that lie guard pages inside both ends of a range. */
static void *
kmem_malloc_inside(vm_size_t size, vm_pindex_t guard, int flags)
{
	vm_pindex_t npages = atop(round_page(size));
	vm_size_t range = ptoa(npages + 2 * guard);
	vm_offset_t va;

	if (npages == 0)
		return (NULL);
	va = (flags & M_WAITOK) != 0 ? kva_alloc_wait(range) : kva_alloc(range);
	if (va == 0)
		return (NULL);
	if (kmem_back(va + ptoa(guard), npages, flags) != 0) {
		kva_free(va, range);
		return (NULL);
	}
	return ((void *)(va + ptoa(guard)));
}

void *
kmem_alloc_contig(vm_size_t size, int flags, const struct vm_phys_where *where)
{
	int req = malloc2vm_flags(flags & ~M_WAITOK) | VM_ALLOC_WIRED;
	vm_pindex_t npages = atop(round_page(size));
	vm_offset_t va;
	vm_page_t m;

	if (npages == 0)
		return (NULL);
	va = (flags & M_WAITOK) != 0 ? kva_alloc_wait(size) : kva_alloc(size);
	if (va == 0)
		return (NULL);
	m = vm_page_alloc_contig_hard(req, npages, where);
	if (m == NULL) {
		kva_free(va, size);
		return (NULL);
	}
	for (vm_pindex_t i = 0; i < npages; i++)
		pmap_kenter(va + ptoa(i), VM_PAGE_TO_PHYS(&m[i]));
	__atomic_fetch_add(&kmem_npages, npages, __ATOMIC_RELAXED);
	return ((void *)va);
}

static void
kmem_free_inside(void *addr, vm_size_t size, vm_pindex_t guard)
{
	vm_offset_t va = (vm_offset_t)addr;
	vm_pindex_t npages = atop(round_page(size));
	struct kva_range range = { va - ptoa(guard),
		va + ptoa(npages + guard) };

	KASSERT(npages > 0, ("%s: %p, no bytes", __func__, addr));
	kmem_free_later(range, va, npages);
}

void *
kmem_malloc(vm_size_t size, int flags)
{
	return (kmem_malloc_inside(size, 0, flags));
}

void
kmem_free(void *addr, vm_size_t size)
{
	kmem_free_inside(addr, size, 0);
}

/* Only stacks have guards. */
void *
kmem_malloc_guarded(vm_size_t size, int flags)
{
	uint8_t *mem = kmem_malloc_inside(size, 1, flags);

	for (vm_size_t off = 0; mem != NULL && off < size; off += PAGE_SIZE)
		vm_page_aflag_set(
		    PHYS_TO_VM_PAGE(pmap_kextract((vm_offset_t)mem + off)),
		    VPG_STACK);
	return (mem);
}

void
kmem_free_guarded(void *addr, vm_size_t size)
{
	kmem_free_inside(addr, size, 1);
}

vm_size_t
kva_used(void)
{
	vm_size_t used;

	mtx_lock_spin(&kva_mtx);
	used = ptoa(kva_arena.ka_nused);
	mtx_unlock_spin(&kva_mtx);
	return (used);
}

vm_size_t
kmem_used(void)
{
	return (ptoa(__atomic_load_n(&kmem_npages, __ATOMIC_RELAXED)));
}
