/*
 * Values and arrays as JSON on the standard output: see json.h.
 */
#include "cli/json.h"

#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "kdebug/escape.h"

/* A terminal obeys some of the characters that JSON need not escape. */
#define PRINT_FLAGS (JSON_INDENT(1) | JSON_ENSURE_ASCII)

json_t *
json_hex(uint64_t value, unsigned int len)
{
	return (json_sprintf("0x%0*" PRIx64, (int)(2 * len), value));
}

/* A text that is not UTF-8.  NULL: no memory. */
static json_t *
escaped(const char *text)
{
	size_t len = strlen(text), room = ESCAPE_MAX * len + 1;
	char *safe = malloc(room);
	json_t *value = NULL;

	if (safe != NULL) {
		(void)escape_text(safe, room, text, len, "");
		value = json_string(safe);
	}
	free(safe);
	return (value);
}

json_t *
json_text(const char *text)
{
	json_t *value;

	if (text == NULL)
		return (json_null());
	value = json_string(text);
	return (value != NULL ? value : escaped(text));
}

static int
no_memory(void)
{
	warnx("out of memory");
	return (EX_OSERR);
}

/* The exit status after printing; error: not all of it was written. */
static int
printed(bool error)
{
	if (!error)
		return (EX_OK);
	warn("standard output");
	return (EX_IOERR);
}

int
json_print(json_t *value)
{
	int error;

	if (value == NULL)
		return (no_memory());
	error = json_dumpf(value, stdout, PRINT_FLAGS);
	json_decref(value);
	return (printed(error != 0 || putchar('\n') == EOF));
}

/* Print a piece of an element, each line indented by one more space. */
static int
print_further_in(const char *piece, size_t len, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < len; i++) {
		if (putchar(piece[i]) == EOF ||
		    (piece[i] == '\n' && putchar(' ') == EOF))
			return (-1);
	}
	return (0);
}

int
json_print_element(json_t *value, size_t n)
{
	int error;

	if (value == NULL)
		return (no_memory());
	error = fputs(n == 0 ? "[\n " : ",\n ", stdout) == EOF ||
	    json_dump_callback(value, print_further_in, NULL, PRINT_FLAGS);
	json_decref(value);
	return (printed(error));
}

int
json_print_end(size_t n)
{
	return (printed(fputs(n == 0 ? "[]\n" : "\n]\n", stdout) == EOF));
}
