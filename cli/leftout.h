/*
 * Prints how many pages are not in a dump, for each kind of owner.
 */
#ifndef CLI_LEFTOUT_H
#define CLI_LEFTOUT_H

#include <stdio.h>

#include "cli/json.h"
#include "libkvm/kvm_core.h"

/* "7.0 GiB user, 120 MiB free", and a newline. */
void leftout_print(FILE *out, const uint64_t npages[OWNER_COUNT],
    uint32_t page_size);

/* [{"owner":"user", "pages":N, "bytes":N}, ...]; NULL: no memory. */
json_t *leftout_json(const uint64_t npages[OWNER_COUNT], uint32_t page_size);

#endif
