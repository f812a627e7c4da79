/*
 * Is a saved dump still what was saved?  info.N beside it has the SHA-256 of
 * its file.
 */
#ifndef CLI_SUMCHECK_H
#define CLI_SUMCHECK_H

#include <stdbool.h>

/*
 * Compare and print the result, with json as an object.  Returns an exit
 * status: EX_OK if the file is as it was, EX_DATAERR if not; EX_NOINPUT: there
 * is no sum, or a file cannot be opened; EX_UNAVAILABLE: this build knows no
 * sums.
 */
int sumcheck(const char *core, bool json);

#endif
