/*
 * Text of bounded length: see bounded_text.h.
 */
#include "cli/bounded_text.h"

#include <stdlib.h>
#include <string.h>

#define MB ((size_t)1 << 20)

/* The line after a text that was cut, with its NUL. */
#define CUT_ROOM 64

int
bounded_text_begin(struct bounded_text *bnd, size_t max)
{
	*bnd = (struct bounded_text){ .bnd_max = max };
	bnd->bnd_text = calloc(1, max * MB + CUT_ROOM);
	if (bnd->bnd_text == NULL)
		return (-1);
	/* One more for what is too much, and one for fmemopen(3)'s NUL. */
	bnd->bnd_out = fmemopen(bnd->bnd_text, max * MB + 2, "w");
	if (bnd->bnd_out != NULL)
		return (0);
	free(bnd->bnd_text);
	return (-1);
}

/* Cut the text after its last whole line, and say so. */
static void
cut(struct bounded_text *bnd)
{
	char *text = bnd->bnd_text;
	char *line;

	text[bnd->bnd_max * MB] = '\0';
	line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text + strlen(text);
	(void)snprintf(line, CUT_ROOM, "%s[... cut at %zu MB ...]\n",
	    line > text && line[-1] != '\n' ? "\n" : "", bnd->bnd_max);
}

char *
bounded_text_end(struct bounded_text *bnd)
{
	char *text;

	(void)fclose(bnd->bnd_out);
	if (strlen(bnd->bnd_text) > bnd->bnd_max * MB)
		cut(bnd);
	text = realloc(bnd->bnd_text, strlen(bnd->bnd_text) + 1);
	return (text != NULL ? text : bnd->bnd_text);
}
