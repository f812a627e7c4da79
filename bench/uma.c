/*
 * usage: bench_uma
 *
 * How many pairs of allocation and free a second of CPU time does UMA do, beside the
 * malloc of the C library, and of jemalloc where there is one?  Each thread
 * keeps 256 items of 128 bytes and replaces one after the other.
 *
 * The two are measured in turns, so that the machine's moods meet both.  For
 * jemalloc the program runs itself again with that preloaded.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/figures.h"
#include "kernel/vm/uma.h"
#include "tests/vm/sim.h"

#undef malloc
#undef free

#define NROUNDS	    7
#define NLIVE	    256
#define ITEM_SIZE   128
#define NPAIRS	    2000000
#define MAX_THREADS 2

static uma_zone_t zone;

struct worker {
	void (*run)(void **items, size_t npairs);
	unsigned int cpu;
	pthread_barrier_t *start;
};

/* Write to the item, as its user would. */
static inline void *
use(void *item)
{
	if (item == NULL)
		abort();
	*(volatile uint64_t *)item = 1;
	return (item);
}

static void
run_uma(void **items, size_t npairs)
{
	for (size_t i = 0; i < npairs; i++) {
		uma_zfree(zone, items[i % NLIVE]);
		items[i % NLIVE] = use(uma_zalloc(zone, M_NOWAIT));
	}
	for (size_t i = 0; i < NLIVE; i++)
		uma_zfree(zone, items[i]);
}

static void
run_malloc(void **items, size_t npairs)
{
	for (size_t i = 0; i < npairs; i++) {
		free(items[i % NLIVE]);
		items[i % NLIVE] = use(malloc(ITEM_SIZE));
	}
	for (size_t i = 0; i < NLIVE; i++)
		free(items[i]);
}

static void *
work(void *arg)
{
	const struct worker *worker = arg;
	void *items[NLIVE] = { NULL };

	sim_pin(worker->cpu);
	pthread_barrier_wait(worker->start);
	worker->run(items, NPAIRS);
	return (NULL);
}

/* Pairs per second of the CPUs' time, of nthreads together. */
static double
measure(void (*run)(void **items, size_t npairs), unsigned int nthreads)
{
	struct worker workers[MAX_THREADS];
	pthread_t threads[MAX_THREADS];
	pthread_barrier_t start;
	double began;

	pthread_barrier_init(&start, NULL, nthreads + 1);
	for (unsigned int i = 0; i < nthreads; i++) {
		workers[i] = (struct worker){ run, i, &start };
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

static void
compare(unsigned int nthreads, const char *peer)
{
	double ours[NROUNDS], theirs[NROUNDS];
	char about[32];
	const struct figures fg = { .fg_bench = "uma",
		.fg_about = about,
		.fg_unit = "pairs/s",
		.fg_limit_is = peer };

	for (size_t i = 0; i < NROUNDS; i++) {
		ours[i] = measure(run_uma, nthreads);
		theirs[i] = measure(run_malloc, nthreads);
	}
	(void)snprintf(about, sizeof(about), "\"threads\":%u, ", nthreads);
	figures_print(&fg, ours, theirs, NROUNDS);
}

int
main(int argc, char **argv)
{
	struct sim_config config = sim_small;
	bool preloaded = dlsym(RTLD_DEFAULT, "mallctl") != NULL;

	if (argc > 1 && !preloaded) {
		(void)fprintf(stderr, "bench_uma: no jemalloc here\n");
		return (0);
	}
	config.ncpus = MAX_THREADS;
	config.pinned = true;
	uma_debug = false;
	sim_boot(&config);
	zone = uma_zcreate("bench", ITEM_SIZE, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, 0);
	for (unsigned int n = 1; n <= MAX_THREADS; n++)
		compare(n, preloaded ? "jemalloc" : "C library malloc");
	uma_zdestroy(zone);
	sim_halt();

	if (argc == 1 && setenv("LD_PRELOAD", "libjemalloc.so.2", 1) == 0)
		(void)execl(argv[0], argv[0], "jemalloc", (char *)NULL);
	return (0);
}
