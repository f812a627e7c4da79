/*
 * Page tables of user halves: four levels, made when something is mapped below
 * them and freed with the last of it.
 *
 * A table is wired once for itself and once for each valid entry, so that it is
 * empty when one reason is left.  Tables are bulk, in dumps: they describe
 * user memory, which is not there either.  They come from the pool of user
 * pages, to keep the kernel's own together.
 *
 * Lock: pmap_lock, which callers hold, except for a pmap that is being made.
 */
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/pmap_tlb.h"
#include "kernel/sys/dumpset.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define ROOT_LEVEL 3

static pt_entry_t *
entry_at(vm_paddr_t table, vm_offset_t va, unsigned int level)
{
	pt_entry_t *entries = (pt_entry_t *)PHYS_TO_DMAP(table);

	return (&entries[va >> (PAGE_SHIFT + 9 * level) & (NPTEPG - 1)]);
}

static bool
is_table(pt_entry_t entry, unsigned int level)
{
	return (level > 0 &&
	    (entry & (AMD64_PTE_V | AMD64_PTE_PS)) == AMD64_PTE_V);
}

struct mapping
pmap_find_at(struct pmap *pmap, vm_offset_t va, unsigned int level)
{
	struct mapping mp = { pmap, va, NULL, ROOT_LEVEL };

	mp.mp_pte = entry_at(pmap->pm_root, va, ROOT_LEVEL);
	while (mp.mp_level > level && is_table(*mp.mp_pte, mp.mp_level)) {
		mp.mp_level--;
		mp.mp_pte =
		    entry_at(*mp.mp_pte & AMD64_PTE_FRAME, va, mp.mp_level);
	}
	return (mp);
}

struct mapping
pmap_find(struct pmap *pmap, vm_offset_t va)
{
	return (pmap_find_at(pmap, va, 0));
}

vm_page_t
pmap_table_of(const pt_entry_t *pte)
{
	return (PHYS_TO_VM_PAGE(trunc_page(DMAP_TO_PHYS((vm_offset_t)pte))));
}

bool
pmap_table_is_empty(vm_page_t table)
{
	return (table->wire_count == 1);
}

vm_page_t
pmap_table_alloc(struct pmap *pmap)
{
	vm_page_t m = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_USER |
	    VM_ALLOC_WIRED | VM_ALLOC_ZERO);

	if (m == NULL)
		return (NULL);
	vm_page_aflag_set(m, VPG_TABLE);
	dump_add_bulk(VM_PAGE_TO_PHYS(m));
	pmap->pm_tables++;
	return (m);
}

bool
pmap_make(struct pmap *pmap, vm_offset_t va, unsigned int level,
    struct mapping *mp)
{
	for (;;) {
		vm_page_t table;

		*mp = pmap_find_at(pmap, va, level);
		if (mp->mp_level == level)
			return (true);
		table = pmap_table_alloc(pmap);
		if (table == NULL)
			return (false);
		vm_page_wire(pmap_table_of(mp->mp_pte));
		*mp->mp_pte = VM_PAGE_TO_PHYS(table) | ENTRY_USER_TABLE;
	}
}

void
pmap_prune(struct pmap *pmap, vm_offset_t va, struct tlb_gather *g)
{
	for (unsigned int level = 1; level <= ROOT_LEVEL; level++) {
		struct mapping mp = pmap_find_at(pmap, va, level);
		vm_page_t table;

		if (mp.mp_level != level || !is_table(*mp.mp_pte, level))
			continue;
		table = PHYS_TO_VM_PAGE(*mp.mp_pte & AMD64_PTE_FRAME);
		if (!pmap_table_is_empty(table))
			return;
		*mp.mp_pte = 0;
		(void)vm_page_unwire_noq(pmap_table_of(mp.mp_pte));
		pmap->pm_tables--;
		tlb_gather_user(g, pmap, va, va + PAGE_SIZE);
		tlb_gather_table(g, table);
	}
}
