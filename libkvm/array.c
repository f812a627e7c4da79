/*
 * Arrays that grow as elements are appended: see array.h.
 */
#include "libkvm/array.h"

#include <stdlib.h>

#define ROOM_MIN 16

void *
array_reserve(void *list, size_t count, size_t *room, size_t len)
{
	size_t want = *room != 0 ? 2 * *room : ROOM_MIN;
	size_t bytes;

	if (count <= *room)
		return (list);
	if (want < count)
		want = count;
	if (__builtin_mul_overflow(want, len, &bytes))
		return (NULL);
	list = realloc(list, bytes);
	if (list != NULL)
		*room = want;
	return (list);
}
