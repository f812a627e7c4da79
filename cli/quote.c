/*
 * Words for a shell: see quote.h.
 */
#include "cli/quote.h"

#include <string.h>

/* Characters without a special meaning in any shell. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789%+,-./:=@_";

void
quote_put(FILE *out, const char *text)
{
	if (*text != '\0' && text[strspn(text, plain)] == '\0') {
		fputs(text, out);
		return;
	}
	putc('\'', out);
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			putc(*text, out);
	}
	putc('\'', out);
}
