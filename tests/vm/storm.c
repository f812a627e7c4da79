/*
 * Steps chosen by a seed.
 */
#include "tests/vm/storm.h"

#include <stdlib.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/systm.h"

static uint32_t seed = 1;
uint64_t storm_step, storm_nsteps;

void
storm_args(int argc, char **argv, uint64_t nsteps)
{
	storm_nsteps = nsteps;
	if (argc > 1)
		seed = (uint32_t)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		storm_nsteps = strtoull(argv[2], NULL, 10);
}

unsigned int
below(unsigned int n)
{
	return (sim_random(&seed) % n);
}

void
expect(bool so, const char *what)
{
	if (!so)
		panic("step %ju: %s", (uintmax_t)storm_step, what);
}

void
storm_choose(const struct storm_kind *kinds, size_t nkinds)
{
	unsigned int total = 0, at;
	size_t i;

	for (i = 0; i < nkinds; i++)
		total += kinds[i].weight;
	at = below(total);
	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	kinds[i].func();
}

void
storm_run(const char *name, const char *more, void (*run)(void *arg))
{
	const uint32_t first = seed;
	const char *said;

	print_message("# %s %u %ju %s\n", name, first, (uintmax_t)storm_nsteps,
	    more);
	said = sim_expect_panic(run, NULL);
	if (said != NULL)
		fail_msg("%s %u %ju %s: step %ju: %s", name, first,
		    (uintmax_t)storm_nsteps, more, (uintmax_t)storm_step, said);
	sim_halt();
}
