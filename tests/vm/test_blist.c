/* Blocks by the run: each edge of a word and a level, and a storm. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/blist.h"

static int
power_on(void **state)
{
	(void)state;
	sim_boot(&sim_small);
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	sim_halt();
	return (0);
}

/* ---- Rows: what is free at first, what is wanted, where it is ---- */

static const struct alloc_row {
	const char *name;
	uint32_t nblocks;
	uint32_t first, n; /* that are free */
	unsigned int count;
	uint32_t found;
} alloc_rows[] = {
	{ "none is free", 100, 0, 0, 1, BLIST_NONE },
	{ "the only block", 1, 0, 1, 1, 0 },
	{ "the last block", 1000, 999, 1, 1, 999 },
	{ "too many", 1000, 10, 5, 6, BLIST_NONE },
	{ "just enough", 1000, 10, 5, 5, 10 },
	{ "a whole word", 1000, 64, 64, 64, 64 },
	{ "a word, but across two", 1000, 65, 64, 64, BLIST_NONE },
	{ "the longer half across words", 1000, 60, 14, 10, 64 },
	{ "the shorter half across words", 1000, 60, 14, 4, 60 },
	{ "the end of a word", 1000, 120, 8, 8, 120 },
	{ "in the last group of a level", 16 * 64 + 1, 1024, 1, 1, 1024 },
	{ "below the third level", 20000, 16400, 33, 33, 16400 },
	{ "below the fourth level", 300000, 262200, 8, 8, 262200 },
};

static void
test_alloc(void **state)
{
	const struct alloc_row *row = *state;
	blist_t bl = blist_create(row->nblocks);
	uint32_t found;

	if (row->n > 0)
		blist_free(bl, row->first, row->n);
	assert_int_equal(blist_avail(bl), row->n);
	found = blist_alloc(bl, row->count);
	assert_int_equal(found, row->found);
	if (found != BLIST_NONE) {
		assert_int_equal(blist_avail(bl), row->n - row->count);
		blist_free(bl, found, row->count);
		assert_int_equal(blist_avail(bl), row->n);
	}
	blist_destroy(bl);
}

/* One after the other, then around to what was freed meanwhile. */
static void
test_in_a_row(void **state)
{
	blist_t bl = blist_create(256);

	(void)state;
	blist_free(bl, 0, 256);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(blist_alloc(bl, 16), 16 * i);
	blist_free(bl, 0, 16);
	for (uint32_t i = 8; i < 16; i++)
		assert_int_equal(blist_alloc(bl, 16), 16 * i);
	assert_int_equal(blist_alloc(bl, 16), 0);
	assert_int_equal(blist_alloc(bl, 1), BLIST_NONE);
	blist_destroy(bl);
}

static void
free_twice(void *arg)
{
	blist_free(arg, 60, 10);
}

static void
free_beyond(void *arg)
{
	blist_free(arg, 90, 11);
}

static void
alloc_none(void *arg)
{
	(void)blist_alloc(arg, 0);
}

static const struct wrong_row {
	const char *name;
	void (*func)(void *arg);
	const char *said;
} wrong_rows[] = {
	{ "panics: freed twice", free_twice, "some are free" },
	{ "panics: past the end", free_beyond, "11 blocks from 90 of 100" },
	{ "panics: a run of nothing", alloc_none, "blist_alloc: 0 blocks" },
};

static void
test_wrong(void **state)
{
	const struct wrong_row *row = *state;
	blist_t bl = blist_create(100);
	const char *said;

	blist_free(bl, 69, 1);
	said = sim_expect_panic(row->func, bl);
	assert_non_null(said);
	assert_non_null(strstr(said, row->said));
}

/* ---- A storm against a plain array ---- */

#define NBLOCKS 5000
#define NRUNS	400
#define STEPS	60000

static bool taken[NBLOCKS];

static struct run {
	uint32_t first;
	unsigned int n; /* 0: none */
} runs[NRUNS];

/* Is there a free run that lies in one word? */
static bool
exists(unsigned int n)
{
	unsigned int len = 0;

	for (uint32_t i = 0; i < NBLOCKS; i++) {
		len = taken[i] ? 0 : i % 64 == 0 ? 1 : len + 1;
		if (len >= n)
			return (true);
	}
	return (false);
}

static void
storm_alloc(blist_t bl, struct run *run, unsigned int n)
{
	run->first = blist_alloc(bl, n);
	if (run->first == BLIST_NONE) {
		assert_false(exists(n));
		return;
	}
	run->n = n;
	for (uint32_t i = run->first; i < run->first + n; i++) {
		assert_true(i < NBLOCKS);
		assert_false(taken[i]);
		taken[i] = true;
	}
}

static void
storm_free(blist_t bl, struct run *run)
{
	blist_free(bl, run->first, run->n);
	memset(&taken[run->first], 0, run->n);
	run->n = 0;
}

static void
test_storm(void **state)
{
	blist_t bl = blist_create(NBLOCKS);
	uint32_t seed = 1, used = 0;

	(void)state;
	blist_free(bl, 0, NBLOCKS);
	for (unsigned int step = 0; step < STEPS; step++) {
		struct run *run = &runs[sim_random(&seed) % NRUNS];

		used -= run->n;
		if (run->n > 0)
			storm_free(bl, run);
		else
			storm_alloc(bl, run, 1 + sim_random(&seed) % 64);
		used += run->n;
		assert_int_equal(blist_avail(bl), NBLOCKS - used);
	}
	blist_destroy(bl);
}

int
main(void)
{
	struct CMUnitTest tests[32] = {
		cmocka_unit_test(test_in_a_row),
		cmocka_unit_test(test_storm),
	};
	size_t ntests = 2;

	ADD_ROWS(tests, ntests, alloc_rows, test_alloc);
	ADD_ROWS(tests, ntests, wrong_rows, test_wrong);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = power_on;
		tests[i].teardown_func = power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
