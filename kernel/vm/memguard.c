/*
 * Guarded allocations: pages of their own, among addresses of their own.
 *
 *	| guard | ... pages ... fill | item | fill | guard |
 *
 * The fill after the item is what its alignment to 16 bytes takes.  Each page of
 * addresses leads to the item that had it last, which is kept until one of its
 * pages is used again: a fault at a stale pointer finds its owner.
 *
 * Lock: memguard_mtx, a leaf: nothing is allocated, mapped or freed under it.
 */
#include "kernel/vm/memguard.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/stack.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_kva.h"

#define FILL  0x42
#define ALIGN 16

struct memguard_item {
	struct memguard_item *mgi_link; /* among those to be forgotten */
	vm_offset_t mgi_start;		/* of the addresses, guards included */
	vm_offset_t mgi_pages;		/* of its pages */
	vm_offset_t mgi_addr;
	vm_size_t mgi_range; /* of the addresses */
	vm_size_t mgi_size;  /* as asked for */
	const char *mgi_what;
	bool mgi_freeing; /* atomic: a thread has begun to free it */
	bool mgi_freed;
	struct stack mgi_allocated;
	struct stack mgi_freed_by;
};

struct memguard_config memguard_config = {
	.mgc_options = MG_GUARD_AROUND,
	.mgc_divisor = 10,
};

vm_offset_t memguard_base;
vm_size_t memguard_mapsize;

struct memguard_counts memguard_counts;

SYSCTL_NODE(_vm, OID_AUTO, memguard, CTLFLAG_RD, NULL,
    "allocations that fault when they are misused");
SYSCTL_INT(_vm_memguard, OID_AUTO, minsize, CTLFLAG_RWTUN,
    &memguard_config.mgc_minsize, 0, "The smallest that is guarded, in bytes");
SYSCTL_INT(_vm_memguard, OID_AUTO, divisor, CTLFLAG_RDTUN,
    &memguard_config.mgc_divisor, 0, "It has 1 / this of the kernel map");
SYSCTL_U64(_vm_memguard, OID_AUTO, mapsize, CTLFLAG_RD, &memguard_mapsize, 0,
    "Bytes of addresses that it has");
SYSCTL_U64(_vm_memguard, OID_AUTO, numalloc, CTLFLAG_RD,
    &memguard_counts.mgn_numalloc, 0, "Allocations that were guarded");
SYSCTL_U64(_vm_memguard, OID_AUTO, fail_kva, CTLFLAG_RD,
    &memguard_counts.mgn_fail_kva, 0, "Those for which there was no address");
SYSCTL_U64(_vm_memguard, OID_AUTO, fail_pgs, CTLFLAG_RD,
    &memguard_counts.mgn_fail_pgs, 0, "Those for which there was no page");

/* Set while the system runs, they make it take its addresses at once. */
static int
start_if_wanted(int error, const struct sysctl_req *req)
{
	if (error == 0 && req->newtext != NULL && kva_size() != 0)
		memguard_init();
	return (error);
}

static int
sysctl_guard_desc(SYSCTL_HANDLER_ARGS)
{
	return (start_if_wanted(sysctl_handle_string(oidp, arg1, arg2, req),
	    req));
}

static int
sysctl_guard_int(SYSCTL_HANDLER_ARGS)
{
	return (start_if_wanted(sysctl_handle_int(oidp, arg1, arg2, req), req));
}

SYSCTL_PROC(_vm_memguard, OID_AUTO, desc, CTLTYPE_STRING | CTLFLAG_RWTUN,
    memguard_config.mgc_desc, sizeof(memguard_config.mgc_desc),
    sysctl_guard_desc, "A", "The malloc type or zone that is guarded");
SYSCTL_PROC(_vm_memguard, OID_AUTO, frequency, CTLTYPE_INT | CTLFLAG_RWTUN,
    &memguard_config.mgc_frequency, 0, sysctl_guard_int, "I",
    "So many of 100000 are guarded");
SYSCTL_PROC(_vm_memguard, OID_AUTO, options, CTLTYPE_INT | CTLFLAG_RWTUN,
    &memguard_config.mgc_options, 0, sysctl_guard_int, "I",
    "MG_* of memguard.h");

static struct mtx memguard_mtx = MTX_INITIALIZER("memguard");
static struct kva_arena memguard_arena;	      /* (memguard_mtx) */
static struct memguard_item **memguard_items; /* (memguard_mtx) by page */
static uma_zone_t memguard_zone;

static void
count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static bool
memguard_wanted(void)
{
	const struct memguard_config *mgc = &memguard_config;

	return (mgc->mgc_desc[0] != '\0' || mgc->mgc_frequency > 0 ||
	    (mgc->mgc_options & MG_GUARD_ALLLARGE) != 0);
}

/* A tunable may be anything. */
static vm_size_t
memguard_divisor(void)
{
	return (memguard_config.mgc_divisor > 0 ?
		(vm_size_t)memguard_config.mgc_divisor :
		10);
}

