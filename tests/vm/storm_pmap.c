/*
 * usage: storm_pmap [SEED [STEPS [pcid]]]
 *
 * A storm of calls and accesses on four simulated CPUs and three address spaces,
 * compared with plain arrays at every step.  The same seed gives the same steps,
 * so what a failure says is enough to see it again.  With pcid, the CPUs have
 * PCIDs, and keep what they know of address spaces that they have not loaded.
 *
 * Pages are mapped at places around the edges of page tables of all levels; and
 * 512 in a row, which become a large page, at the end of the user half.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"
#include "tests/vm/storm.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/systm.h"

#define NCPUS	4
#define NPMAPS	3
#define NFEW	40 /* pages that are mapped anywhere, one by one */
#define NPAGES	(NFEW + NPTEPG)
#define AUDIT	1000 /* steps from one look at everything to the next */
#define UNKNOWN (-1)

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x1100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = NCPUS,
	.pinned = true,
};

/* Where pages are mapped: so many on both sides of each edge. */
#define AROUND 3
static const vm_offset_t edges[] = { NBPDR, 4 * NBPDR, NBPDP, UINT64_C(1) << 39,
	UINT64_C(3) << 39 };
#define NEDGES (2 * AROUND * 5)
#define NSLOTS (NEDGES + NPTEPG) /* then those of the large page */

static vm_offset_t slots[NSLOTS];

/* ---- What should be true ---- */

struct expected {
	int page; /* UNKNOWN: nothing is mapped */
	vm_prot_t prot;
	bool wired;
};

static struct expected maps[NPMAPS][NSLOTS];

static struct {
	vm_page_t m;
	bool dirty;
	bool referenced;
} pages[NPAGES];

static int loaded[NCPUS]; /* UNKNOWN: the kernel's half alone */

/* ---- What there is ---- */

static struct pmap pmaps[NPMAPS];

/* All memory that is free, while it is held to see how calls do without. */
static vm_page_t hoard[0x2000];
static size_t nhoard;

static vm_prot_t
any_prot(void)
{
	return ((vm_prot_t)(VM_PROT_READ | below(8)));
}

/* Of the first few half of the time, of all otherwise. */
static unsigned int
any_of(unsigned int few, unsigned int all)
{
	return (below(below(2) == 0 ? few : all));
}

/* One of them more often than all others, so that it is mapped at many places. */
static int
any_page(void)
{
	return ((int)(below(4) == 0 ? 0 : any_of(NFEW, NPAGES)));
}

struct range {
	unsigned int first, last;
	vm_offset_t start, end;
};

static struct range
any_range(void)
{
	unsigned int a = any_of(NEDGES, NSLOTS), b = any_of(NEDGES, NSLOTS);
	struct range r = { a < b ? a : b, a < b ? b : a, 0, 0 };

	/* Few at a time, mostly, or little would be mapped. */
	if (below(4) != 0 && r.last > r.first + 2)
		r.last = r.first + 2;
	r.start = slots[r.first];
	r.end = slots[r.last] + PAGE_SIZE;
	return (r);
}

/* ---- One step of each kind ---- */

static void
step_access(void)
{
	unsigned int cpu = below(NCPUS);
	unsigned int slot = any_of(NEDGES, NSLOTS);
	unsigned int access = below(4);
	const struct expected *e =
	    loaded[cpu] == UNKNOWN ? NULL : &maps[loaded[cpu]][slot];
	void *got;

	if (access == (MMU_WRITE | MMU_EXECUTE))
		access = MMU_READ;
	(void)mmu_count();
	got = mmu_access(cpu, slots[slot], MMU_USER | access);
	if (e == NULL || e->page == UNKNOWN ||
	    ((access & MMU_WRITE) != 0 && (e->prot & VM_PROT_WRITE) == 0) ||
	    ((access & MMU_EXECUTE) != 0 && (e->prot & VM_PROT_EXECUTE) == 0)) {
		expect(got == NULL, "an access that should fault");
		return;
	}
	expect(got == page_bytes(pages[e->page].m), "an access");
	pages[e->page].dirty |= (access & MMU_WRITE) != 0;
	pages[e->page].referenced |= mmu_count().mc_walks > 0;
}

