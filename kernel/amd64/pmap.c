/*
 * User halves of address spaces: what is mapped where, and who uses it.
 *
 * Long ranges are worked through in pieces, each with the lock held and with one
 * order to other CPUs, so that interrupts come in between.
 *
 * Lock: pmap_lock, taken by each function that reads or changes entries, except
 * pmap_pinit() and pmap_release(): their pmap has no other user.
 */
#include "kernel/amd64/pmap.h"

#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/pmap_tlb.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

/* How many mappings, at most, are worked on at a time. */
#define PIECE 1024

struct mtx pmap_lock;
struct pmap kernel_pmap_store;
const vm_size_t pmap_struct_size = sizeof(struct pmap);

static struct pmap *loaded[MAXCPU]; /* by CPU, which writes its own */

void
pmap_init(void)
{
	mtx_init(&pmap_lock, "pmap", NULL, MTX_SPIN);
	pmap_pcid_init();
	kernel_pmap->pm_root = KPML4phys;
	for (size_t cpu = 0; cpu < nitems(loaded); cpu++)
		loaded[cpu] = kernel_pmap;
}

/* ---- Address spaces ---- */

int
pmap_pinit(pmap_t pmap)
{
	const pt_entry_t *kernel = (const pt_entry_t *)PHYS_TO_DMAP(KPML4phys);
	pt_entry_t *root;
	vm_page_t m;

	*pmap = (struct pmap){ 0 };
	LIST_INIT(&pmap->pm_chunks);
	m = pmap_table_alloc(pmap);
	if (m == NULL)
		return (ENOMEM);
	pmap->pm_root = VM_PAGE_TO_PHYS(m);
	root = (pt_entry_t *)PHYS_TO_DMAP(pmap->pm_root);
	memcpy(&root[NPTEPG / 2], &kernel[NPTEPG / 2], PAGE_SIZE / 2);
	return (0);
}

void
pmap_release(pmap_t pmap)
{
	struct tlb_gather g = { 0 };

	KASSERT(pmap->pm_resident == 0 && pmap->pm_tables == 1,
	    ("%s: %ju pages in %ju tables", __func__,
		(uintmax_t)pmap->pm_resident, (uintmax_t)pmap->pm_tables));
	KASSERT(pmap_active(pmap) == 0,
	    ("%s: CPUs %#jx use it", __func__, (uintmax_t)pmap_active(pmap)));
	pmap_pv_release(pmap);
	tlb_gather_table(&g, PHYS_TO_VM_PAGE(pmap->pm_root));
	tlb_gather_finish(&g);
	pmap->pm_root = 0;
}

/*
 * A CPU counts as active before it can know of anything, and until it has
 * forgotten all, or uses it no more: see pmap_pcid.c.
 */
void
pmap_activate(pmap_t pmap)
{
	unsigned int cpu;
	struct pmap *old;

	spinlock_enter();
	cpu = critical_cpu();
	old = loaded[cpu];
	if (old != pmap) {
		__atomic_fetch_or(&pmap->pm_active, UINT64_C(1) << cpu,
		    __ATOMIC_SEQ_CST);
		loaded[cpu] = pmap;
		pmap_cpu_load(pmap_pcid_cr3(pmap, cpu));
		__atomic_fetch_and(&old->pm_active, ~(UINT64_C(1) << cpu),
		    __ATOMIC_SEQ_CST);
	}
	spinlock_exit();
}

/* ---- Ranges ---- */

static void
check_range(const char *func, vm_offset_t start, vm_offset_t end)
{
	KASSERT(start <= end && end <= VM_MAXUSER_ADDRESS &&
		((start | end) & PAGE_MASK) == 0,
	    ("%s: [%#jx, %#jx)", func, (uintmax_t)start, (uintmax_t)end));
	(void)func, (void)start, (void)end;
}

/*
 * The first mapping at or after *va that begins below end, be it a part of a large
 * page; *va is where it ends.  false: there is none.
 */
static bool
next_mapping(struct pmap *pmap, vm_offset_t *va, vm_offset_t end,
    struct mapping *mp)
{
	while (*va < end) {
		uint64_t size;

		*mp = pmap_find(pmap, *va);
		size = level_size(mp->mp_level);
		*va = rounddown2(*va, size) + size;
		if ((*mp->mp_pte & AMD64_PTE_V) != 0)
			return (true);
	}
	return (false);
}

/* The same of whole mappings: a large page of which a part is meant is split. */
static bool
next_whole(struct pmap *pmap, vm_offset_t *va, vm_offset_t end,
    struct mapping *mp, struct tlb_gather *g)
{
	while (next_mapping(pmap, va, end, mp)) {
		if (*va - mp->mp_va == level_size(mp->mp_level) && *va <= end)
			return (true);
		*va = mp->mp_va;
		pmap_demote(mp, g);
	}
	return (false);
}

/* Called for each mapping of a range, with the bits that the caller gave. */
typedef void range_func(const struct mapping *mp, pt_entry_t bits,
    struct tlb_gather *g);

