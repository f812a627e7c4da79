/* Which bytes of a text reach a terminal. */
#include "kdebug/escape.h"

#include <string.h>

#include "kdebug/arena.h"
#include "tests/support/unit.h"

static const struct escape_row {
	const char *name;
	const char *in;
	size_t len;
	const char *keep;
	const char *out;
} rows[] = {
	{ "ASCII passes", "idle: cpu0", 10, "", "idle: cpu0" },
	{ "a backslash passes", "a\\b", 3, "", "a\\b" },
	{ "ESC is escaped", "\033[2J", 4, "", "\\x1b[2J" },
	{ "DEL is escaped", "\x7f", 1, "", "\\x7f" },
	{ "NUL is escaped", "a\0b", 3, "", "a\\x00b" },
	{ "newline is escaped", "a\nb", 3, "", "a\\x0ab" },
	{ "newline is kept on demand", "a\nb\t\r", 5, "\n\t", "a\nb\t\\x0d" },
	{ "NUL cannot be kept", "\0", 1, "\n", "\\x00" },
	{ "two bytes of UTF-8", "\xc3\xa9", 2, "", "\xc3\xa9" },
	{ "three bytes", "\xe2\x82\xac", 3, "", "\xe2\x82\xac" },
	{ "four bytes", "\xf0\x9f\x98\x80", 4, "", "\xf0\x9f\x98\x80" },
	{ "cut short", "\xe2\x82", 2, "", "\\xe2\\x82" },
	{ "a tail alone", "\x82", 1, "", "\\x82" },
	{ "a bad tail", "\xc3(", 2, "", "\\xc3(" },
	{ "longer than needed", "\xc0\x80", 2, "", "\\xc0\\x80" },
	{ "longer than needed, 3", "\xe0\x80\xaf", 3, "", "\\xe0\\x80\\xaf" },
	{ "surrogate", "\xed\xa0\x80", 3, "", "\\xed\\xa0\\x80" },
	{ "past U+10FFFF", "\xf4\x90\x80\x80", 4, "", "\\xf4\\x90\\x80\\x80" },
	{ "C1 control", "\xc2\x9b", 2, "", "\\xc2\\x9b" },
	{ "right-to-left override", "\xe2\x80\xae", 3, "", "\\xe2\\x80\\xae" },
	{ "left-to-right isolate", "\xe2\x81\xa6", 3, "", "\\xe2\\x81\\xa6" },
	{ "right-to-left mark", "\xe2\x80\x8f", 3, "", "\\xe2\\x80\\x8f" },
	{ "soft hyphen", "\xc2\xad", 2, "", "\\xc2\\xad" },
	{ "zero width space", "\xe2\x80\x8b", 3, "", "\\xe2\\x80\\x8b" },
	{ "word joiner", "\xe2\x81\xa0", 3, "", "\\xe2\\x81\\xa0" },
	{ "Hangul filler", "\xe3\x85\xa4", 3, "", "\\xe3\\x85\\xa4" },
	{ "variant", "\xef\xb8\x8f", 3, "", "\\xef\\xb8\\x8f" },
	{ "byte order mark", "\xef\xbb\xbf", 3, "", "\\xef\\xbb\\xbf" },
	{ "tag A", "\xf3\xa0\x81\x81", 4, "", "\\xf3\\xa0\\x81\\x81" },
	{ "last before the tags", "\xf3\x9f\xbf\xbd", 4, "",
	    "\xf3\x9f\xbf\xbd" },
	{ "no character", "\xef\xbf\xbf", 3, "", "\\xef\\xbf\\xbf" },
	{ "no character of plane 1", "\xf0\x9f\xbf\xbe", 4, "",
	    "\\xf0\\x9f\\xbf\\xbe" },
	{ "nothing", "", 0, "", "" },
};

static void
test_row(void **state)
{
	const struct escape_row *row = *state;
	char out[64];
	size_t used =
	    escape_text(out, sizeof(out), row->in, row->len, row->keep);

	assert_int_equal(used, row->len);
	assert_string_equal(out, row->out);
}

static void
test_no_room(void **state)
{
	char out[6];

	(void)state;
	assert_int_equal(escape_text(out, sizeof(out), "ab\033c", 4, ""), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(escape_text(out, 4, "ab\xc3\xa9", 4, ""), 2);
	assert_string_equal(out, "ab");
	assert_int_equal(escape_text(out, 1, "a", 1, ""), 0);
	assert_string_equal(out, "");
}

static void
test_is_clean(void **state)
{
	(void)state;
	assert_true(escape_is_clean("kern_reboot"));
	assert_true(escape_is_clean("\xc3\xa9"));
	assert_true(escape_is_clean(""));
	assert_false(escape_is_clean("kern\nreboot"));
	assert_false(escape_is_clean("\xc3"));
}

/* Each text is escaped once, however often and in which order it is asked for. */
static void
test_borrow(void **state)
{
	static const char texts[][4] = { "\001", "a", "\002b", "\003",
		"b\001" };
	static const char *const want[] = { "\\x01", "a", "\\x02b", "\\x03",
		"b\\x01" };
	struct arena ar = { 0 };
	const char *first[5];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		first[i] = arena_borrow(&ar, texts[i]);
		assert_string_equal(first[i], want[i]);
	}
	assert_ptr_equal(first[1], texts[1]);
	for (size_t i = 5; i-- > 0;)
		assert_ptr_equal(arena_borrow(&ar, texts[i]), first[i]);
	arena_fini(&ar);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + 3] = {
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_is_clean),
		cmocka_unit_test(test_borrow),
	};
	size_t n = 3;

	ADD_ROWS(tests, n, rows, test_row);
	return (RUN_TESTS(tests, n));
}