static void
enter(unsigned int which, unsigned int slot, int page, vm_prot_t prot,
    unsigned int flags)
{
	bool wired = (flags & PMAP_ENTER_WIRED) != 0;
	int error =
	    pmap_enter(&pmaps[which], slots[slot], pages[page].m, prot, flags);

	if (error != 0) {
		expect(error == ENOMEM && nhoard > 0, "an error of enter");
		return;
	}
	maps[which][slot] = (struct expected){ page, prot, wired };
	pages[page].dirty |= (flags & VM_PROT_WRITE) != 0;
	pages[page].referenced |= (flags & VM_PROT_ALL) != 0;
}

/* Pages in a row, which become a large page unless they are clean or wired. */
static void
step_enter_row(void)
{
	unsigned int which = below(NPMAPS);
	vm_prot_t prot = any_prot();
	unsigned int flags = below(4) != 0 ? prot : below(2) * PMAP_ENTER_WIRED;

	if (nhoard > 0)
		return;
	for (unsigned int i = 0; i < NPTEPG; i++) {
		enter(which, NEDGES + i, (int)(NFEW + i), prot, flags);
		if (i % 8 == 0)
			step_access();
	}
	for (unsigned int i = 0; i < 16; i++)
		step_access();
}

static void
step_enter(void)
{
	unsigned int which = below(NPMAPS), slot = any_of(NEDGES, NSLOTS);
	int page = any_page();
	vm_prot_t prot = any_prot();
	unsigned int flags = below(2) == 0 ? 0 : prot & below(8);
	bool wired = below(8) == 0;

	enter(which, slot, page, prot, flags | (wired ? PMAP_ENTER_WIRED : 0));
}

static void
step_remove(void)
{
	unsigned int which = below(NPMAPS);
	struct range r = any_range();

	pmap_remove(&pmaps[which], r.start, r.end);
	for (unsigned int i = r.first; i <= r.last; i++)
		maps[which][i].page = UNKNOWN;
}

static void
step_protect(void)
{
	unsigned int which = below(NPMAPS);
	struct range r = any_range();
	vm_prot_t prot = below(16) == 0 ? VM_PROT_NONE : any_prot();

	pmap_protect(&pmaps[which], r.start, r.end, prot);
	for (unsigned int i = r.first; i <= r.last; i++) {
		maps[which][i].prot &= prot;
		if (prot == VM_PROT_NONE)
			maps[which][i].page = UNKNOWN;
	}
}

static void
step_unwire(void)
{
	unsigned int which = below(NPMAPS);
	struct range r = any_range();

	pmap_unwire(&pmaps[which], r.start, r.end);
	for (unsigned int i = r.first; i <= r.last; i++)
		maps[which][i].wired = false;
}

static bool
is_large(unsigned int which, unsigned int slot)
{
	struct mapping mp = pmap_find(&pmaps[which], slots[slot]);

	return (mp.mp_level > 0 && (*mp.mp_pte & AMD64_PTE_V) != 0);
}

static void
step_copy(void)
{
	unsigned int dst = below(NPMAPS), src = below(NPMAPS);
	struct range r = any_range();

	/* It may end early when there is no memory. */
	if (dst == src || nhoard > 0)
		return;
	pmap_copy(&pmaps[dst], &pmaps[src], r.start, r.end);
	for (unsigned int i = r.first; i <= r.last; i++) {
		if (maps[dst][i].page == UNKNOWN && !is_large(src, i)) {
			maps[dst][i] = maps[src][i];
			maps[dst][i].wired = false;
		}
	}
}

/* Of all mappings of a page. */
static void
for_page(int page, void (*func)(struct expected *e))
{
	for (unsigned int i = 0; i < NPMAPS * NSLOTS; i++) {
		struct expected *e = &maps[i / NSLOTS][i % NSLOTS];

		if (e->page == page)
			func(e);
	}
}

static void
expect_none(struct expected *e)
{
	e->page = UNKNOWN;
}

static void
expect_read_only(struct expected *e)
{
	e->prot &= (vm_prot_t)~VM_PROT_WRITE;
}

