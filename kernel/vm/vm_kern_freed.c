/*
 * Kernel memory that was freed, until all CPUs have forgotten it.
 *
 * To tell the other CPUs costs as much as a hundred allocations, and they are told
 * of many ranges as fast as of one.  So each CPU gathers what is freed on it, and
 * tells the others of all of it at once.  Until then nothing uses the addresses and
 * the pages again; who uses them by mistake faults, or finds the old page.
 *
 * Nothing is gathered of large ranges, while memory is low, and while a thread waits
 * for addresses.  kmem_settle() is for those who then find too little.
 *
 * fc_mtx is a leaf: nothing is freed under it.
 */
#include "kernel/vm/vm_kern_int.h"

#include "kernel/sys/critical.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_phys.h"

/* What a CPU gathers at most, and from what size on a range is freed at once. */
#define FREED_RANGES 64
#define FREED_SIZE   ((vm_size_t)ptoa(64))
#define FREED_LARGE  ((vm_size_t)ptoa(8))

struct freed {
	unsigned int fr_nranges;
	uint32_t fr_pages; /* that were mapped there, linked by next */
	vm_size_t fr_size; /* of all ranges */
	struct kva_range fr_range[FREED_RANGES];
};

struct freed_cpu {
	struct mtx fc_mtx;
	struct freed fc_freed; /* (fc_mtx) */
} __attribute__((__aligned__(64)));

static struct freed_cpu *gathered; /* by CPU */

static void
freed_clear(struct freed *fr)
{
	fr->fr_nranges = 0;
	fr->fr_pages = VM_PAGE_NONE;
	fr->fr_size = 0;
}

static void
freed_take(struct freed *from, struct freed *to)
{
	*to = *from;
	freed_clear(from);
}

void
kmem_freed_init(void)
{
	int cpu;

	gathered = (struct freed_cpu *)PHYS_TO_DMAP(vm_phys_early_alloc(
	    ((vm_size_t)mp_maxid + 1) * sizeof(*gathered), VM_EARLY_CORE));
	CPU_FOREACH(cpu) {
		mtx_init(&gathered[cpu].fc_mtx, "freed kernel memory", NULL,
		    MTX_SPIN);
		freed_clear(&gathered[cpu].fc_freed);
	}
}

/* All CPUs forget the ranges, and then these and the pages are free. */
static void
freed_settle(const struct freed *fr)
{
	pmap_kforget(fr->fr_range, fr->fr_nranges);
	kmem_free_pages(fr->fr_pages);
	for (unsigned int i = 0; i < fr->fr_nranges; i++)
		kva_free(fr->fr_range[i].kr_start,
		    fr->fr_range[i].kr_end - fr->fr_range[i].kr_start);
}

static void
freed_add(struct freed *fr, struct kva_range range, vm_offset_t addr,
    vm_pindex_t npages)
{
	fr->fr_pages = kmem_unmap(addr, npages, fr->fr_pages);
	fr->fr_range[fr->fr_nranges++] = range;
	fr->fr_size += range.kr_end - range.kr_start;
}

/* Is it worth waiting for more? */
static bool
has_room(const struct freed *fr)
{
	return (fr->fr_nranges < FREED_RANGES && fr->fr_size < FREED_SIZE &&
	    !kva_is_wanted() &&
	    __atomic_load_n(&vm_cnt.v_free_count, __ATOMIC_RELAXED) >
		vm_cnt.v_free_target);
}

static void
free_large(struct kva_range range, vm_offset_t addr, vm_pindex_t npages)
{
	struct freed fr;

	freed_clear(&fr);
	freed_add(&fr, range, addr, npages);
	freed_settle(&fr);
}

void
kmem_free_later(struct kva_range range, vm_offset_t addr, vm_pindex_t npages)
{
	/* This CPU's, though in a moment this may be another. */
	struct freed_cpu *fc = &gathered[critical_cpu()];
	struct freed settled;

	if (range.kr_end - range.kr_start > FREED_LARGE) {
		free_large(range, addr, npages);
		return;
	}
	mtx_lock_spin(&fc->fc_mtx);
	freed_add(&fc->fc_freed, range, addr, npages);
	if (has_room(&fc->fc_freed)) {
		mtx_unlock_spin(&fc->fc_mtx);
		return;
	}
	freed_take(&fc->fc_freed, &settled);
	mtx_unlock_spin(&fc->fc_mtx);
	freed_settle(&settled);
}

static bool
settle_cpu(struct freed_cpu *fc)
{
	struct freed settled;

	mtx_lock_spin(&fc->fc_mtx);
	freed_take(&fc->fc_freed, &settled);
	mtx_unlock_spin(&fc->fc_mtx);
	if (settled.fr_nranges > 0)
		freed_settle(&settled);
	return (settled.fr_nranges > 0);
}

bool
kmem_settle(void)
{
	bool some = false;
	int cpu;

	CPU_FOREACH(cpu)
		some |= settle_cpu(&gathered[cpu]);
	return (some);
}
