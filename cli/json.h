/*
 * JSON on the standard output: what the commands need in addition to jansson.
 *
 * As in jansson, a function that makes a value returns NULL when there is no
 * memory, and putting NULL into a container makes that container NULL.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* An address or register of len bytes: "0x" and two digits for each. */
json_t *json_hex(uint64_t value, unsigned int len);

/*
 * A text that a dump may lack: null for NULL.  One that is not UTF-8, as a
 * file's name, is escaped.
 */
json_t *json_text(const char *text);

/* Print and free value.  Returns an exit status, after a message if bad. */
int json_print(json_t *value);

/*
 * A value that is printed piece by piece, so that it is never in memory as a
 * whole: as json_print() would print it.  Starts as zeros.  After a failure
 * nothing more is printed, and json_finish() tells.
 */
struct json_stream {
	int jst_depth;	 /* arrays and objects that are open */
	bool jst_filled; /* the innermost has a value already */
	int jst_status;	 /* an exit status; bad after a message */
};

/*
 * Begin an array or object, in which the next values are: bracket is '[' or
 * '{'.  In an object, values have a key; else key is NULL.
 */
void json_begin(struct json_stream *jst, const char *key, char bracket);

/* The innermost one ends: bracket is ']' or '}'. */
void json_end(struct json_stream *jst, char bracket);

/* Print and free value. */
void json_put(struct json_stream *jst, const char *key, json_t *value);

/* Print the members of an object into the innermost one, and free it. */
void json_put_members(struct json_stream *jst, json_t *object);

/* After the end of the outermost one.  Returns an exit status. */
int json_finish(struct json_stream *jst);

#endif
