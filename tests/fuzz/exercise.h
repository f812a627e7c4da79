/*
 * All that a program can ask of a core, for cores that may be anything.
 */
#ifndef TESTS_FUZZ_EXERCISE_H
#define TESTS_FUZZ_EXERCISE_H

#include "libkvm/kvm_core.h"

enum exercise {
	EXERCISE_ALL,
	EXERCISE_READS /* no walk: it goes through all of large page tables */
};

/*
 * Open the core twice, mapped and not, and ask both the same.  Answers that
 * differ abort, and so do pages whose bytes are not those at their place in the
 * file.  Does nothing if it does not open.  resolver may be NULL.
 */
void exercise(const char *kernel, const char *core, kvm_resolver_t *resolver,
    enum exercise what);

/* The same questions about the symbols of one handle. */
void exercise_symbols(kvm_t *kd);

#endif