static void
for_range(struct pmap *pmap, vm_offset_t va, vm_offset_t end, range_func *func,
    pt_entry_t bits)
{
	while (va < end) {
		struct tlb_gather g = { 0 };
		struct mapping mp;

		mtx_lock_spin(&pmap_lock);
		for (int n = 0;
		     n < PIECE && next_whole(pmap, &va, end, &mp, &g); n++)
			func(&mp, bits, &g);
		tlb_gather_finish(&g);
		mtx_unlock_spin(&pmap_lock);
	}
}

static void
remove_one(const struct mapping *mp, pt_entry_t bits, struct tlb_gather *g)
{
	vm_page_t table = pmap_table_of(mp->mp_pte);

	(void)bits;
	pmap_pte_remove(mp, g);
	if (pmap_table_is_empty(table))
		pmap_prune(mp->mp_pmap, mp->mp_va, g);
}

void
pmap_remove(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	check_range(__func__, start, end);
	for_range(pmap, start, end, remove_one, 0);
}

static void
protect_one(const struct mapping *mp, pt_entry_t bits, struct tlb_gather *g)
{
	pmap_pte_change(mp, bits & (AMD64_PTE_RW | AMD64_PTE_M),
	    bits & AMD64_PTE_NX, g);
}

void
pmap_protect(pmap_t pmap, vm_offset_t start, vm_offset_t end, vm_prot_t prot)
{
	pt_entry_t bits = 0;

	check_range(__func__, start, end);
	if ((prot & VM_PROT_WRITE) == 0)
		bits |= AMD64_PTE_RW | AMD64_PTE_M;
	if ((prot & VM_PROT_EXECUTE) == 0)
		bits |= AMD64_PTE_NX;
	if ((prot & VM_PROT_READ) == 0)
		for_range(pmap, start, end, remove_one, 0);
	else if (bits != 0)
		for_range(pmap, start, end, protect_one, bits);
}

static void
unwire_one(const struct mapping *mp, pt_entry_t bits, struct tlb_gather *g)
{
	(void)bits;
	pmap_pte_change(mp, PTE_WIRED, 0, g);
}

void
pmap_unwire(pmap_t pmap, vm_offset_t start, vm_offset_t end)
{
	check_range(__func__, start, end);
	for_range(pmap, start, end, unwire_one, 0);
}

/* ---- One address ---- */

static pt_entry_t
entry_for(vm_paddr_t pa, vm_prot_t prot, unsigned int flags)
{
	pt_entry_t entry = pa | AMD64_PTE_V | AMD64_PTE_U;

	if ((prot & VM_PROT_WRITE) != 0)
		entry |= AMD64_PTE_RW;
	if ((prot & VM_PROT_EXECUTE) == 0)
		entry |= AMD64_PTE_NX;
	if ((flags & VM_PROT_ALL) != 0)
		entry |= AMD64_PTE_A;
	if ((flags & prot & VM_PROT_WRITE) != 0)
		entry |= AMD64_PTE_M;
	if ((flags & PMAP_ENTER_WIRED) != 0)
		entry |= PTE_WIRED;
	return (entry);
}

/* The same page is there: what the CPUs noted stays, but of writing. */
static void
enter_again(const struct mapping *mp, pt_entry_t entry, struct tlb_gather *g)
{
	pt_entry_t clear = AMD64_PTE_NX | PTE_WIRED;

	if ((entry & AMD64_PTE_RW) == 0)
		clear |= AMD64_PTE_RW | AMD64_PTE_M;
	pmap_pte_change(mp, clear & ~entry, entry & ~AMD64_PTE_FRAME, g);
}

static int
enter_locked(struct pmap *pmap, vm_offset_t va, pt_entry_t entry,
    struct tlb_gather *g)
{
	struct mapping mp = pmap_find(pmap, va);

	if ((*mp.mp_pte & AMD64_PTE_V) != 0 && mp.mp_level > 0) {
		pmap_demote(&mp, g);
		mp = pmap_find(pmap, va);
	}
	if ((*mp.mp_pte & AMD64_PTE_V) != 0 &&
	    ((*mp.mp_pte ^ entry) & (AMD64_PTE_FRAME | AMD64_PTE_NC)) == 0) {
		enter_again(&mp, entry, g);
		pmap_promote(&mp, g);
		return (0);
	}
	if (!pmap_make(pmap, va, 0, &mp) || !pmap_pv_reserve(pmap, 1)) {
		pmap_prune(pmap, va, g);
		return (ENOMEM);
	}
	if ((*mp.mp_pte & AMD64_PTE_V) != 0)
		pmap_pte_remove(&mp, g);
	pmap_pte_insert(&mp, entry);
	pmap_promote(&mp, g);
	return (0);
}

