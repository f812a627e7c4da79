/*
 * What CPUs have to forget is gathered as ranges of addresses, and as the set
 * of CPUs that may know one of them; in the end all of these are told once.
 *
 * A range that continues the last one extends it, and one in it adds nothing.  Too many ranges, or pages,
 * become one order to forget everything.  An address of one address space may
 * be forgotten in another, which costs a walk and is never wrong.
 *
 * Lock: none of its own, because a gather belongs to one thread.  For user
 * mappings that thread holds pmap_lock from the first change until
 * tlb_gather_finish() returns.
 */
#include "kernel/amd64/pmap_tlb.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/sys/dumpset.h"
#include "kernel/vm/vm_page.h"

void
tlb_gather_range(struct tlb_gather *g, uint64_t cpus, vm_offset_t start,
    vm_offset_t end)
{
	struct tlb_flush *flush = &g->tg_flush;
	struct tlb_range *last = flush->tlf_nranges == 0 ?
	    NULL :
	    &flush->tlf_range[flush->tlf_nranges - 1];

	if (cpus == 0 || start == end)
		return;
	g->tg_cpus |= cpus;
	if (last != NULL && start >= last->tlb_start && end <= last->tlb_end)
		return;
	g->tg_npages += atop(end - start);
	if (last != NULL && last->tlb_end == start)
		last->tlb_end = end;
	else if (flush->tlf_nranges < TLB_NRANGES)
		flush->tlf_range[flush->tlf_nranges++] =
		    (struct tlb_range){ start, end };
	else
		flush->tlf_all = true;
	if (g->tg_npages > TLB_NPAGES)
		flush->tlf_all = true;
}

void
tlb_gather_user(struct tlb_gather *g, struct pmap *pmap, vm_offset_t start,
    vm_offset_t end)
{
	pmap_pcid_forget(pmap);
	tlb_gather_range(g, pmap_active(pmap), start, end);
}

void
tlb_gather_table(struct tlb_gather *g, vm_page_t table)
{
	table->object = g->tg_tables;
	g->tg_tables = table;
}

void
tlb_gather_finish(struct tlb_gather *g)
{
	vm_page_t table;

	if (g->tg_cpus != 0)
		pmap_cpu_invalidate(g->tg_cpus, &g->tg_flush);
	while ((table = g->tg_tables) != NULL) {
		g->tg_tables = table->object;
		table->object = NULL;
		dump_drop_page(VM_PAGE_TO_PHYS(table));
		(void)vm_page_unwire_noq(table);
		vm_page_free(table);
	}
}