void
memguard_init(void)
{
	vm_size_t size;
	vm_pindex_t npages;
	uint64_t *bits;

	if (memguard_mapsize != 0 || !memguard_wanted())
		return;
	size = trunc_page(kva_size() / memguard_divisor());
	npages = atop(size);
	memguard_base = kva_alloc(size);
	if (memguard_base == 0) {
		printf("memguard: no %zu bytes of addresses\n", size);
		return;
	}
	memguard_zone = uma_zcreate("memguard", sizeof(struct memguard_item),
	    NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	bits = kmem_malloc(kva_arena_size(npages), M_WAITOK | M_ZERO);
	memguard_items = kmem_malloc(npages * sizeof(struct memguard_item *),
	    M_WAITOK | M_ZERO);
	kva_arena_init(&memguard_arena, bits, npages);
	memguard_mapsize = size;
	uma_guard_zones();
}

/*
 * What is guarded.
 */

/* One of so many. */
static bool
memguard_chosen(void)
{
	static uint32_t seed; /* a lost update does no harm */
	uint32_t v = __atomic_load_n(&seed, __ATOMIC_RELAXED);

	v = v * 1664525 + 1013904223;
	__atomic_store_n(&seed, v, __ATOMIC_RELAXED);
	return ((uint64_t)v * 100000 >> 32 <
	    (uint64_t)memguard_config.mgc_frequency);
}

bool
memguard_cmp(const char *what, size_t size)
{
	const struct memguard_config *mgc = &memguard_config;

	if (memguard_mapsize == 0 || size < (size_t)mgc->mgc_minsize)
		return (false);
	if ((mgc->mgc_options & MG_GUARD_ALLLARGE) != 0 && size >= PAGE_SIZE)
		return (true);
	if (mgc->mgc_frequency > 0 && memguard_chosen())
		return (true);
	return (strcmp(what, mgc->mgc_desc) == 0);
}

/*
 * Items by address.
 */

static vm_pindex_t
page_of(vm_offset_t va)
{
	return (atop(va - memguard_base));
}

static struct memguard_item *
item_at(vm_offset_t va)
{
	return (__atomic_load_n(&memguard_items[page_of(va)],
	    __ATOMIC_ACQUIRE));
}

/* All addresses of an item lead to what, which is the item or NULL. */
static void
items_set(const struct memguard_item *item, struct memguard_item *what)
{
	for (vm_size_t off = 0; off < item->mgi_range; off += PAGE_SIZE)
		__atomic_store_n(
		    &memguard_items[page_of(item->mgi_start + off)], what,
		    __ATOMIC_RELEASE);
}

/* Take addresses for the item; the items that had them before are forgotten. */
static bool
item_take_range(struct memguard_item *item, struct memguard_item **forgotten)
{
	vm_pindex_t page;

	mtx_lock_spin(&memguard_mtx);
	page = kva_arena_alloc(&memguard_arena, atop(item->mgi_range));
	if (page != KVA_NONE) {
		item->mgi_start = memguard_base + ptoa(page);
		for (vm_size_t off = 0; off < item->mgi_range;
		     off += PAGE_SIZE) {
			struct memguard_item *old =
			    item_at(item->mgi_start + off);

			if (old == NULL)
				continue;
			items_set(old, NULL);
			old->mgi_link = *forgotten;
			*forgotten = old;
		}
		items_set(item, item);
	}
	mtx_unlock_spin(&memguard_mtx);
	return (page != KVA_NONE);
}

static void
item_give_range(const struct memguard_item *item)
{
	mtx_lock_spin(&memguard_mtx);
	kva_arena_free(&memguard_arena, page_of(item->mgi_start),
	    atop(item->mgi_range));
	mtx_unlock_spin(&memguard_mtx);
}

/*
 * The bytes around an item in its pages.
 */

static vm_offset_t
item_pages_end(const struct memguard_item *item)
{
	return (item->mgi_pages + round_page(item->mgi_size));
}

static void
item_fill(const struct memguard_item *item)
{
	vm_offset_t end = item->mgi_addr + item->mgi_size;

	memset((void *)item->mgi_pages, FILL, item->mgi_addr - item->mgi_pages);
	memset((void *)end, FILL, item_pages_end(item) - end);
}

static void
check_filled(const struct memguard_item *item, vm_offset_t start,
    vm_offset_t end, const char *how)
{
	for (vm_offset_t va = start; va < end; va++) {
		uint8_t byte = *(const uint8_t *)va;

		if (byte == FILL)
			continue;
		(void)memguard_describe(item->mgi_addr);
		panic("memguard: %s of %s: item %#jx (%zu bytes): %#x at %#jx",
		    how, item->mgi_what, (uintmax_t)item->mgi_addr,
		    item->mgi_size, byte, (uintmax_t)va);
	}
}

/*
 * Allocation and free.
 */

static void
item_place(struct memguard_item *item, vm_size_t guard)
{
	vm_size_t taken =
	    (item->mgi_size + ALIGN - 1) & ~(vm_size_t)(ALIGN - 1);

	item->mgi_pages = item->mgi_start + guard;
	item->mgi_addr = item->mgi_pages;
	if ((memguard_config.mgc_options & MG_GUARD_UNDERRUN) == 0)
		item->mgi_addr += round_page(item->mgi_size) - taken;
}

/* Addresses and pages; false: none are left. */
static bool
item_back(struct memguard_item *item, struct memguard_item **forgotten,
    int flags)
{
	vm_size_t guard = (memguard_config.mgc_options & MG_GUARD_AROUND) != 0 ?
	    PAGE_SIZE :
	    0;
	vm_pindex_t npages = atop(round_page(item->mgi_size));

	item->mgi_range = ptoa(npages) + 2 * guard;
	if (!item_take_range(item, forgotten)) {
		count(&memguard_counts.mgn_fail_kva);
		return (false);
	}
	item_place(item, guard);
	if (kmem_back(item->mgi_pages, npages, flags) == 0)
		return (true);
	count(&memguard_counts.mgn_fail_pgs);
	mtx_lock_spin(&memguard_mtx);
	items_set(item, NULL);
	mtx_unlock_spin(&memguard_mtx);
	item_give_range(item);
	return (false);
}

void *
memguard_alloc(size_t size, const char *what, int flags)
{
	struct memguard_item *item, *forgotten = NULL;
	bool backed;

	if (size > memguard_mapsize)
		return (NULL);
	item = uma_zalloc(memguard_zone, flags & ~M_ZERO);
	if (item == NULL)
		return (NULL);
	*item = (struct memguard_item){
		.mgi_size = size > 0 ? size : 1,
		.mgi_what = what,
	};
	stack_save(&item->mgi_allocated);
	backed = item_back(item, &forgotten, flags);
	while (forgotten != NULL) {
		struct memguard_item *old = forgotten;

		forgotten = old->mgi_link;
		uma_zfree(memguard_zone, old);
	}
	if (!backed) {
		uma_zfree(memguard_zone, item);
		return (NULL);
	}
	item_fill(item);
	count(&memguard_counts.mgn_numalloc);
	return ((void *)item->mgi_addr);
}

static void
item_misused(const void *addr, const char *what, const char *how)
{
	(void)memguard_describe((vm_offset_t)addr);
	panic("memguard: %p, of %s, %s", addr, what, how);
}

/* The item that lives at addr. */
static struct memguard_item *
item_find(const void *addr, const char *what)
{
	vm_offset_t va = (vm_offset_t)addr;
	struct memguard_item *item = item_at(va);

	if (item == NULL || item->mgi_addr != va)
		item_misused(addr, what, "was never allocated");
	else if (__atomic_load_n(&item->mgi_freeing, __ATOMIC_RELAXED))
		item_misused(addr, what, "was freed before");
	return (item);
}

/* The same, for the one thread that may free it. */
static struct memguard_item *
item_take(const void *addr, const char *what)
{
	struct memguard_item *item = item_find(addr, what);

	if (__atomic_exchange_n(&item->mgi_freeing, true, __ATOMIC_ACQ_REL))
		item_misused(addr, what, "was freed before");
	return (item);
}

size_t
memguard_free(void *addr, const char *what)
{
	struct memguard_item *item = item_take(addr, what);
	vm_offset_t end = item->mgi_addr + item->mgi_size;
	vm_size_t size = item->mgi_size;

	if (strcmp(item->mgi_what, what) != 0) {
		(void)memguard_describe(item->mgi_addr);
		panic("memguard: %p, of %s, is freed as of %s", addr,
		    item->mgi_what, what);
	}
	check_filled(item, item->mgi_pages, item->mgi_addr, "underrun");
	check_filled(item, end, item_pages_end(item), "overrun");
	item->mgi_freed = true;
	stack_save(&item->mgi_freed_by);
	kmem_unback(item->mgi_pages, atop(round_page(size)));
	item_give_range(item);
	return (size);
}

size_t
memguard_get_req_size(const void *addr)
{
	return (item_find(addr, "realloc")->mgi_size);
}

/*
 * Faults.
 */

static void
describe_place(const struct memguard_item *item, vm_offset_t addr)
{
	vm_offset_t end = item->mgi_addr + item->mgi_size;

	if (addr < item->mgi_addr)
		printf("%ju bytes before", (uintmax_t)(item->mgi_addr - addr));
	else if (addr >= end)
		printf("%ju bytes after the end of", (uintmax_t)(addr - end));
	else
		printf("at byte %ju of", (uintmax_t)(addr - item->mgi_addr));
}

bool
memguard_describe(vm_offset_t addr)
{
	const struct memguard_item *item;

	if (!is_memguard_addr((const void *)addr))
		return (false);
	item = item_at(addr);
	if (item == NULL) {
		printf("memguard: %#jx was never allocated\n", (uintmax_t)addr);
		return (true);
	}
	printf("memguard: %#jx is ", (uintmax_t)addr);
	describe_place(item, addr);
	printf(" %#jx, %zu bytes of %s, %s\n", (uintmax_t)item->mgi_addr,
	    item->mgi_size, item->mgi_what,
	    item->mgi_freed ? "which is free" : "in use");
	printf("allocated by:\n");
	stack_print(&item->mgi_allocated);
	if (item->mgi_freed) {
		printf("freed by:\n");
		stack_print(&item->mgi_freed_by);
	}
	return (true);
}
