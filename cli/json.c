/*
 * Values and arrays as JSON on the standard output: see json.h.
 */
#include "cli/json.h"

#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sysexits.h>

json_t *
json_hex(uint64_t value, unsigned int len)
{
	return (json_sprintf("0x%0*" PRIx64, (int)(2 * len), value));
}

json_t *
json_text(const char *text)
{
	return (text == NULL ? json_null() : json_string(text));
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
	error = json_dumpf(value, stdout, JSON_INDENT(1));
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
	    json_dump_callback(value, print_further_in, NULL, JSON_INDENT(1));
	json_decref(value);
	return (printed(error));
}

int
json_print_end(size_t n)
{
	return (printed(fputs(n == 0 ? "[]\n" : "\n]\n", stdout) == EOF));
}
