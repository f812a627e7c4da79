/*
 * Arrays that grow as elements are appended.
 *
 *	list = array_reserve(ts->ts_list, ts->ts_count + 1, &ts->ts_room,
 *	    sizeof(*list));
 *	if (list == NULL)
 *		return (false);
 *	ts->ts_list = list;
 *	ts->ts_list[ts->ts_count++] = new;
 */
#ifndef LIBKVM_ARRAY_H
#define LIBKVM_ARRAY_H

#include <stddef.h>

/*
 * Make room for count elements of len bytes, one at least; if there is not
 * enough, at least double it.  *room: how many fit into the list, 0 if that is
 * NULL.  Returns the list, which may have moved and is the caller's to free;
 * NULL: out of memory, and the old list and *room are as before.
 */
void *array_reserve(void *list, size_t count, size_t *room, size_t len);

#endif
