/*
 * A dump of a simulated machine read back through libkvm, and compared with
 * the machine byte by byte: every page of memory, every mapping, and addresses
 * where nothing is mapped.
 */
#ifndef TESTS_DUMPER_READBACK_H
#define TESTS_DUMPER_READBACK_H

#include "tests/dumper/sim.h"

enum readback_mode {
	READBACK_EXACT,	  /* what the model says and not a page more */
	READBACK_AT_LEAST /* damaged tables may have led to more */
};

/* Fails the test at the first difference. */
void readback(struct sim *sim, const uint8_t *dump, size_t len,
    enum dump_format format, unsigned int flags, enum readback_mode mode);

#endif
