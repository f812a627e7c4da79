/*
 * A string into an array.
 */
#include "kernel/sys/libkern.h"

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