static void
step_remove_all(void)
{
	int page = any_page();

	pmap_remove_all(pages[page].m);
	for_page(page, expect_none);
	expect(!pmap_page_is_mapped(pages[page].m), "a page that is mapped");
}

static void
step_remove_write(void)
{
	int page = any_page();

	pmap_remove_write(pages[page].m);
	for_page(page, expect_read_only);
}

static void
step_clear_modify(void)
{
	int page = any_page();

	pmap_clear_modify(pages[page].m);
	pages[page].dirty = false;
}

/* Of a page that was part of a large one more accesses are noted than there were. */
static void
check_referenced(int page, bool noted)
{
	expect(noted == pages[page].referenced || (noted && page >= NFEW),
	    "accesses of a page");
}

static void
step_ts_referenced(void)
{
	int page = any_page();

	check_referenced(page, pmap_ts_referenced(pages[page].m) > 0);
	pages[page].referenced = false;
}

/* Another page instead of one, which is free for others from then on. */
static void
step_new_page(void)
{
	int page = any_page();
	vm_page_t m;

	if (nhoard > 0 || page >= NFEW)
		return;
	m = new_page();
	pmap_remove_all(pages[page].m);
	for_page(page, expect_none);
	free_page(pages[page].m);
	pages[page].m = m;
	pages[page].dirty = pages[page].referenced = false;
}

static void
step_activate(void)
{
	unsigned int cpu = below(NCPUS);
	int which = (int)below(NPMAPS + 1) - 1;

	sim_pin(cpu);
	pmap_activate(which == UNKNOWN ? kernel_pmap : &pmaps[which]);
	sim_pin(below(NCPUS)); /* who makes the calls from now on */
	loaded[cpu] = which;
}

/* An address space ends, and another begins. */
static void
step_exit(void)
{
	unsigned int which = below(NPMAPS);

	if (nhoard > 0)
		return;
	for (unsigned int cpu = 0; cpu < NCPUS; cpu++) {
		if (loaded[cpu] != (int)which)
			continue;
		sim_pin(cpu);
		pmap_activate(kernel_pmap);
		loaded[cpu] = UNKNOWN;
	}
	pmap_remove(&pmaps[which], 0, VM_MAXUSER_ADDRESS);
	pmap_release(&pmaps[which]);
	expect(pmap_pinit(&pmaps[which]) == 0, "a new address space");
	for (unsigned int i = 0; i < NSLOTS; i++)
		maps[which][i].page = UNKNOWN;
}

static void
step_hoard(void)
{
	vm_page_t m;

	if (nhoard > 0) {
		while (nhoard > 0)
			free_page(hoard[--nhoard]);
		return;
	}
	while ((m = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WIRED)) !=
	    NULL)
		hoard[nhoard++] = m;
}

/* Without memory, a large page may be forgotten that should have been split. */
static void
see_what_was_forgotten(void)
{
	for (unsigned int i = 0; i < NPMAPS * NPTEPG; i++) {
		struct pmap *pmap = &pmaps[i / NPTEPG];
		unsigned int slot = NEDGES + i % NPTEPG;
		struct expected *e = &maps[i / NPTEPG][slot];

		if (e->page != UNKNOWN &&
		    pmap_extract(pmap, slots[slot]) == 0) {
			expect(!e->wired, "a wired page that is forgotten");
			e->page = UNKNOWN;
		}
	}
}

/* ---- Everything ---- */

static void
audit_pmap(unsigned int which)
{
	vm_pindex_t resident = 0, wired = 0;

	for (unsigned int i = 0; i < NSLOTS; i++) {
		const struct expected *e = &maps[which][i];
		vm_paddr_t pa = pmap_extract(&pmaps[which], slots[i]);

		if (e->page == UNKNOWN) {
			expect(pa == 0, "an address without a page");
			continue;
		}
		expect(pa == VM_PAGE_TO_PHYS(pages[e->page].m), "an address");
		resident++;
		wired += e->wired;
	}
	expect(pmap_resident_count(&pmaps[which]) == resident, "pages mapped");
	expect(pmap_wired_count(&pmaps[which]) == wired, "pages wired");
	expect(resident > 0 || pmaps[which].pm_tables == 1, "empty tables");
}

