/*
 * info.N: the contents of a saved dump's header, as savecore(8) writes them.
 */
#ifndef CLI_DUMPINFO_H
#define CLI_DUMPINFO_H

#include <stdio.h>

#include "disk/dumpdev.h"

/* device: where the dump was found; number: the N of info.N. */
void dumpinfo_print(FILE *out, const struct dumpdev_dump *dump,
    const char *device, uint32_t number);

#endif
