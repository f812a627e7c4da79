/*
 * JSON on the standard output: see json.h.
 */
#include "cli/json.h"

#include <err.h>
#include <inttypes.h>
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

int
json_print(json_t *value)
{
	int error;

	if (value == NULL) {
		warnx("out of memory");
		return (EX_OSERR);
	}
	error = json_dumpf(value, stdout, JSON_INDENT(1));
	json_decref(value);
	if (error != 0 || putchar('\n') == EOF) {
		warn("standard output");
		return (EX_IOERR);
	}
	return (EX_OK);
}
