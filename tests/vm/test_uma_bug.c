/* Bugs of users of UMA, each told apart. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

MALLOC_DEFINE(M_TEST, "test", "what tests allocate");

static uma_zone_t bug_zone, bug_other;
static uint8_t *bug_item;

static void
free_twice(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item);
	uma_zfree(bug_zone, bug_item);
}

static void
free_inside(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item + 8);
}

static void
free_to_other(void *arg)
{
	(void)arg;
	uma_zfree(bug_other, bug_item);
}

static void
free_static(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, &bug_other);
}

static void
free_header(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, (void *)(trunc_page((vm_offset_t)bug_item) + 4080));
}

static void
write_after_free(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item);
	bug_item[20] = 1;
	bug_item = uma_zalloc(bug_zone, M_WAITOK);
}

static void
write_after_free_reclaim(void *arg)
{
	(void)arg;
	uma_zfree(bug_zone, bug_item);
	bug_item[20] = 1;
	uma_zdestroy(bug_zone);
}

static void
malloc_write_after_free(void *arg)
{
	uint8_t *p = malloc(100, M_TEST, M_WAITOK);

	(void)arg;
	free(p, M_TEST);
	p[3] = 1;
	p = malloc(100, M_TEST, M_WAITOK);
	free(p, M_TEST);
}

static void
free_never_allocated(void *arg)
{
	(void)arg;
	free(&bug_other, M_TEST);
}

static const struct bug_row {
	const char *name;
	void (*func)(void *arg);
	const char *said; /* after "zone bugs: ", if that is there */
} bug_rows[] = {
	{ "bug: free twice", free_twice, "freed twice" },
	{ "bug: free a pointer into an item", free_inside, "misaligned" },
	{ "bug: free to another zone", free_to_other, "belongs to zone bugs" },
	{ "bug: free what is no item", free_static, "no item at all" },
	{ "bug: free past the items", free_header, "the last item" },
	{ "bug: write after free", write_after_free, "modified after free" },
	{ "bug: write after free, found at the end", write_after_free_reclaim,
	    "modified after free" },
	{ "bug: write after free of malloc", malloc_write_after_free,
	    "last used by test" },
	{ "bug: free of malloc, never allocated", free_never_allocated,
	    "never allocated" },
};

static void
test_bug(void **state)
{
	const struct bug_row *row = *state;
	const char *said;

	(void)uma_power_on_one_cpu(NULL);
	if (!uma_debug) {
		sim_halt();
		skip();
	}
	bug_zone =
	    uma_zcreate("bugs", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	bug_other =
	    uma_zcreate("other", 100, NULL, NULL, NULL, NULL, UMA_ALIGN_PTR, 0);
	bug_item = uma_zalloc(bug_zone, M_WAITOK);
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
