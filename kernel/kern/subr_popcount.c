/*
 * gcc calls this for __builtin_popcountll(), because the CPU may lack the
 * instruction; clang expands it in place.
 */
#include "kernel/sys/types.h"

int __popcountdi2(uint64_t v);

/* Counts in fields of 2, 4 and 8 bits; the product adds up the bytes. */
int
__popcountdi2(uint64_t v)
{
	v -= v >> 1 & UINT64_C(0x5555555555555555);
	v = (v & UINT64_C(0x3333333333333333)) +
	    (v >> 2 & UINT64_C(0x3333333333333333));
	v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return ((int)(v * UINT64_C(0x0101010101010101) >> 56));
}
