/*
 * Files for fuzzers: in memory where the host can, with a name all the same.
 */
#ifndef TESTS_FUZZ_MEMFILE_H
#define TESTS_FUZZ_MEMFILE_H

#include <stddef.h>

struct memfile {
	int fd;
	char path[64];
};

/* A file that is there until the program ends.  Failing ends it. */
void memfile_create(struct memfile *mf);

/* Make these bytes all that the file holds. */
void memfile_set(const struct memfile *mf, const void *bytes, size_t len);

#endif
