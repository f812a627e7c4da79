/*
 * Binary search by address.
 */
#ifndef FORMAT_SEARCH_H
#define FORMAT_SEARCH_H

#include <stddef.h>
#include <stdint.h>

/* The key of element i of a sorted list. */
typedef uint64_t search_key_fn(const void *list, size_t i);

/*
 * How many elements of the sorted list have a key that is not above key: the
 * last of them is the one before.  A call with a constant key_of costs no more
 * than a loop that compares the fields itself.
 */
static inline size_t
search_upto(const void *list, size_t n, search_key_fn *key_of, uint64_t key)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key_of(list, mid) <= key)
			low = mid + 1;
		else
			high = mid;
	}
	return (low);
}

#endif
