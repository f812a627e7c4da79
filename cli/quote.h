/*
 * Words for a shell: a command line that is run, or shown to be copied.
 */
#ifndef CLI_QUOTE_H
#define CLI_QUOTE_H

#include <stdio.h>

/* Write text as one word of sh(1), quoted if it needs to be. */
void quote_put(FILE *out, const char *text);

#endif
