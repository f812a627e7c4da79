/*
 * Text for a terminal, made safe for it, as kdebug/escape.h says: names, and
 * the long text of a dump.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Print a string that is one line or a part of it: a file's name. */
void text_put(FILE *out, const char *s);

/*
 * Text of many lines on the standard output.  NULs are left out, newlines and
 * tabs stay.
 */
struct text {
	size_t tx_len;	 /* bytes that wait in tx_buf */
	size_t tx_total; /* bytes seen, without NULs */
	size_t tx_shown; /* bytes that this made, with what was escaped */
	size_t
	    tx_skip;  /* about as many of those are not printed, at the start */
	char tx_last; /* the last of them */
	char tx_buf[1024];
};

/* Start with zeros, but for tx_skip.  Pieces may be cut anywhere, inside a character too. */
void text_add(struct text *tx, const char *bytes, size_t len);

/* Print the rest, and a newline if the last line has none. */
void text_end(struct text *tx);

#endif
