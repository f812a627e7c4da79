/*
 * Bytes and strings.
 */
#include "kernel/machine/bytes_asm.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"

void *
memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	bytes_copy(dst, src, len);
	return (dst);
}

void *
memmove(void *dst, const void *src, size_t len)
{
	uint8_t *d = dst;
	const uint8_t *s = src;

	if (d <= s || d >= s + len) {
		bytes_copy(dst, src, len);
		return (dst);
	}
	while (len-- > 0)
		d[len] = s[len];
	return (dst);
}

void *
memset(void *dst, int c, size_t len)
{
	bytes_fill(dst, (uint8_t)c, len);
	return (dst);
}

int
memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *p = a, *q = b;

	for (size_t i = 0; i < len; i++) {
		if (p[i] != q[i])
			return (p[i] < q[i] ? -1 : 1);
	}
	return (0);
}

size_t
strlen(const char *s)
{
	size_t len = 0;

	while (s[len] != '\0')
		len++;
	return (len);
}

int
strncmp(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i])
			return ((uint8_t)a[i] < (uint8_t)b[i] ? -1 : 1);
		if (a[i] == '\0')
			break;
	}
	return (0);
}

int
strcmp(const char *a, const char *b)
{
	return (strncmp(a, b, SIZE_MAX));
}

size_t
strlcpy(char *dst, const char *src, size_t room)
{
	size_t len = strlen(src);

	if (room > 0) {
		size_t n = len < room ? len : room - 1;

		memcpy(dst, src, n);
		dst[n] = '\0';
	}
	return (len);
}

char *
strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return ((char *)(uintptr_t)s);
		if (*s == '\0')
			return (NULL);
	}
}

/* The value of a digit; 99 for what is none. */
static unsigned int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return ((unsigned int)(c - '0'));
	c |= 0x20;
	return (c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 99);
}

static unsigned int
suffix_shift(char c)
{
	switch (c | 0x20) {
	case 'k':
		return (10);
	case 'm':
		return (20);
	case 'g':
		return (30);
	case 't':
		return (40);
	default:
		return (0);
	}
}

uint64_t
strtouq(const char *s, const char **endp)
{
	const char *p = s;
	unsigned int base = 10, shift;
	uint64_t v = 0;

	*endp = s;
	if (p[0] == '0' && (p[1] | 0x20) == 'x' && digit(p[2]) < 16) {
		base = 16;
		p += 2;
	}
	if (digit(*p) >= base)
		return (0);
	for (; digit(*p) < base; p++) {
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit(*p), &v))
			return (0);
	}
	shift = suffix_shift(*p);
	if (shift != 0) {
		if (v > UINT64_MAX >> shift)
			return (0);
		v <<= shift;
		p++;
	}
	*endp = p;
	return (v);
}
