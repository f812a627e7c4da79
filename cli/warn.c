/*
 * warn(3) and warnx(3), as <err.h> declares them.
 *
 * They take the place of the C library's in this program.  Messages hold names
 * of files, words of the command line and text of a dump, all of which may hold
 * what a terminal obeys; here they are made safe, all and whole, whoever says
 * them.
 */
#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text.h"

/* The same with what errno explains; NULL: nothing. */
static void
say(const char *reason, const char *fmt, va_list ap)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (out != NULL) {
		vfprintf(out, fmt, ap);
		if (reason != NULL)
			fprintf(out, ": %s", reason);
		if (fclose(out) != 0) {
			free(text);
			text = NULL;
		}
	}
	fputs("vmcore: ", stderr);
	text_put(stderr, text != NULL ? text : "out of memory");
	putc('\n', stderr);
	free(text);
}

void
warn(const char *fmt, ...)
{
	const char *reason = strerror(errno);
	va_list ap;

	va_start(ap, fmt);
	say(reason, fmt, ap);
	va_end(ap);
}

void
warnx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(NULL, fmt, ap);
	va_end(ap);
}
