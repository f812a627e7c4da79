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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/crew.h"
#include "bench/figures.h"
#include "kernel/vm/uma.h"
#include "tests/vm/sim.h"

#undef malloc
#undef free

#define NROUNDS	  7
#define NLIVE	  256
#define ITEM_SIZE 128
#define NPAIRS	  2000000

static uma_zone_t zone;

struct allocator {
	void (*run)(void **items, size_t npairs);
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

static void
work(pthread_barrier_t *start, const void *arg)
{
	const struct allocator *allocator = arg;
	void *items[NLIVE] = { NULL };

	pthread_barrier_wait(start);
	allocator->run(items, NPAIRS);
}

/* Pairs per second of the CPUs' time, of nthreads together. */
static double
measure(const struct allocator *allocator, unsigned int nthreads)
{
	return (nthreads * (double)NPAIRS /
	    crew_time(nthreads, work, allocator));
}

static void
compare(unsigned int nthreads, const char *peer)
{
	double ours[NROUNDS], theirs[NROUNDS];
	static const struct allocator uma = { run_uma };
	static const struct allocator libc = { run_malloc };
	char about[32];
	const struct figures fg = { .fg_bench = "uma",
		.fg_about = about,
		.fg_unit = "pairs/s",
		.fg_limit_is = peer };

	for (size_t i = 0; i < NROUNDS; i++) {
		ours[i] = measure(&uma, nthreads);
		theirs[i] = measure(&libc, nthreads);
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
	config.ncpus = CREW_MAX;
	config.pinned = true;
	uma_debug = false;
	sim_boot(&config);
	zone = uma_zcreate("bench", ITEM_SIZE, NULL, NULL, NULL, NULL,
	    UMA_ALIGN_PTR, 0);
	for (unsigned int n = 1; n <= CREW_MAX; n++)
		compare(n, preloaded ? "jemalloc" : "C library malloc");
	uma_zdestroy(zone);
	sim_halt();

	if (argc == 1 && setenv("LD_PRELOAD", "libjemalloc.so.2", 1) == 0)
		(void)execl(argv[0], argv[0], "jemalloc", (char *)NULL);
	return (0);
}
