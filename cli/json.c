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

/* ---- piece by piece ---- */

/* A line of its own, indented. */
static void
begin_line(const struct json_stream *jst)
{
	printf("\n%*s", jst->jst_depth, "");
}

/* Print the separator and the indentation before a value. */
static void
lead_in(struct json_stream *jst, const char *key)
{
	if (jst->jst_filled)
		putchar(',');
	if (jst->jst_depth > 0)
		begin_line(jst);
	if (key != NULL)
		printf("\"%s\": ", key);
	jst->jst_filled = true;
}

void
json_begin(struct json_stream *jst, const char *key, char bracket)
{
	if (jst->jst_status != EX_OK)
		return;
	lead_in(jst, key);
	putchar(bracket);
	jst->jst_depth++;
	jst->jst_filled = false;
}

void
json_end(struct json_stream *jst, char bracket)
{
	if (jst->jst_status != EX_OK)
		return;
	jst->jst_depth--;
	if (jst->jst_filled)
		begin_line(jst);
	putchar(bracket);
	jst->jst_filled = true;
}

/* Print a piece of a value, each of its lines indented further. */
static int
print_further_in(const char *piece, size_t len, void *arg)
{
	const struct json_stream *jst = arg;

	for (size_t i = 0; i < len; i++) {
		if (piece[i] == '\n')
			begin_line(jst);
		else
			putchar(piece[i]);
	}
	return (ferror(stdout) ? -1 : 0);
}

void
json_put(struct json_stream *jst, const char *key, json_t *value)
{
	if (value == NULL && jst->jst_status == EX_OK)
		jst->jst_status = no_memory();
	if (jst->jst_status == EX_OK) {
		lead_in(jst, key);
		jst->jst_status =
		    printed(json_dump_callback(value, print_further_in, jst,
				PRINT_FLAGS | JSON_ENCODE_ANY) != 0);
	}
	json_decref(value);
}

void
json_put_members(struct json_stream *jst, json_t *object)
{
	const char *key;
	json_t *value;

	if (object == NULL)
		json_put(jst, NULL, NULL);
	json_object_foreach(object, key, value)
	{
		json_put(jst, key, json_incref(value));
	}
	json_decref(object);
}

int
json_finish(struct json_stream *jst)
{
	if (jst->jst_status == EX_OK)
		jst->jst_status = printed(putchar('\n') == EOF);
	return (jst->jst_status);
}
