/*
 * Of one page, in all pmaps: where it is mapped, and what its mappings know.
 *
 * What a page itself remembers, VPG_REFERENCED and VPG_DIRTY, was once in the
 * entries of mappings that are gone, or that lost the right to write.
 *
 * Lock: pmap_lock, taken by each function.
 */
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/pmap_tlb.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

/* The first mapping of a large page from pv on; NULL: no more. */
static const struct pv_entry *
large_from(const struct pv_entry *pv)
{
	while (pv != NULL && (pv->pv_va & PV_LARGE) == 0)
		pv = pmap_pv_next(pv);
	return (pv);
}

/* The first mapping of a large page that m is part of. */
static const struct pv_entry *
first_large(vm_page_t m)
{
	vm_page_t head = pmap_large_head(m);

	return (head == NULL ? NULL : large_from(pmap_pv_first(head)));
}

/* Leave no mapping of a large page that m is part of. */
static void
split(vm_page_t m, struct tlb_gather *g)
{
	const struct pv_entry *pv;

	while ((pv = first_large(m)) != NULL) {
		struct mapping mp = pmap_pv_mapping(pv);

		pmap_demote(&mp, g);
	}
}

bool
pmap_page_is_mapped(vm_page_t m)
{
	bool mapped;

	mtx_lock_spin(&pmap_lock);
	mapped = pmap_pv_first(m) != NULL || first_large(m) != NULL;
	mtx_unlock_spin(&pmap_lock);
	return (mapped);
}

void
pmap_remove_all(vm_page_t m)
{
	struct tlb_gather g = { 0 };
	struct pv_entry *pv;

	mtx_lock_spin(&pmap_lock);
	split(m, &g);
	while ((pv = pmap_pv_first(m)) != NULL) {
		struct mapping mp = pmap_pv_mapping(pv);

		pmap_pte_remove(&mp, &g);
		pmap_prune(mp.mp_pmap, mp.mp_va, &g);
	}
	tlb_gather_finish(&g);
	mtx_unlock_spin(&pmap_lock);
}

/* Clear bits in the entries of all mappings. */
static void
clear_all(vm_page_t m, pt_entry_t clear, struct tlb_gather *g)
{
	const struct pv_entry *pv;

	for (pv = pmap_pv_first(m); pv != NULL; pv = pmap_pv_next(pv)) {
		struct mapping mp = pmap_pv_mapping(pv);

		pmap_pte_change(&mp, clear, 0, g);
	}
}

/* How many mappings have this bit in their entries? */
static int
count_all(vm_page_t m, pt_entry_t bit)
{
	const struct pv_entry *pv;
	int n = 0;

	for (pv = pmap_pv_first(m); pv != NULL; pv = pmap_pv_next(pv))
		n += (*pmap_pv_mapping(pv).mp_pte & bit) != 0;
	if (m == pmap_large_head(m))
		return (n); /* they were among its own */
	for (pv = first_large(m); pv != NULL; pv = large_from(pmap_pv_next(pv)))
		n += (*pmap_pv_mapping(pv).mp_pte & bit) != 0;
	return (n);
}

void
pmap_remove_write(vm_page_t m)
{
	struct tlb_gather g = { 0 };

	mtx_lock_spin(&pmap_lock);
	split(m, &g);
	clear_all(m, AMD64_PTE_RW | AMD64_PTE_M, &g);
	tlb_gather_finish(&g);
	mtx_unlock_spin(&pmap_lock);
}

/* Is it so by what the page remembers, or by any of its mappings? */
static bool
is_so(vm_page_t m, uint16_t flag, pt_entry_t bit)
{
	bool so;

	mtx_lock_spin(&pmap_lock);
	so = (vm_page_aflags(m) & flag) != 0 || count_all(m, bit) > 0;
	mtx_unlock_spin(&pmap_lock);
	return (so);
}

/* What the page remembered, which it does no more. */
static bool
forget(vm_page_t m, uint16_t flag)
{
	return ((vm_page_aflag_clear(m, flag) & flag) != 0);
}

bool
pmap_is_modified(vm_page_t m)
{
	return (is_so(m, VPG_DIRTY, AMD64_PTE_M));
}

void
pmap_clear_modify(vm_page_t m)
{
	struct tlb_gather g = { 0 };

	mtx_lock_spin(&pmap_lock);
	split(m, &g);
	clear_all(m, AMD64_PTE_M, &g);
	tlb_gather_finish(&g);
	(void)forget(m, VPG_DIRTY);
	mtx_unlock_spin(&pmap_lock);
}

bool
pmap_is_referenced(vm_page_t m)
{
	return (is_so(m, VPG_REFERENCED, AMD64_PTE_A));
}

int
pmap_ts_referenced(vm_page_t m)
{
	struct tlb_gather g = { 0 };
	int n;

	mtx_lock_spin(&pmap_lock);
	n = count_all(m, AMD64_PTE_A) + forget(m, VPG_REFERENCED);
	clear_all(m, AMD64_PTE_A, &g);
	tlb_gather_finish(&g);
	mtx_unlock_spin(&pmap_lock);
	return (n);
}
