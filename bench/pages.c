/*
 * usage: bench_pages
 *
 * How many pages a second does a CPU take and give back, while another does the
 * same, beside the same CPU alone?  Each thread keeps 16 pages and replaces one
 * after the other.
 */
#include <pthread.h>
#include <stdlib.h>

#include "bench/figures.h"
#include "kernel/vm/vm_page.h"
#include "tests/vm/sim.h"

#define NROUNDS	    7
#define NLIVE	    16
#define NPAIRS	    1000000
#define MAX_THREADS 2

struct worker {
	unsigned int cpu;
	pthread_barrier_t *start;
};

static void *
work(void *arg)
{
	const struct worker *worker = arg;
	vm_page_t pages[NLIVE];

	sim_pin(worker->cpu);
	for (int i = 0; i < NLIVE; i++)
		pages[i] = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	pthread_barrier_wait(worker->start);
	for (int i = 0; i < NPAIRS; i++) {
		vm_page_free(pages[i % NLIVE]);
		pages[i % NLIVE] = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
		if (pages[i % NLIVE] == NULL)
			abort();
	}
	for (int i = 0; i < NLIVE; i++)
		vm_page_free(pages[i]);
	return (NULL);
}

/* Pairs per second of one of nthreads. */
static double
measure(unsigned int nthreads)
{
	struct worker workers[MAX_THREADS];
	pthread_t threads[MAX_THREADS];
	pthread_barrier_t start;
	double began;

	pthread_barrier_init(&start, NULL, nthreads + 1);
	for (unsigned int i = 0; i < nthreads; i++) {
		workers[i] = (struct worker){ i, &start };
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			abort();
	}
	pthread_barrier_wait(&start);
	began = figures_cpu_now();
	for (unsigned int i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	return (nthreads * (double)NPAIRS / (figures_cpu_now() - began));
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

	config.ncpus = MAX_THREADS;
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
