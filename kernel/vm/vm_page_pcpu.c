/*
 * What each CPU has of its own: a few free pages of each pool, and its share of
 * the count of wired pages.
 *
 * The free lists have one lock, which two CPUs that allocate at full speed hand
 * back and forth.  So a CPU takes pages from them by the batch and gives them
 * back by the batch.  The lock of its cache is taken by others only when memory
 * is low: then they empty it.
 *
 * Keeps true: while v_free_count is at v_free_min or below, caches are not used,
 * and who finds no page on the lists drains them; so the last pages and the
 * reserves are on the lists, to the page.  A page here is VPG_FREE, linked through
 * next, and not counted in v_free_count.
 *
 * Locks: pgc_mtx -> vm_page_queue_free_mtx.
 */
#include "kernel/sys/critical.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_phys.h"

#define PGCACHE_BATCH 16
#define PGCACHE_MAX   (2 * PGCACHE_BATCH)

struct pgcache {
	struct mtx pgc_mtx;
	uint32_t pgc_head[VM_NFREEPOOL];
	uint32_t pgc_cnt[VM_NFREEPOOL]; /* read by anybody */
	vm_pindex_t pgc_wired;		/* atomic; the sum counts, not this */
} __attribute__((__aligned__(64)));

static struct pgcache pgcaches[MAXCPU];

void
vm_page_pcpu_init(void)
{
	for (int cpu = 0; cpu < MAXCPU; cpu++) {
		struct pgcache *pc = &pgcaches[cpu];

		*pc = (struct pgcache){ .pgc_wired = 0 };
		mtx_init(&pc->pgc_mtx, "vm page cache", NULL, MTX_SPIN);
		for (int pool = 0; pool < VM_NFREEPOOL; pool++)
			pc->pgc_head[pool] = VM_PAGE_NONE;
	}
}

/* Whichever CPU this thread is on now; the next moment it may be on another. */
static struct pgcache *
pgcache_self(void)
{
	return (&pgcaches[critical_cpu()]);
}

static bool
memory_is_low(void)
{
	return (__atomic_load_n(&vm_cnt.v_free_count, __ATOMIC_RELAXED) <=
	    vm_cnt.v_free_min);
}

static void
pgcache_push(struct pgcache *pc, enum vm_freepool pool, vm_page_t m)
{
	m->next = pc->pgc_head[pool];
	pc->pgc_head[pool] = (uint32_t)(m - vm_page_array);
	__atomic_store_n(&pc->pgc_cnt[pool], pc->pgc_cnt[pool] + 1,
	    __ATOMIC_RELAXED);
}

static vm_page_t
pgcache_pop(struct pgcache *pc, enum vm_freepool pool)
{
	uint32_t idx = pc->pgc_head[pool];
	vm_page_t m;

	if (idx == VM_PAGE_NONE)
		return (NULL);
	m = &vm_page_array[idx];
	pc->pgc_head[pool] = m->next;
	m->next = VM_PAGE_NONE;
	__atomic_store_n(&pc->pgc_cnt[pool], pc->pgc_cnt[pool] - 1,
	    __ATOMIC_RELAXED);
	return (m);
}

/* From the lists, as long as memory is not low. */
static void
pgcache_fill(struct pgcache *pc, enum vm_freepool pool)
{
	mtx_lock_spin(&vm_page_queue_free_mtx);
	for (int i = 0; i < PGCACHE_BATCH && !memory_is_low(); i++) {
		vm_page_t m = vm_phys_alloc_pages(pool, 0);

		if (m == NULL)
			break;
		vm_page_add_free(-1);
		pgcache_push(pc, pool, m);
	}
	mtx_unlock_spin(&vm_page_queue_free_mtx);
}

/* So many pages to the lists, if there are; how many were. */
static vm_pindex_t
pgcache_flush(struct pgcache *pc, enum vm_freepool pool, vm_pindex_t npages)
{
	vm_pindex_t n = 0;
	vm_page_t m;

	mtx_lock_spin(&vm_page_queue_free_mtx);
	while (n < npages && (m = pgcache_pop(pc, pool)) != NULL) {
		vm_phys_free_pages(m, 0);
		vm_page_add_free(1);
		n++;
	}
	mtx_unlock_spin(&vm_page_queue_free_mtx);
	return (n);
}

vm_page_t
vm_pgcache_alloc(enum vm_freepool pool)
{
	struct pgcache *pc = pgcache_self();
	vm_page_t m;

	if (memory_is_low())
		return (NULL);
	mtx_lock_spin(&pc->pgc_mtx);
	if (pc->pgc_cnt[pool] == 0)
		pgcache_fill(pc, pool);
	m = pgcache_pop(pc, pool);
	mtx_unlock_spin(&pc->pgc_mtx);
	return (m);
}

bool
vm_pgcache_free(vm_page_t m)
{
	struct pgcache *pc = pgcache_self();
	enum vm_freepool pool = vm_phys_pool(m);

	if (memory_is_low())
		return (false);
	mtx_lock_spin(&pc->pgc_mtx);
	if (pc->pgc_cnt[pool] == PGCACHE_MAX)
		(void)pgcache_flush(pc, pool, PGCACHE_BATCH);
	pgcache_push(pc, pool, m);
	mtx_unlock_spin(&pc->pgc_mtx);
	return (true);
}

vm_pindex_t
vm_pgcache_drain(void)
{
	vm_pindex_t n = 0;
	int cpu;

	CPU_FOREACH(cpu) {
		struct pgcache *pc = &pgcaches[cpu];

		mtx_lock_spin(&pc->pgc_mtx);
		for (int pool = 0; pool < VM_NFREEPOOL; pool++) {
			if (pc->pgc_cnt[pool] > 0)
				n += pgcache_flush(pc, (enum vm_freepool)pool,
				    PGCACHE_MAX);
		}
		mtx_unlock_spin(&pc->pgc_mtx);
	}
	return (n);
}

vm_pindex_t
vm_free_count(void)
{
	vm_pindex_t n = __atomic_load_n(&vm_cnt.v_free_count, __ATOMIC_RELAXED);
	int cpu;

	CPU_FOREACH(cpu) {
		for (int pool = 0; pool < VM_NFREEPOOL; pool++)
			n += __atomic_load_n(&pgcaches[cpu].pgc_cnt[pool],
			    __ATOMIC_RELAXED);
	}
	return (n);
}

void
vm_wire_add(int n)
{
	__atomic_fetch_add(&pgcache_self()->pgc_wired, (vm_pindex_t)n,
	    __ATOMIC_RELAXED);
}

vm_pindex_t
vm_wire_count(void)
{
	vm_pindex_t n = 0;
	int cpu;

	CPU_FOREACH(cpu)
		n +=
		    __atomic_load_n(&pgcaches[cpu].pgc_wired, __ATOMIC_RELAXED);
	return (n);
}
