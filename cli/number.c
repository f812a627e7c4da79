/*
 * Numbers and byte counts as people write and read them: see number.h.
 */
#include "cli/number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parse the digits that text starts with; *end is what follows them. */
static bool
parse_digits(const char *text, uint64_t *out, const char **end)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long value;
	char *stop;

	/* strtoull() would take signs and spaces. */
	if (hex ? !isxdigit((unsigned char)text[2]) :
		  !isdigit((unsigned char)text[0]))
		return (false);
	errno = 0;
	value = strtoull(text, &stop, hex ? 16 : 10);
	if (errno != 0)
		return (false);
	*out = value;
	*end = stop;
	return (true);
}

bool
number_parse(const char *text, uint64_t *out)
{
	const char *end;
	uint64_t value;

	if (!parse_digits(text, &value, &end) || *end != '\0')
		return (false);
	*out = value;
	return (true);
}

bool
number_parse_decimal(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value;

	if (text[strspn(text, "0123456789")] != '\0' ||
	    !number_parse(text, &value) || value > max)
		return (false);
	*out = value;
	return (true);
}

bool
number_parse_size(const char *text, uint64_t *out)
{
	static const char suffixes[] = "KMG";
	uint64_t value, factor = 1;
	const char *end, *suffix;

	if (!parse_digits(text, &value, &end))
		return (false);
	if (*end != '\0') {
		suffix = strchr(suffixes, toupper((unsigned char)*end));
		if (suffix == NULL || end[1] != '\0')
			return (false);
		factor = UINT64_C(1024) << (10 * (suffix - suffixes));
	}
	return (!__builtin_mul_overflow(value, factor, out));
}

const char *
number_human(uint64_t bytes, char buf[NUMBER_HUMAN_LEN])
{
	static const char units[] = "KMGTPE";
	uint64_t unit = 1024;
	size_t i = 0;

	if (bytes < unit) {
		snprintf(buf, NUMBER_HUMAN_LEN, "%" PRIu64 " bytes", bytes);
		return (buf);
	}
	while (bytes / unit >= 1024) {
		unit *= 1024;
		i++;
	}
	if (bytes % unit == 0)
		snprintf(buf, NUMBER_HUMAN_LEN, "%" PRIu64 " %ciB",
		    bytes / unit, units[i]);
	else
		snprintf(buf, NUMBER_HUMAN_LEN, "%.1f %ciB",
		    (double)bytes / (double)unit, units[i]);
	return (buf);
}