static unsigned int nmappings;

static void
count_mapping(struct expected *e)
{
	(void)e;
	nmappings++;
}

static void
audit_page(int page)
{
	const struct pv_entry *pv;
	vm_page_t m = pages[page].m;
	unsigned int found = 0;

	nmappings = 0;
	for_page(page, count_mapping);
	for (pv = pmap_pv_first(m); pv != NULL; pv = pmap_pv_next(pv)) {
		expect(pmap_mapped_page(*pmap_pv_mapping(pv).mp_pte) == m,
		    "a reverse map");
		found += (pv->pv_va & PV_LARGE) == 0;
	}
	for (unsigned int which = 0; which < NPMAPS; which++)
		found += page >= NFEW && is_large(which, NEDGES);
	expect(found == nmappings, "reverse maps");
	expect(pmap_is_modified(m) == pages[page].dirty, "writes to a page");
	check_referenced(page, pmap_is_referenced(m));
}

static void
audit(void)
{
	for (unsigned int which = 0; which < NPMAPS; which++)
		audit_pmap(which);
	for (int page = 0; page < NPAGES; page++)
		audit_page(page);
}

/* ---- The storm ---- */

static const struct storm_kind kinds[] = {
	{ 500, step_access },
	{ 200, step_enter },
	{ 40, step_remove },
	{ 40, step_protect },
	{ 20, step_unwire },
	{ 20, step_copy },
	{ 30, step_remove_all },
	{ 30, step_remove_write },
	{ 40, step_clear_modify },
	{ 40, step_ts_referenced },
	{ 20, step_new_page },
	{ 40, step_activate },
	{ 4, step_exit },
	{ 2, step_hoard },
	{ 2, step_enter_row },
};

static void
one_step(void)
{
	storm_choose(kinds, NROWS(kinds));
	if (nhoard > 0)
		see_what_was_forgotten();
	if (nhoard > 0 && below(30) == 0)
		step_hoard(); /* no more */
}

static void
run_of_pages(void)
{
	static const struct vm_phys_where where = { 0, UINT64_MAX, NBPDR, 0 };
	vm_page_t m = vm_page_alloc_contig(VM_ALLOC_SYSTEM | VM_ALLOC_USER |
		VM_ALLOC_WIRED,
	    NPTEPG, &where);

	expect(m != NULL, "512 pages in a row");
	for (size_t i = 0; i < NPTEPG; i++)
		pages[NFEW + i].m = &m[i];
}

static void
power_on(void)
{
	sim_boot(&config);
	for (size_t i = NEDGES; i < NSLOTS; i++)
		slots[i] = VM_MAXUSER_ADDRESS - NBPDR + ptoa(i - NEDGES);
	for (size_t i = 0; i < NEDGES; i++)
		slots[i] = edges[i / (2 * AROUND)] + ptoa(i % (2 * AROUND)) -
		    ptoa(AROUND);
	for (size_t i = 0; i < NPMAPS; i++) {
		expect(pmap_pinit(&pmaps[i]) == 0, "an address space");
		for (size_t slot = 0; slot < NSLOTS; slot++)
			maps[i][slot].page = UNKNOWN;
	}
	for (size_t i = 0; i < NFEW; i++)
		pages[i].m = new_page();
	run_of_pages();
	for (size_t i = 0; i < NCPUS; i++)
		loaded[i] = UNKNOWN;
}

static const char *pcid = "";

static void
run(void *arg)
{
	(void)arg;
	power_on();
	for (; storm_step < storm_nsteps; storm_step++) {
		one_step();
		if (storm_step % AUDIT == 0)
			audit();
	}
	audit();
}

static void
test_storm(void **state)
{
	(void)state;
	storm_run("storm_pmap", pcid, run);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
	};

	storm_args(argc, argv, 200000);
	if (argc > 3)
		pcid = argv[3];
	mmu_set_pcid(strcmp(pcid, "pcid") == 0);
	return (RUN_TESTS(tests, NROWS(tests)));
}
