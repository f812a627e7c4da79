/*
 * Strings that live as long as the handle that owns them: added one by one,
 * freed together.
 */
#ifndef KDEBUG_ARENA_H
#define KDEBUG_ARENA_H

#include <stddef.h>

struct arena_block;

/* All zero is an empty arena. */
struct arena {
	struct arena_block *an_head; /* the arena's; the newest first */
	size_t an_used;		     /* bytes of it that are taken */
	void *an_borrowed;	     /* a tree of what arena_borrow() escaped */
};

/* The longest text that is kept, bytes before escaping; the rest is cut. */
#define ARENA_TEXT_MAX 1024

void arena_fini(struct arena *ar);

/*
 * The len bytes at s, escaped, as a string of the arena.  NULL: out of memory.
 */
const char *arena_text(struct arena *ar, const char *s, size_t len);

/*
 * The same for a string that lives as long as the arena and does not change.  It
 * is returned itself if it is clean already, and else escaped only once: a
 * recursion has the same name in thousands of frames.
 */
const char *arena_borrow(struct arena *ar, const char *s);

#endif
