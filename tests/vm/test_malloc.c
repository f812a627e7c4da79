/* malloc(9): what it gives and counts, and what free() says of mistakes. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim_uma.h"

#include "kernel/sys/malloc.h"
#include "kernel/vm/uma_malloc.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"

MALLOC_DEFINE(M_TEST, "test", "what tests allocate");
MALLOC_DEFINE(M_OTHER, "other", "what others do");

static uint8_t *bug_item;

/* Free it as of another type. */
static void
free_as_other(size_t arg)
{
	(void)arg;
	free(bug_item, M_OTHER);
}

static void
free_at(size_t off)
{
	free(bug_item + off, M_TEST);
}

static void
free_twice(size_t arg)
{
	(void)arg;
	free(bug_item, M_TEST);
	free(bug_item, M_TEST);
}

static void
realloc_as_other(size_t size)
{
	bug_item = realloc(bug_item, size, M_OTHER, M_WAITOK);
}

static void
realloc_inside(size_t off)
{
	bug_item = realloc(bug_item + off, 50000, M_TEST, M_WAITOK);
}

static void
write_to(size_t off)
{
	bug_item[off] = 1;
	free(bug_item, M_TEST);
}

static void
write_and_realloc(size_t off)
{
	bug_item[off] = 1;
	bug_item = realloc(bug_item, off, M_TEST, M_WAITOK);
}

static void
shrink_and_write_to(size_t off)
{
	uint8_t *was = bug_item;

	bug_item = realloc(bug_item, off, M_TEST, M_WAITOK);
	assert_ptr_equal(bug_item, was);
	write_to(off);
}

#define WRONG_TYPE "of type test, is freed as of other"

static const struct bug_row {
	const char *name;
	size_t size;
	int flags;
	void (*func)(size_t arg);
	size_t arg;
	const char *said;
	bool debug; /* found with uma_debug alone */
} bug_rows[] = {
	{ "pages are freed as of another type", 5000, 0, free_as_other, 0,
	    WRONG_TYPE, false },
	{ "a little that is not dumped is freed as of another type", 10,
	    M_NODUMP, free_as_other, 0, WRONG_TYPE, false },
	{ "pages are enlarged as of another type", 5000, 0, realloc_as_other,
	    50000, WRONG_TYPE, false },
	{ "the second of two pages is freed", 5000, 0, free_at, PAGE_SIZE,
	    "of type test, was never allocated", false },
	{ "the second of two pages is enlarged", 5000, 0, realloc_inside,
	    PAGE_SIZE, "was never allocated", false },
	{ "an item is freed as of another type", 100, 0, free_as_other, 0,
	    WRONG_TYPE, true },
	{ "the same, without slack", 16, 0, free_as_other, 0, WRONG_TYPE,
	    true },
	{ "the same, with its header elsewhere", 1024, 0, free_as_other, 0,
	    WRONG_TYPE, true },
	{ "the same, of a page", PAGE_SIZE, 0, free_as_other, 0, WRONG_TYPE,
	    true },
	{ "an item is enlarged as of another type", 100, 0, realloc_as_other,
	    300, WRONG_TYPE, true },
	{ "an item is made smaller as of another type", 100, 0,
	    realloc_as_other, 70, WRONG_TYPE, true },
	{ "an item is freed twice", 100, 0, free_twice, 0, "freed twice",
	    true },
	{ "what is inside an item is freed", 100, 0, free_at, 16, "misaligned",
	    true },
	{ "the first byte after an item", 100, 0, write_to, 100,
	    "100 bytes of type test, was overrun: 0x1 at", true },
	{ "the last byte of its slack", 100, 0, write_to, 127,
	    "100 bytes of type test, was overrun: 0x1 at", true },
	{ "the first byte of nothing", 0, 0, write_to, 0,
	    "0 bytes of type test, was overrun: 0x1 at", true },
	{ "the byte after an item with its header elsewhere", 1000, 0, write_to,
	    1000, "1000 bytes of type test, was overrun: 0x1 at", true },
	{ "the byte after 3000", 3000, 0, write_to, 3000,
	    "3000 bytes of type test, was overrun: 0x1 at", true },
	{ "the byte after an item of zeros", 100, M_ZERO, write_to, 100,
	    "100 bytes of type test, was overrun: 0x1 at", true },
	{ "the byte after pages", 5000, 0, write_to, 5000,
	    "5000 bytes of type test, was overrun: 0x1 at", true },
	{ "the byte after what an item was made", 100, 0, shrink_and_write_to,
	    60, "60 bytes of type test, was overrun: 0x1 at", true },
	{ "the byte after an item, when it is made smaller", 100, 0,
	    write_and_realloc, 100,
	    "100 bytes of type test, was overrun: 0x1 at", true },
};

