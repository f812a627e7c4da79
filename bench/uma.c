/*
 * usage: bench_uma
 *
 * How many pairs of allocation and free a second does UMA do, beside the
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
#include <time.h>
#include <unistd.h>

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

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec * 1e-9);
}

/* Pairs per second of nthreads together. */
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
	began = now();
	for (unsigned int i = 0; i < nthreads; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	return (nthreads * (double)NPAIRS / (now() - began));
}

static int
compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return ((x > y) - (x < y));
}

static void
compare(unsigned int nthreads, const char *peer)
{
	double ours[NROUNDS], theirs[NROUNDS], ratio[NROUNDS];

	for (size_t i = 0; i < NROUNDS; i++) {
		ours[i] = measure(run_uma, nthreads);
		theirs[i] = measure(run_malloc, nthreads);
		ratio[i] = ours[i] / theirs[i];
	}
	qsort(ours, NROUNDS, sizeof(double), compare_double);
	qsort(theirs, NROUNDS, sizeof(double), compare_double);
	qsort(ratio, NROUNDS, sizeof(double), compare_double);
	printf("{\"bench\":\"uma\", \"threads\":%u, \"unit\":\"pairs/s\", "
	       "\"ours\":%.4g, \"limit\":%.4g, \"limit_is\":\"%s\", "
	       "\"ratio\":%.3f, \"ratio_min\":%.3f, \"ratio_max\":%.3f}\n",
	    nthreads, ours[NROUNDS / 2], theirs[NROUNDS / 2], peer,
	    ratio[NROUNDS / 2], ratio[0], ratio[NROUNDS - 1]);
	(void)fflush(stdout);
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
