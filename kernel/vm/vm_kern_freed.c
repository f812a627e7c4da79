/*
 * Kernel memory that was freed, until all CPUs have forgotten it.
 *
 * To tell the other CPUs costs as much as hundreds of allocations, and they are told
 * of many ranges as fast as of one.  So each CPU gathers what is freed on it.  The
 * first that has gathered enough tells the others of what all have gathered.  Until
 * then nothing uses the addresses and the pages again; who uses them by mistake
 * faults, or finds the old page.
 *
 * Nothing is gathered while memory is low, and while a thread waits for addresses.
 * kmem_settle() is for those who then find too little.
 *
 * The pages themselves remember the addresses, so any number is gathered without
 * memory for it: the first page of a range has the range's start in pindex and its
 * length in prev, both in pages.
 *
 * Lock: fc_mtx, a leaf: nothing is unmapped or freed under it.
 */
#include "kernel/vm/vm_kern_int.h"

#include "kernel/sys/critical.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_phys.h"

/*
 * A CPU tells the others when it has gathered its share of pages: a 32nd of memory,
 * divided by the number of CPUs, and 64 to 1024 pages.  While another CPU tells, the
 * share is twice as large.
 */
#define FREED_MIN   64
#define FREED_MAX   1024
#define FREED_SHARE 32

/* Some ranges, guard pages included. */
struct freed {
	uint32_t
	    fr_first; /* the pages that were mapped there, linked by next */
	uint32_t fr_last;
	vm_pindex_t fr_npages;
	struct kva_range fr_span; /* around all ranges */
};

static const struct freed freed_none = {
	.fr_first = VM_PAGE_NONE,
	.fr_last = VM_PAGE_NONE,
	.fr_span = { .kr_start = UINT64_MAX },
};

struct freed_cpu {
	struct mtx fc_mtx;
	struct freed fc_freed; /* (fc_mtx) */
} __attribute__((__aligned__(64)));

static struct freed_cpu *gathered; /* by CPU */
static unsigned int settlers;	   /* atomic: threads in kmem_settle() */

void
kmem_freed_init(void)
{
	int cpu;

	gathered = (struct freed_cpu *)PHYS_TO_DMAP(vm_phys_early_alloc(
	    ((vm_size_t)mp_maxid + 1) * sizeof(*gathered), VM_EARLY_CORE));
	CPU_FOREACH(cpu) {
		mtx_init(&gathered[cpu].fc_mtx, "freed kernel memory", NULL,
		    MTX_SPIN);
		gathered[cpu].fc_freed = freed_none;
	}
	settlers = 0;
}

/* A range, in which npages pages from addr are mapped until now. */
static struct freed
freed_range(struct kva_range range, vm_offset_t addr, vm_pindex_t npages)
{
	struct freed fr = { .fr_span = range };
	vm_page_t m;

	fr.fr_first = fr.fr_last = kmem_unmap(addr, npages);
	fr.fr_npages = atop(range.kr_end - range.kr_start);
	m = &vm_page_array[fr.fr_first];
	m->pindex = (uint32_t)atop(range.kr_start - kva_base);
	m->prev = (uint32_t)fr.fr_npages;
	for (; m->next != VM_PAGE_NONE; m = &vm_page_array[m->next])
		fr.fr_last = m->next;
	return (fr);
}

static void
freed_move(struct freed *from, struct freed *to)
{
	if (from->fr_first == VM_PAGE_NONE)
		return;
	vm_page_array[from->fr_last].next = to->fr_first;
	if (to->fr_first == VM_PAGE_NONE)
		to->fr_last = from->fr_last;
	to->fr_first = from->fr_first;
	to->fr_npages += from->fr_npages;
	if (to->fr_span.kr_start > from->fr_span.kr_start)
		to->fr_span.kr_start = from->fr_span.kr_start;
	if (to->fr_span.kr_end < from->fr_span.kr_end)
		to->fr_span.kr_end = from->fr_span.kr_end;
	*from = freed_none;
}

static void
free_addresses(uint32_t list)
{
	vm_page_t m;

	for (; list != VM_PAGE_NONE; list = m->next) {
		m = &vm_page_array[list];
		if (m->prev == VM_PAGE_NONE)
			continue;
		kva_free(kva_base + ptoa(m->pindex), ptoa(m->prev));
		m->prev = VM_PAGE_NONE;
	}
}

static struct freed
freed_take_all(void)
{
	struct freed all = freed_none;
	int cpu;

	CPU_FOREACH(cpu) {
		struct freed_cpu *fc = &gathered[cpu];

		mtx_lock_spin(&fc->fc_mtx);
		freed_move(&fc->fc_freed, &all);
		mtx_unlock_spin(&fc->fc_mtx);
	}
	return (all);
}

bool
kmem_settle(void)
{
	struct freed all;

	__atomic_fetch_add(&settlers, 1, __ATOMIC_RELAXED);
	all = freed_take_all();
	if (all.fr_first != VM_PAGE_NONE) {
		pmap_kforget(&all.fr_span, 1);
		free_addresses(all.fr_first);
		kmem_free_pages(all.fr_first);
	}
	__atomic_fetch_sub(&settlers, 1, __ATOMIC_RELAXED);
	return (all.fr_first != VM_PAGE_NONE);
}

static vm_pindex_t
freed_max(void)
{
	vm_pindex_t max =
	    vm_cnt.v_page_count / FREED_SHARE / ((vm_pindex_t)mp_maxid + 1);

	if (max < FREED_MIN)
		max = FREED_MIN;
	if (max > FREED_MAX)
		max = FREED_MAX;
	return (__atomic_load_n(&settlers, __ATOMIC_RELAXED) > 0 ? 2 * max :
								   max);
}

/* Is it worth waiting for more, after so many? */
static bool
has_room(vm_pindex_t npages)
{
	return (npages < freed_max() && !kva_is_wanted() &&
	    __atomic_load_n(&vm_cnt.v_free_count, __ATOMIC_RELAXED) >
		vm_cnt.v_free_target);
}

void
kmem_free_later(struct kva_range range, vm_offset_t addr, vm_pindex_t npages)
{
	struct freed fr = freed_range(range, addr, npages);
	/* This CPU's, though in a moment this may be another. */
	struct freed_cpu *fc = &gathered[critical_cpu()];
	vm_pindex_t sum;

	mtx_lock_spin(&fc->fc_mtx);
	freed_move(&fr, &fc->fc_freed);
	sum = fc->fc_freed.fr_npages;
	mtx_unlock_spin(&fc->fc_mtx);
	if (!has_room(sum))
		(void)kmem_settle();
}
