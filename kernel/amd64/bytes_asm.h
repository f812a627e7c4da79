/*
 * The string instructions, which compilers will not turn back into calls of
 * the very functions that are made of them.
 */
#ifndef KERNEL_AMD64_BYTES_ASM_H
#define KERNEL_AMD64_BYTES_ASM_H

#include "kernel/sys/types.h"

/* Words first: emulators take one step for each iteration. */
static inline void
bytes_copy(void *dst, const void *src, size_t len)
{
	size_t words = len / 8;

	len %= 8;
	__asm__ volatile("rep movsq"
	    : "+D"(dst), "+S"(src), "+c"(words)
	    :
	    : "memory");
	__asm__ volatile("rep movsb"
	    : "+D"(dst), "+S"(src), "+c"(len)
	    :
	    : "memory");
}

static inline void
bytes_fill(void *dst, uint8_t c, size_t len)
{
	uint64_t word = c * UINT64_C(0x0101010101010101);
	size_t words = len / 8;

	len %= 8;
	__asm__ volatile("rep stosq"
	    : "+D"(dst), "+c"(words)
	    : "a"(word)
	    : "memory");
	__asm__ volatile("rep stosb"
	    : "+D"(dst), "+c"(len)
	    : "a"(c)
	    : "memory");
}

#endif
