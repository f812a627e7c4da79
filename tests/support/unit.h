/*
 * cmocka, and tests that are rows of tables: each row is a test case of its
 * own, so that its name alone explains a failure.
 */
#ifndef TESTS_SUPPORT_UNIT_H
#define TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The test "name": func, which finds row in *state. */
static inline struct CMUnitTest
row_test(const char *name, CMUnitTestFunction func, const void *row)
{
	/* cmocka's state is not const, but nothing here writes to it. */
	return ((struct CMUnitTest){ .name = name,
	    .test_func = func,
	    .initial_state = (void *)(uintptr_t)row });
}

/* Append a test for each row of a table whose rows have a name. */
#define ADD_ROWS(tests, ntests, table, func)                                   \
	do {                                                                   \
		for (size_t row_ = 0; row_ < NROWS(table); row_++) {           \
			if ((ntests) == NROWS(tests))                          \
				abort();                                       \
			(tests)[(ntests)++] = row_test((table)[row_].name,     \
			    func, &(table)[row_]);                             \
		}                                                              \
	} while (0)

/* Run them; the exit status of the program. */
#define RUN_TESTS(tests, ntests)                                               \
	_cmocka_run_group_tests(__FILE__, tests, ntests, NULL, NULL)

#endif
