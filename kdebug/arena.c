/*
 * Strings that are freed together: see arena.h.
 */
#include "kdebug/arena.h"

#include <stdlib.h>
#include <string.h>

#include "kdebug/escape.h"

#define BLOCK_LEN 16384 /* bytes, longer than any escaped text */

struct arena_block {
	struct arena_block *ab_next;
	char ab_bytes[BLOCK_LEN];
};

void
arena_fini(struct arena *ar)
{
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

const char *
arena_borrow(struct arena *ar, const char *s)
{
	return (escape_is_clean(s) ? s : arena_text(ar, s, strlen(s)));
}
