/*
 * What a fuzz target needs of its host before it can try an input.
 */
#ifndef FUZZ_NEED_H
#define FUZZ_NEED_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* End the program, with errno's text, unless ok: no input is to blame. */
static inline void
need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

#endif
