/*
 * Bytes and strings, as the C library has them.
 */
#ifndef KERNEL_SYS_LIBKERN_H
#define KERNEL_SYS_LIBKERN_H

#include <stddef.h>
#include <stdint.h>

void *memset(void *dst, int byte, size_t len);
void *memcpy(void *restrict dst, const void *restrict src, size_t len);
void *memmove(void *dst, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
size_t strlcpy(char *dst, const char *src, size_t room);
char *strchr(const char *s, int c);

/*
 * Read a number in base 10, or 16 with a leading 0x, and a suffix k, m, g or t
 * in any case, of powers of 1024.  *endp is the first character after it; it is
 * s if there is no number or it does not fit.
 */
uint64_t strtouq(const char *s, const char **endp);

#endif
