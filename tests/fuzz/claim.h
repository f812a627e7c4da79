/*
 * What is true of every input.
 */
#ifndef FUZZ_CLAIM_H
#define FUZZ_CLAIM_H

#include <stdbool.h>
#include <stdlib.h>

/* The fuzzer keeps an input for which it is not. */
static inline void
claim(bool so)
{
	if (!so)
		abort();
}

#endif
