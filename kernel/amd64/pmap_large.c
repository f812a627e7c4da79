/*
 * Large pages: 2 MB that one directory entry maps instead of a page table.
 *
 * They are made when the last of 512 entries comes that map consecutive pages
 * alike, and taken apart when something is done to a part of them.  None is
 * wired, so one that cannot be taken apart for want of memory may be forgotten.
 * One that may be written to is dirty as a whole: it is made of dirty pages only,
 * so no page becomes dirty by another's writes.  All of its pages count as
 * accessed.
 *
 * Lock: pmap_lock, which callers hold.
 */
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/pmap_tlb.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

vm_page_t
pmap_large_head(vm_page_t m)
{
	return (PHYS_TO_VM_PAGE(rounddown2(VM_PAGE_TO_PHYS(m), NBPDR)));
}

static bool
are_alike(const pt_entry_t *pt)
{
	const pt_entry_t first = pt[0];

	if ((first & AMD64_PTE_FRAME & (NBPDR - 1)) != 0 ||
	    (first & PTE_WIRED) != 0 ||
	    (first & (AMD64_PTE_RW | AMD64_PTE_M)) == AMD64_PTE_RW)
		return (false);
	for (vm_pindex_t i = 1; i < NPTEPG; i++) {
		if (((pt[i] ^ (first + ptoa(i))) & ~AMD64_PTE_A) != 0)
			return (false);
	}
	return (true);
}

void
pmap_promote(const struct mapping *mp, struct tlb_gather *g)
{
	struct pmap *pmap = mp->mp_pmap;
	vm_offset_t va = rounddown2(mp->mp_va, NBPDR);
	pt_entry_t *pt = (pt_entry_t *)trunc_page((vm_offset_t)mp->mp_pte);
	vm_page_t table = pmap_table_of(pt);
	vm_page_t m = pmap_mapped_page(pt[0]);

	if (m == NULL || table->wire_count != 1 + NPTEPG || !are_alike(pt))
		return;
	for (vm_pindex_t i = 0; i < NPTEPG; i++)
		pmap_pv_remove(pmap, &m[i], va + ptoa(i));
	pmap_pv_insert(pmap, m, va | PV_LARGE);
	*pmap_find_at(pmap, va, 1).mp_pte = pt[0] | AMD64_PTE_PS | AMD64_PTE_A;
	tlb_gather_user(g, pmap, va, va + NBPDR);
	table->wire_count = 1;
	pmap->pm_tables--;
	tlb_gather_table(g, table);
}

/* Entries for all pages of a large page. */
static void
fill_table(const struct mapping *mp, vm_page_t table)
{
	pt_entry_t *pt = (pt_entry_t *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(table));
	pt_entry_t first = (*mp->mp_pte & ~AMD64_PTE_PS) | AMD64_PTE_A;
	vm_page_t m = pmap_mapped_page(first);

	for (vm_pindex_t i = 0; i < NPTEPG; i++) {
		pt[i] = first + ptoa(i);
		pmap_pv_insert(mp->mp_pmap, &m[i], mp->mp_va + ptoa(i));
	}
	table->wire_count = 1 + NPTEPG;
	pmap_pv_remove(mp->mp_pmap, m, mp->mp_va | PV_LARGE);
}

/* What CPUs know stays true.  Still, they do not have both for one address. */
void
pmap_demote(const struct mapping *part, struct tlb_gather *g)
{
	struct mapping mp = *part;
	struct pmap *pmap = mp.mp_pmap;
	vm_page_t table = pmap_table_alloc(pmap);

	mp.mp_va = rounddown2(mp.mp_va, NBPDR);
	if (table != NULL && pmap_pv_reserve(pmap, NPTEPG)) {
		fill_table(&mp, table);
		*mp.mp_pte = VM_PAGE_TO_PHYS(table) | ENTRY_USER_TABLE;
		tlb_gather_user(g, pmap, mp.mp_va, mp.mp_va + PAGE_SIZE);
		return;
	}
	if (table != NULL) {
		pmap->pm_tables--;
		tlb_gather_table(g, table);
	}
	pmap_pte_remove(&mp, g);
	pmap_prune(pmap, mp.mp_va, g);
}
