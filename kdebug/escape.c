/*
 * Text made safe for a terminal: see escape.h.
 *
 * No byte that is not printable ASCII or part of a valid, visible UTF-8
 * character passes.
 */
#include "kdebug/escape.h"

#include <stdint.h>
#include <string.h>

/* The length of the UTF-8 sequence that c begins; 0 if it begins none. */
static size_t
sequence_len(uint8_t c)
{
	if (c < 0x80)
		return (1);
	if (c >= 0xc2 && c <= 0xdf)
		return (2);
	if (c >= 0xe0 && c <= 0xef)
		return (3);
	if (c >= 0xf0 && c <= 0xf4)
		return (4);
	return (0);
}

/*
 * Decode the sequence of n bytes at p; the first byte says that n is 2 to 4.
 * false: another byte is invalid, the form is longer than necessary, or there
 * is no such character.
 */
static bool
sequence_decode(const uint8_t *p, size_t n, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c = p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return (false);
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return (false);
	*out = c;
	return (true);
}

/*
 * Characters that are not seen, or move the text around them.  All that Unicode
 * calls Default_Ignorable_Code_Point (DerivedCoreProperties.txt) is here.
 */
static const struct hidden {
	uint32_t first, last;
} hidden[] = {
	{ 0x80, 0x9f },			    /* C1 controls */
	{ 0xad, 0xad },			    /* soft hyphen */
	{ 0x34f, 0x34f }, { 0x61c, 0x61c }, /* direction of what follows */
	{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
	{ 0x200b, 0x200f }, /* zero width; direction */
	{ 0x2028, 0x202e }, /* separators of lines; direction */
	{ 0x2060, 0x206f }, /* zero width; direction */
	{ 0x3164, 0x3164 }, { 0xfdd0, 0xfdef }, /* no characters */
	{ 0xfe00, 0xfe0f }, /* variants of the character before */
	{ 0xfeff, 0xfeff }, /* byte order mark */
	{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, /* notes between lines */
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff }, /* tags; variants */
};

static bool
is_hidden(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return (true);
	return ((c & 0xfffe) == 0xfffe); /* no characters, of each plane */
}

/* How many bytes at p pass as they are; 0: the first must be escaped. */
static size_t
clean_len(const uint8_t *p, size_t left, const char *keep)
{
	size_t n = sequence_len(p[0]);
	uint32_t c;

	if (n == 0 || n > left)
		return (0);
	if (n == 1) {
		if (p[0] >= 0x20 && p[0] < 0x7f)
			return (1);
		return (p[0] != '\0' && strchr(keep, p[0]) != NULL ? 1 : 0);
	}
	if (!sequence_decode(p, n, &c) || is_hidden(c))
		return (0);
	return (n);
}

static void
put_hex(char *out, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";

	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[c >> 4];
	out[3] = digits[c & 15];
}

size_t
escape_text(char *out, size_t out_len, const char *in, size_t in_len,
    const char *keep)
{
	const uint8_t *p = (const uint8_t *)in;
	size_t done = 0, used = 0;

	while (done < in_len) {
		size_t n = clean_len(p + done, in_len - done, keep);
		size_t need = n != 0 ? n : ESCAPE_MAX;

		if (need >= out_len - used)
			break;
		if (n != 0)
			memcpy(out + used, p + done, n);
		else
			put_hex(out + used, p[done]);
		used += need;
		done += n != 0 ? n : 1;
	}
	out[used] = '\0';
	return (done);
}

bool
escape_is_clean(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t len = strlen(s);

	while (len > 0) {
		size_t n = clean_len(p, len, "");

		if (n == 0)
			return (false);
		p += n;
		len -= n;
	}
	return (true);
}
