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
