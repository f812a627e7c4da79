/*
 * Files that tests make: gone when they are closed, or when the test says so.
 * A host on which that fails ends the program.
 */
#ifndef TESTS_SUPPORT_TEMP_H
#define TESTS_SUPPORT_TEMP_H

#include <stddef.h>
#include <stdint.h>

#define TEMP_PATH_LEN 256

/* An unlinked file that holds these bytes. */
int temp_file(const void *bytes, size_t len);

/* One with a name; the caller unlinks it. */
void temp_named(const void *bytes, size_t len, char path[TEMP_PATH_LEN]);

#endif