static int
enter(struct pmap *pmap, vm_offset_t va, pt_entry_t entry)
{
	struct tlb_gather g = { 0 };
	int error;

	mtx_lock_spin(&pmap_lock);
	error = enter_locked(pmap, va, entry, &g);
	tlb_gather_finish(&g);
	mtx_unlock_spin(&pmap_lock);
	return (error);
}

int
pmap_enter(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot,
    unsigned int flags)
{
	check_range(__func__, va, va + PAGE_SIZE);
	KASSERT((prot & VM_PROT_READ) != 0, ("%s: rights %#x", __func__, prot));
	return (enter(pmap, va, entry_for(VM_PAGE_TO_PHYS(m), prot, flags)));
}

/* Nothing asks a device whether it was accessed: so it always was. */
int
pmap_enter_device(pmap_t pmap, vm_offset_t va, vm_paddr_t pa, vm_prot_t prot,
    unsigned int flags)
{
	check_range(__func__, va, va + PAGE_SIZE);
	KASSERT((prot & VM_PROT_READ) != 0, ("%s: rights %#x", __func__, prot));
	KASSERT((pa & PAGE_MASK) == 0 && PHYS_TO_VM_PAGE(pa) == NULL,
	    ("%s: %#jx", __func__, (uintmax_t)pa));
	return (enter(pmap, va,
	    entry_for(pa, prot, flags | prot) | AMD64_PTE_NC));
}

/* EBUSY: something is mapped there, which has to be removed first. */
static int
enter_large_locked(struct pmap *pmap, vm_offset_t va, pt_entry_t entry,
    struct tlb_gather *g)
{
	struct mapping mp;

	if (!pmap_make(pmap, va, 1, &mp) || !pmap_pv_reserve(pmap, 1)) {
		pmap_prune(pmap, va, g);
		return (ENOMEM);
	}
	if ((*mp.mp_pte & AMD64_PTE_V) != 0)
		return (EBUSY);
	pmap_pte_insert(&mp, entry);
	return (0);
}

int
pmap_enter_large(pmap_t pmap, vm_offset_t va, vm_page_t m, vm_prot_t prot)
{
	pt_entry_t entry =
	    entry_for(VM_PAGE_TO_PHYS(m), prot, prot) | AMD64_PTE_PS;
	int error;

	check_range(__func__, va, va + NBPDR);
	KASSERT(((va | VM_PAGE_TO_PHYS(m)) & (NBPDR - 1)) == 0,
	    ("%s: %#jx at %#jx", __func__, (uintmax_t)VM_PAGE_TO_PHYS(m),
		(uintmax_t)va));
	do {
		struct tlb_gather g = { 0 };

		pmap_remove(pmap, va, va + NBPDR);
		mtx_lock_spin(&pmap_lock);
		error = enter_large_locked(pmap, va, entry, &g);
		tlb_gather_finish(&g);
		mtx_unlock_spin(&pmap_lock);
	} while (error == EBUSY);
	return (error);
}

vm_paddr_t
pmap_extract(pmap_t pmap, vm_offset_t va)
{
	struct mapping mp;
	vm_paddr_t pa = 0;

	mtx_lock_spin(&pmap_lock);
	mp = pmap_find(pmap, va);
	if ((*mp.mp_pte & AMD64_PTE_V) != 0)
		pa = (*mp.mp_pte & AMD64_PTE_FRAME) +
		    (va & (level_size(mp.mp_level) - 1));
	mtx_unlock_spin(&pmap_lock);
	return (pa);
}

/* ---- Forks ---- */

/* false: no memory. */
static bool
copy_one(struct pmap *dst, const struct mapping *from, struct tlb_gather *g)
{
	struct mapping to = pmap_find(dst, from->mp_va);

	/* Large pages are left to faults. */
	if ((*to.mp_pte & AMD64_PTE_V) != 0 || from->mp_level > 0)
		return (true);
	if (!pmap_make(dst, from->mp_va, 0, &to) || !pmap_pv_reserve(dst, 1)) {
		pmap_prune(dst, from->mp_va, g);
		return (false);
	}
	pmap_pte_insert(&to,
	    *from->mp_pte & ~(PTE_WIRED | AMD64_PTE_A | AMD64_PTE_M));
	return (true);
}

void
pmap_copy(pmap_t dst, pmap_t src, vm_offset_t start, vm_offset_t end)
{
	vm_offset_t va = start;
	bool more = true;

	check_range(__func__, start, end);
	while (more && va < end) {
		struct tlb_gather g = { 0 };
		struct mapping mp;

		mtx_lock_spin(&pmap_lock);
		for (int n = 0;
		     more && n < PIECE && next_mapping(src, &va, end, &mp); n++)
			more = copy_one(dst, &mp, &g);
		tlb_gather_finish(&g);
		mtx_unlock_spin(&pmap_lock);
	}
}

/* ---- Counts ---- */

vm_pindex_t
pmap_resident_count(pmap_t pmap)
{
	return (pmap->pm_resident);
}

vm_pindex_t
pmap_wired_count(pmap_t pmap)
{
	return (pmap->pm_wired);
}
