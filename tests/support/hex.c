#include "tests/support/hex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Not isxdigit(3): what it takes depends on the locale. */
static unsigned int
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	if (at == NULL)
		abort();
	return ((unsigned int)(at - digits));
}

static void
put(uint8_t *buf, size_t len, size_t off, unsigned int byte)
{
	if (off >= len)
		abort();
	buf[off] = (uint8_t)byte;
}

void
hex_patch(const char *text, uint8_t *buf, size_t len)
{
	size_t off = 0;
	const char *p = text;

	while (*p != '\0') {
		if (*p == ' ') {
			p++;
		} else if (*p == '@') {
			char *end;

			off = strtoul(p + 1, &end, 0);
			p = end;
		} else if (*p == '\'') {
			for (p++; *p != '\''; p++)
				put(buf, len, off++, (unsigned char)*p);
			p++;
		} else {
			put(buf, len, off++, digit(p[0]) << 4 | digit(p[1]));
			p += 2;
		}
	}
}

void
hex_decode(const char *text, uint8_t *buf, size_t len)
{
	memset(buf, 0, len);
	hex_patch(text, buf, len);
}
