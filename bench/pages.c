/*
 * usage: bench_pages
 *
 * How many pages a second does a CPU take and give back, while another does the
 * same, beside the same CPU alone?  Each thread keeps 16 pages and replaces one
 * after the other.
 */
#include <stdlib.h>

#include "bench/crew.h"
#include "bench/figures.h"
#include "kernel/vm/vm_page.h"
#include "tests/vm/sim.h"

#define NROUNDS 7
#define NLIVE	16
#define NPAIRS	1000000

static void
work(pthread_barrier_t *start, const void *arg)
{
	vm_page_t pages[NLIVE];

	(void)arg;
	for (int i = 0; i < NLIVE; i++)
		pages[i] = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	pthread_barrier_wait(start);
	for (int i = 0; i < NPAIRS; i++) {
		vm_page_free(pages[i % NLIVE]);
		pages[i % NLIVE] = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
		if (pages[i % NLIVE] == NULL)
			abort();
	}
	for (int i = 0; i < NLIVE; i++)
		vm_page_free(pages[i]);
}

/* Pairs per second of one of nthreads. */
static double
measure(unsigned int nthreads)
{
	return (nthreads * (double)NPAIRS / crew_time(nthreads, work, NULL));
}

int
main(void)
{
	struct sim_config config = sim_small;
	double both[NROUNDS], alone[NROUNDS];
	const struct figures fg = { .fg_bench = "pages",
		.fg_about = "\"threads\":2, ",
		.fg_unit = "pairs/s of a CPU",
		.fg_limit_is = "one thread alone" };

	config.ncpus = CREW_MAX;
	config.pinned = true;
	sim_boot(&config);
	for (size_t i = 0; i < NROUNDS; i++) {
		both[i] = measure(2);
		alone[i] = measure(1);
	}
	figures_print(&fg, both, alone, NROUNDS);
	sim_halt();
	return (0);
}
