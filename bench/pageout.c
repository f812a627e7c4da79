/*
 * usage: bench_pageout
 *
 * How many pages a second does the page daemon look at, beside a plain walk that
 * reads and writes each page's structure in the same order?
 */
#include <stdlib.h>

#include "bench/figures.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pageout.h"
#include "tests/vm/sim.h"

#define NROUNDS 7
#define NPAGES	200000

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x40000000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 1,
	.pinned = true,
};

/* Active pages, used so much that none becomes inactive. */
static void
make_pages(void)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, NPAGES);

	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; i < NPAGES; i++) {
		vm_page_t m = vm_page_alloc(object, i, VM_ALLOC_NORMAL);

		if (m == NULL)
			abort();
		vm_page_activate(m);
		vm_page_xunbusy(m);
		m->act_count = ACT_MAX;
	}
	mtx_unlock(&vm_mtx);
}

static double
measure_scan(void)
{
	double began = figures_cpu_now();

	vm_pageout_scan_active(NPAGES, 0);
	return (NPAGES / (figures_cpu_now() - began));
}

static double
measure_walk(void)
{
	double began = figures_cpu_now();

	mtx_lock(&vm_mtx);
	for (vm_page_t m = vm_pageq_first(PQ_ACTIVE); m != NULL;
	     m = m->next == VM_PAGE_NONE ? NULL : &vm_page_array[m->next])
		*(volatile uint8_t *)&m->act_count = m->act_count;
	mtx_unlock(&vm_mtx);
	return (NPAGES / (figures_cpu_now() - began));
}

int
main(void)
{
	double scan[NROUNDS], walk[NROUNDS];
	const struct figures fg = { .fg_bench = "pageout",
		.fg_about = "",
		.fg_unit = "pages/s",
		.fg_limit_is = "a walk over the same pages" };

	sim_boot(&config);
	make_pages();
	for (size_t i = 0; i < NROUNDS; i++) {
		scan[i] = measure_scan();
		walk[i] = measure_walk();
	}
	figures_print(&fg, scan, walk, NROUNDS);
	sim_halt();
	return (0);
}
