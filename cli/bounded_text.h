/*
 * A text that is written to a FILE, held in memory, and cut at a length.
 */
#ifndef CLI_BOUNDED_TEXT_H
#define CLI_BOUNDED_TEXT_H

#include <stddef.h>
#include <stdio.h>

struct bounded_text {
	FILE *bnd_out; /* write here; ferror(3): there is no more room */
	char *bnd_text;
	size_t bnd_max;
};

/*
 * Begin a text of at most max MB.  0, or -1 with errno set.  Memory is used as
 * the text grows.
 */
int bounded_text_begin(struct bounded_text *bnd, size_t max);

/*
 * The text, which the caller frees; it ends the writing.  One that was longer is
 * cut, after a whole line if there is one, and its last line says so: "[... cut at
 * 32 MB ...]".
 */
char *bounded_text_end(struct bounded_text *bnd);

#endif
