/*
 * Dumps that are made of a kernel file's own data, as if it had been loaded and
 * never run.
 */
#ifndef TESTS_FUZZ_OWNDUMP_H
#define TESTS_FUZZ_OWNDUMP_H

#include <stddef.h>
#include <stdint.h>

#include "tests/fuzz/memfile.h"

/* Make a minidump of amd64 of the kernel, whose bytes are also at data. */
void owndump_make(const struct memfile *core, const struct memfile *kernel,
    const uint8_t *data, size_t size);

#endif
