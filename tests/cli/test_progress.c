/* The bar of long work: what is shown of a name that is too long for it. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/support/unit.h"

/* What a bar of this work writes to a terminal. */
static void
draw(const char *what, char *out, size_t len)
{
	FILE *file = tmpfile();
	int saved = dup(STDERR_FILENO);
	struct progress pr;
	size_t n;

	assert_non_null(file);
	progress_start(&pr, "saving", what);
	pr.pr_terminal = true;
	pr.pr_next = (struct timespec){ 0 };
	(void)dup2(fileno(file), STDERR_FILENO);
	progress_report(&pr, 1, 2);
	pr.pr_shown = false;
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	rewind(file);
	n = fread(out, 1, len - 1, file);
	out[n] = '\0';
	(void)fclose(file);
	progress_end(&pr);
}

#define A28 "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A29 A28 "a"

static const struct name_row {
	const char *name;
	const char *what, *shown;
} name_rows[] = {
	{ "the end of a path", "crash/vmcore.0", "vmcore.0" },
	{ "as long as fits", A29 "b", A29 "b" },
	{ "longer", A29 "bc", A29 "b" },
	{ "a character of two bytes that fits", "\xc3\xa9" A28,
	    "\xc3\xa9" A28 },
	{ "a character of two bytes", A29 "\xc3\xa9", A29 },
	{ "a character of three bytes", A28 "\xe2\x82\xac", A28 },
	{ "an escaped byte", A28 "\x1b[2J", A28 },
};

static void
test_name(void **state)
{
	const struct name_row *row = *state;
	char got[200], want[200];

	draw(row->what, got, sizeof(got));
	(void)snprintf(want, sizeof(want),
	    "\rsaving %s [###############...............]  50%%", row->shown);
	assert_string_equal(got, want);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(name_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, name_rows, test_name);
	return (RUN_TESTS(tests, n));
}
