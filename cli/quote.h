/*
 * Words of a command line for a shell, which is run, or printed to be copied.
 */
#ifndef CLI_QUOTE_H
#define CLI_QUOTE_H

#include <stdio.h>

/* Write text as one word of sh(1), quoted if it needs to be. */
void quote_put(FILE *out, const char *text);

#endif
