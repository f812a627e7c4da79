/*
 * Text of a dump on the standard output, made safe for a terminal: NULs are
 * left out, newlines and tabs stay, and other bytes as kdebug/escape.h says.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

struct text {
	size_t tx_len;	 /* bytes that wait in tx_buf */
	size_t tx_total; /* bytes seen, without NULs */
	char tx_last;	 /* the last of them */
	char tx_buf[4096];
};

/* Start with zeros.  Pieces may be cut anywhere, inside a character too. */
void text_add(struct text *tx, const char *bytes, size_t len);

/* Print the rest, and a newline if the last line has none. */
void text_end(struct text *tx);

#endif
