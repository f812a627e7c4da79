/*
 * Numbers and byte counts as people write and read them.
 */
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal, or hexadecimal after 0x.  false: text is something else. */
bool number_parse(const char *text, uint64_t *out);

/* Decimal, and at most max. */
bool number_parse_decimal(const char *text, uint64_t max, uint64_t *out);

/*
 * A number of bytes, as number_parse() takes it: K, M or G after it multiplies
 * by 2^10, 2^20 or 2^30.
 */
bool number_parse_size(const char *text, uint64_t *out);

/* Room for any text of number_human(). */
#define NUMBER_HUMAN_LEN 32

/* "97.0 MiB".  Returns buf. */
const char *number_human(uint64_t bytes, char buf[NUMBER_HUMAN_LEN]);

#endif
