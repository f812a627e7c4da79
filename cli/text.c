/*
 * Text for a terminal: see text.h.
 */
#include "cli/text.h"

#include <string.h>

#include "kdebug/escape.h"

#define UTF8_MAX 4

void
text_put(FILE *out, const char *s)
{
	char safe[256];

	for (size_t left = strlen(s); left > 0;) {
		size_t used = escape_text(safe, sizeof(safe), s, left, "");

		fputs(safe, out);
		s += used;
		left -= used;
	}
}

/*
 * How many of len bytes can be printed before the next ones are known: all but
 * an incomplete character of several bytes at the end.
 */
static size_t
complete_len(const char *bytes, size_t len)
{
	for (size_t n = 1; n < UTF8_MAX && n <= len; n++)
		if (((unsigned char)bytes[len - n] & 0xc0) == 0xc0)
			return (len - n);
	return (len);
}

/* Print what can be printed as it is, or leave all of it out. */
static void
print_safe(struct text *tx, const char *safe)
{
	if (tx->tx_shown >= tx->tx_skip)
		fputs(safe, stdout);
	tx->tx_shown += strlen(safe);
}

/* Print the first len bytes that wait. */
static void
print_waiting(struct text *tx, size_t len)
{
	char safe[ESCAPE_MAX * sizeof(tx->tx_buf) + 1];

	escape_text(safe, sizeof(safe), tx->tx_buf, len, "\n\t");
	print_safe(tx, safe);
	tx->tx_len -= len;
	memmove(tx->tx_buf, tx->tx_buf + len, tx->tx_len);
}

void
text_add(struct text *tx, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\0')
			continue;
		tx->tx_buf[tx->tx_len++] = bytes[i];
		tx->tx_last = bytes[i];
		tx->tx_total++;
		if (tx->tx_len == sizeof(tx->tx_buf))
			print_waiting(tx, complete_len(tx->tx_buf, tx->tx_len));
	}
}

void
text_end(struct text *tx)
{
	print_waiting(tx, tx->tx_len);
	if (tx->tx_total > 0 && tx->tx_last != '\n')
		print_safe(tx, "\n");
}