static void
run_bug(void *arg)
{
	const struct bug_row *row = arg;

	row->func(row->arg);
}

static void
test_bug(void **state)
{
	const struct bug_row *row = *state;
	const char *said;

	if (row->debug && !uma_debug)
		skip();
	sim_boot(&sim_small);
	bug_item = malloc(row->size, M_TEST, M_WAITOK | row->flags);
	said = sim_expect_panic(run_bug, *state);
	assert_non_null(said);
	if (strstr(said, row->said) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", row->said, said);
	sim_halt();
}

/* Who keeps to what was asked for is left alone, whatever the size. */
static void
test_quiet(void **state)
{
	uint8_t *p, *q;

	(void)state;
	sim_boot(&sim_small);
	for (size_t size = 0; size < 10000; size += 1 + size / 40) {
		p = malloc(size, M_TEST, M_WAITOK);
		memset(p, 1, size);
		if (uma_debug)
			assert_int_equal(malloc_usable_size(p), size);
		q = malloc(size, M_OTHER, M_WAITOK);
		memset(q, 2, size);
		p = realloc(p, size - size / 4, M_TEST, M_WAITOK);
		memset(p, 3, size - size / 4);
		p = realloc(p, size + 1, M_TEST, M_WAITOK);
		memset(p, 4, size + 1);
		free(q, M_OTHER);
		free(p, M_TEST);
	}
	sim_halt();
}

static void
sum_test_type(const struct malloc_type_stats *stats, void *arg)
{
	if (strcmp(stats->mts_name, "test") == 0)
		*(struct malloc_type_stats *)arg = *stats;
}

static void
test_kern_malloc(void **state)
{
	struct malloc_type_stats stats;
	uint64_t inuse, memuse;
	vm_pindex_t free_before;
	uint8_t *p;

	(void)state;
	free(malloc(1, M_TEST, M_WAITOK), M_TEST);
	malloc_stats_foreach(sum_test_type, &stats);
	inuse = stats.mts_inuse;
	memuse = stats.mts_memuse;
	for (size_t size = 0; size < 20000; size += 1 + size / 3) {
		p = malloc(size, M_TEST, M_WAITOK | M_ZERO);
		assert_true(malloc_usable_size(p) >= size);
		check_fill(p, size, 0);
		memset(p, 0x5a, size);
		p = realloc(p, 2 * size + 1, M_TEST, M_WAITOK);
		check_fill(p, size, 0x5a);
		malloc_stats_foreach(sum_test_type, &stats);
		assert_int_equal(stats.mts_inuse, inuse + 1);
		assert_int_equal(stats.mts_memuse, memuse + uma_malloc_size(p));
		free(p, M_TEST);
	}
	malloc_stats_foreach(sum_test_type, &stats);
	assert_int_equal(stats.mts_memuse, memuse);
	assert_int_equal(kmem_used(), 0);

	(void)kmem_settle();
	free_before = vm_free_count();
	assert_null(malloc((size_t)100 << 20, M_TEST, M_NOWAIT));
	assert_null(malloc(SIZE_MAX, M_TEST, M_NOWAIT));
	assert_int_equal(vm_free_count(), free_before);
	audit_dump_set();
}

int
main(void)
{
	static struct CMUnitTest tests[NROWS(bug_rows) + 2] = {
		cmocka_unit_test(test_quiet),
		cmocka_unit_test_setup_teardown(test_kern_malloc, uma_power_on,
		    uma_power_off),
	};
	size_t n = 2;

	ADD_ROWS(tests, n, bug_rows, test_bug);
	return (RUN_TESTS(tests, n));
}
