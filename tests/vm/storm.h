/*
 * A storm: many steps, chosen by a seed.  What a failure says of it is enough to see
 * the same again.
 */
#ifndef TESTS_VM_STORM_H
#define TESTS_VM_STORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct storm_kind {
	unsigned int weight; /* how often, beside others */
	void (*func)(void);
};

extern uint64_t storm_step, storm_nsteps;

/* Of a command line: [SEED [STEPS]].  Without them: 1, and nsteps. */
void storm_args(int argc, char **argv, uint64_t nsteps);

/* Any number below n, by the seed. */
unsigned int below(unsigned int n);

/* Panics unless so. */
void expect(bool so, const char *what);

/* One step, of any kind. */
void storm_choose(const struct storm_kind *kinds, size_t nkinds);

/*
 * Fails with what run() panics with, and how the program, which is called name, has
 * to be started to see it: with the seed, the steps, and more.
 */
void storm_run(const char *name, const char *more, void (*run)(void *arg));

#endif
