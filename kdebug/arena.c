/*
 * Strings that are freed together: see arena.h.
 */
#include "kdebug/arena.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kdebug/escape.h"

#define BLOCK_LEN 16384 /* bytes, longer than any escaped text */

struct arena_block {
	struct arena_block *ab_next;
	char ab_bytes[BLOCK_LEN];
};

/* A string that was escaped. */
struct borrowed {
	const char *bw_from; /* not ours */
	const char *bw_text; /* the arena's */
};

static int
by_place(const void *a, const void *b)
{
	uintptr_t left = (uintptr_t)((const struct borrowed *)a)->bw_from;
	uintptr_t right = (uintptr_t)((const struct borrowed *)b)->bw_from;

	return ((left > right) - (left < right));
}

void
arena_fini(struct arena *ar)
{
	while (ar->an_borrowed != NULL) {
		struct borrowed *bw = *(struct borrowed **)ar->an_borrowed;

		tdelete(bw, &ar->an_borrowed, by_place);
		free(bw);
	}
	while (ar->an_head != NULL) {
		struct arena_block *next = ar->an_head->ab_next;

		free(ar->an_head);
		ar->an_head = next;
	}
	ar->an_used = 0;
}

static char *
arena_alloc(struct arena *ar, size_t len)
{
	char *p;

	if (ar->an_head == NULL || len > BLOCK_LEN - ar->an_used) {
		struct arena_block *ab = malloc(sizeof(*ab));

		if (ab == NULL)
			return (NULL);
		ab->ab_next = ar->an_head;
		ar->an_head = ab;
		ar->an_used = 0;
	}
	p = ar->an_head->ab_bytes + ar->an_used;
	ar->an_used += len;
	return (p);
}

const char *
arena_text(struct arena *ar, const char *s, size_t len)
{
	char text[ESCAPE_MAX * ARENA_TEXT_MAX + 1];
	size_t text_len;
	char *p;

	if (len > ARENA_TEXT_MAX)
		len = ARENA_TEXT_MAX;
	escape_text(text, sizeof(text), s, len, "");
	text_len = strlen(text) + 1;
	p = arena_alloc(ar, text_len);
	if (p != NULL)
		memcpy(p, text, text_len);
	return (p);
}

/* Escape the string, and remember that.  NULL: no memory. */
static const char *
escape_once(struct arena *ar, const char *s)
{
	struct borrowed *bw = malloc(sizeof(*bw));

	if (bw == NULL)
		return (NULL);
	*bw = (struct borrowed){ s, arena_text(ar, s, strlen(s)) };
	if (bw->bw_text != NULL &&
	    tsearch(bw, &ar->an_borrowed, by_place) != NULL)
		return (bw->bw_text);
	free(bw);
	return (NULL);
}

const char *
arena_borrow(struct arena *ar, const char *s)
{
	const struct borrowed key = { .bw_from = s };
	struct borrowed *const *known;

	if (escape_is_clean(s))
		return (s);
	known = tfind(&key, &ar->an_borrowed, by_place);
	return (known != NULL ? (*known)->bw_text : escape_once(ar, s));
}
