/*
 * Calls that fail when a fuzz target says so: memory that there is not, files
 * that cannot be read or written.  The linker puts these calls in the place of
 * the C library's (--wrap) in all that is linked into the program; a library
 * that is shared keeps its own.
 */
#ifndef TESTS_FUZZ_FAIL_H
#define TESTS_FUZZ_FAIL_H

#include <stddef.h>
#include <stdint.h>

enum fail_kind {
	FAIL_MEMORY,
	FAIL_FILES,
	FAIL_PLACES, /* where a file is, how long, what kind, how much room */
	FAIL_NKINDS
};

/* From now on, the n'th call of that kind fails; 0: none does. */
void fail_set(enum fail_kind kind, unsigned long n);

/* Bytes of all files that pread(2) cannot read. */
struct fail_bad {
	uint64_t fb_start;
	uint64_t fb_step; /* from each to the next; 0: there are none */
	uint64_t fb_n;	  /* how many; 0: none */
};

void fail_places(const struct fail_bad *places);

/* No call fails any more. */
void fail_clear(void);

/*
 * Take what is to fail off the front of an input: M, F or P (a kind above) and a
 * byte, which call of that kind.  Inputs that begin otherwise are left alone.
 */
struct fail_plan {
	enum fail_kind fp_kind;
	unsigned long fp_n; /* 0: none */
};

struct fail_plan fail_take(const uint8_t **data, size_t *size);

#endif
