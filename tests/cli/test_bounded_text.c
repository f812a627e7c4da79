/* A text in memory is whole up to its bound, and says where it is cut. */
#include "cli/bounded_text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

#define MB  ((size_t)1 << 20)
#define CUT "[... cut at 1 MB ...]\n"

static const struct bounded_row {
	const char *name;
	size_t before;	      /* bytes of the first line, with its newline */
	size_t after;	      /* bytes that follow it */
	size_t want;	      /* bytes of the text that are left */
	const char *want_end; /* what stands after them */
} bounded_rows[] = {
	{ "nothing", 0, 0, 0, "" },
	{ "a line", 10, 0, 10, "" },
	{ "as much as may be", 10, MB - 10, MB, "" },
	{ "a line of as much", MB, 0, MB, "" },
	{ "one byte too many", 10, MB - 9, 10, CUT },
	{ "a line, and one byte", MB, 1, MB, CUT },
	{ "several times too much", 100000, 3 * MB, 100000, CUT },
	{ "no line that is whole", 0, MB + 1, MB, "\n" CUT },
};

static void
put(FILE *out, char c, size_t n)
{
	while (n-- > 0)
		putc(c, out);
}

static void
test_bounded_row(void **state)
{
	const struct bounded_row *row = *state;
	struct bounded_text bnd;
	char *text;

	assert_int_equal(bounded_text_begin(&bnd, 1), 0);
	if (row->before > 0) {
		put(bnd.bnd_out, 'a', row->before - 1);
		putc('\n', bnd.bnd_out);
	}
	put(bnd.bnd_out, 'b', row->after);
	text = bounded_text_end(&bnd);
	assert_non_null(text);
	assert_int_equal(strlen(text), row->want + strlen(row->want_end));
	assert_string_equal(text + row->want, row->want_end);
	free(text);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(bounded_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, bounded_rows, test_bounded_row);
	return (RUN_TESTS(tests, n));
}
