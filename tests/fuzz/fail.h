/*
 * Calls that fail when a fuzz target says so: memory that there is not, files
 * that cannot be read or written.  The linker puts these calls in the place of
 * the C library's (--wrap) in all that is linked into the program; a library
 * that is shared keeps its own.
 */
#ifndef TESTS_FUZZ_FAIL_H
#define TESTS_FUZZ_FAIL_H

enum fail_kind { FAIL_MEMORY, FAIL_FILES, FAIL_NKINDS };

/* From now on, the n'th call of that kind fails; 0: none does. */
void fail_set(enum fail_kind kind, unsigned long n);

/* No call fails any more. */
void fail_clear(void);

#endif
