/* malloc(9): what free() says of allocations that are not what they should be. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/malloc.h"
#include "kernel/vm/uma.h"

MALLOC_DEFINE(M_TEST, "test", "what tests allocate");
MALLOC_DEFINE(M_OTHER, "other", "what others do");

static uint8_t *bug_item;

static void
free_as_other(void *arg)
{
	(void)arg;
	free(bug_item, M_OTHER);
}

static void
realloc_as_other(void *arg)
{
	(void)arg;
	bug_item = realloc(bug_item, 50000, M_OTHER, M_WAITOK);
}

static void
free_inside(void *arg)
{
	(void)arg;
	free(bug_item + PAGE_SIZE, M_TEST);
}

static void
realloc_inside(void *arg)
{
	(void)arg;
	bug_item = realloc(bug_item + PAGE_SIZE, 5000, M_TEST, M_WAITOK);
}

static const struct bug_row {
	const char *name;
	size_t size;
	int flags;
	void (*func)(void *arg);
	const char *said;
} bug_rows[] = {
	{ "pages are freed as of another type", 5000, 0, free_as_other,
	    "of type test, is freed as of other" },
	{ "a little that is not dumped is freed as of another type", 10,
	    M_NODUMP, free_as_other, "of type test, is freed as of other" },
	{ "pages are enlarged as of another type", 5000, 0, realloc_as_other,
	    "of type test, is freed as of other" },
	{ "the second of two pages is freed", 5000, 0, free_inside,
	    "of type test, was never allocated" },
	{ "the second of two pages is enlarged", 5000, 0, realloc_inside,
	    "was never allocated" },
};

static void
test_bug(void **state)
{
	const struct bug_row *row = *state;
	const char *said;

	sim_boot(&sim_small);
	bug_item = malloc(row->size, M_TEST, M_WAITOK | row->flags);
	said = sim_expect_panic(row->func, NULL);
	assert_non_null(said);
	if (strstr(said, row->said) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", row->said, said);
	sim_halt();
}

int
main(void)
{
	static struct CMUnitTest tests[NROWS(bug_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, bug_rows, test_bug);
	return (RUN_TESTS(tests, n));
}
