/*
 * Arrays grow by doubling, and a failure changes nothing.
 */
#include "libkvm/array.h"
#include "tests/support/unit.h"

static void
test_grows(void **state)
{
	size_t room = 0, nmoves = 0, last = 0;
	uint32_t *list = NULL;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		list = array_reserve(list, i + 1, &room, sizeof(*list));
		assert_non_null(list);
		assert_true(room > i);
		nmoves += room != last;
		last = room;
		list[i] = i;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	assert_true(nmoves < 10);
	free(list);
}

static void
test_grows_by_more_than_double(void **state)
{
	size_t room = 0;
	char *list = array_reserve(NULL, 1000, &room, 1);

	(void)state;
	assert_non_null(list);
	assert_true(room >= 1000);
	free(list);
}

/* More bytes than a size_t counts. */
static void
test_too_large(void **state)
{
	static const size_t counts[] = { SIZE_MAX, SIZE_MAX / 8 + 1 };
	size_t room = 0;
	uint64_t *list = array_reserve(NULL, 1, &room, sizeof(*list));
	size_t before = room;

	(void)state;
	assert_non_null(list);
	list[0] = 42;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		assert_null(array_reserve(list, counts[i], &room,
		    sizeof(*list)));
		assert_int_equal(room, before);
		assert_int_equal(list[0], 42);
	}
	free(list);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_grows_by_more_than_double),
		cmocka_unit_test(test_too_large),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
