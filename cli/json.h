/*
 * JSON on the standard output: what the commands need in addition to jansson.
 *
 * As in jansson, a function that makes a value returns NULL when there is no
 * memory, and putting NULL into a container makes that container NULL.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>
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
 * The same for an array that is printed element by element, so that they are
 * not all in memory: element number n, from 0; then the end of an array of n.
 */
int json_print_element(json_t *value, size_t n);
int json_print_end(size_t n);

#endif
