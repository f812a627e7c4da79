/*
 * info.N: the contents of a saved dump's header, as savecore(8) writes them.
 */
#ifndef CLI_DUMPINFO_H
#define CLI_DUMPINFO_H

#include <stdio.h>

#include "cli/badplaces.h"
#include "disk/dumpdev.h"

struct dumpinfo {
	const struct dumpdev_dump *di_dump;
	const char *di_device;		/* where the dump was found */
	const uint32_t *di_number;	/* the N of info.N; NULL: none yet */
	const struct badplaces *di_bad; /* NULL: the dump was not read */
	const char *di_sha256;		/* of the dump's file; NULL: unknown */
};

/* The word that info.N has for a value of kh_compression; "???": unknown. */
const char *dumpinfo_compression(uint8_t compression);

void dumpinfo_print(FILE *out, const struct dumpinfo *di);

#endif
