/*
 * One entry of a page table, and all that goes with it: the counts of its pmap
 * and table, the page's reverse map, and what the page knows of its mappings.
 *
 * A device's memory has no page, so no reverse map either, and nothing is noted.
 *
 * A CPU forgets an entry only where that takes something away.  More rights need
 * no order: a CPU that knows of fewer looks again before it faults.
 *
 * Lock: pmap_lock, which callers hold.
 */
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/pmap_tlb.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"

vm_page_t
pmap_mapped_page(pt_entry_t entry)
{
	return (PHYS_TO_VM_PAGE(entry & AMD64_PTE_FRAME));
}

/* An entry that had these bits has them no more: the page keeps what they say. */
static void
remember(vm_page_t m, pt_entry_t lost)
{
	uint16_t flags = 0;

	if ((lost & AMD64_PTE_A) != 0)
		flags |= VPG_REFERENCED;
	if ((lost & AMD64_PTE_M) != 0)
		flags |= VPG_DIRTY;
	if (flags != 0)
		vm_page_aflag_set(m, flags);
}

/*
 * The same for all pages of a mapping.  An access that is forgotten was counted
 * for the first page, and is still to be for the others.
 */
static void
remember_lost(const struct mapping *mp, vm_page_t m, pt_entry_t lost)
{
	remember(m, lost & AMD64_PTE_M);
	for (vm_pindex_t i = 1; i < atop(level_size(mp->mp_level)); i++)
		remember(&m[i], lost);
}

/* By what its reverse map is known. */
static vm_offset_t
pv_address(const struct mapping *mp)
{
	return (mp->mp_va | (mp->mp_level > 0 ? PV_LARGE : 0));
}

static void
gather(const struct mapping *mp, struct tlb_gather *g)
{
	tlb_gather_user(g, mp->mp_pmap, mp->mp_va,
	    mp->mp_va + level_size(mp->mp_level));
}

void
pmap_pte_insert(const struct mapping *mp, pt_entry_t entry)
{
	struct pmap *pmap = mp->mp_pmap;

	KASSERT((*mp->mp_pte & AMD64_PTE_V) == 0,
	    ("%s: %#jx is mapped", __func__, (uintmax_t)mp->mp_va));
	vm_page_wire(pmap_table_of(mp->mp_pte));
	if (pmap_mapped_page(entry) != NULL)
		pmap_pv_insert(pmap, pmap_mapped_page(entry), pv_address(mp));
	pmap->pm_resident += atop(level_size(mp->mp_level));
	pmap->pm_wired += (entry & PTE_WIRED) != 0;
	__atomic_store_n(mp->mp_pte, entry, __ATOMIC_RELEASE);
}

void
pmap_pte_remove(const struct mapping *mp, struct tlb_gather *g)
{
	struct pmap *pmap = mp->mp_pmap;
	pt_entry_t old = __atomic_exchange_n(mp->mp_pte, 0, __ATOMIC_SEQ_CST);
	vm_page_t m = pmap_mapped_page(old);

	(void)vm_page_unwire_noq(pmap_table_of(mp->mp_pte));
	pmap->pm_resident -= atop(level_size(mp->mp_level));
	pmap->pm_wired -= (old & PTE_WIRED) != 0;
	if (m != NULL) {
		remember(m, old);
		remember_lost(mp, m, old);
		pmap_pv_remove(pmap, m, pv_address(mp));
	}
	gather(mp, g);
}

void
pmap_pte_change(const struct mapping *mp, pt_entry_t clear, pt_entry_t set,
    struct tlb_gather *g)
{
	struct pmap *pmap = mp->mp_pmap;
	pt_entry_t old = *mp->mp_pte;
	vm_page_t m = pmap_mapped_page(old);
	pt_entry_t now, lost;

	do
		now = (old & ~clear) | set;
	while (!__atomic_compare_exchange_n(mp->mp_pte, &old, now, false,
	    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	lost = old & ~now;
	pmap->pm_wired += (now & PTE_WIRED) != 0;
	pmap->pm_wired -= (old & PTE_WIRED) != 0;
	if (m != NULL)
		remember_lost(mp, m, lost);
	if ((lost & (AMD64_PTE_RW | AMD64_PTE_M)) != 0 ||
	    (~old & now & AMD64_PTE_NX) != 0)
		gather(mp, g);
}
