/*
 * Numbers in text.
 */
#include "kernel/sys/libkern.h"

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
