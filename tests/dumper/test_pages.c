/* The page set: against a model, and from two threads at once. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "dumper/dumper.h"
#include "tests/support/unit.h"

#define PAGE DUMP_PAGE_SIZE

static const struct dump_range memory[] = {
	{ 0x3000, 0x9f000 },
	{ 0x100000, 0x200000 },
	{ 0x200000, 0x2c1000 },
	{ UINT64_C(0x10000000000), UINT64_C(0x10000033000) },
};

static void *
make_set(struct dump_pages *dp)
{
	size_t len = dump_pages_len(memory, NROWS(memory));
	void *mem = malloc(len);

	assert_non_null(mem);
	memset(mem, 0xff, len);
	assert_int_equal(dump_pages_init(dp, memory, NROWS(memory), mem, len),
	    0);
	return (mem);
}

static bool
is_memory(uint64_t pa)
{
	for (size_t i = 0; i < NROWS(memory); i++)
		if (pa >= memory[i].r_start && pa < memory[i].r_end)
			return (true);
	return (false);
}

/* Addresses around all ends, and everywhere between. */
static uint64_t
some_pa(void)
{
	const struct dump_range *r = &memory[rand() % (int)NROWS(memory)];
	uint64_t npages = (r->r_end - r->r_start) / PAGE + 4;

	return (r->r_start - (uint64_t)2 * PAGE +
	    (uint64_t)rand() % npages * PAGE + (uint64_t)rand() % PAGE);
}

#define NMODEL 200000
static struct {
	uint64_t pfn;
	unsigned char classes;
} model[8192];
static size_t nmodel;

static unsigned char *
model_of(uint64_t pa)
{
	for (size_t i = 0; i < nmodel; i++)
		if (model[i].pfn == pa / PAGE)
			return (&model[i].classes);
	assert_true(nmodel < NROWS(model));
	model[nmodel].pfn = pa / PAGE;
	model[nmodel].classes = 0;
	return (&model[nmodel++].classes);
}

static void
check_counts(const struct dump_pages *dp)
{
	for (int class = 0; class < DUMP_NCLASSES; class++) {
		uint64_t want = 0;

		for (size_t i = 0; i < nmodel; i++)
			want += model[i].classes >> class & 1;
		assert_true(want > 0);
		assert_int_equal(dump_pages_count(dp, (enum dump_class)class),
		    want);
	}
}

static void
test_model(void **state)
{
	struct dump_pages dp;
	void *mem = make_set(&dp);
	uint64_t nignored = 0;

	(void)state;
	srand(3);
	for (int i = 0; i < NMODEL; i++) {
		uint64_t pa = some_pa();
		enum dump_class class =
		    (enum dump_class)(rand() % DUMP_NCLASSES);
		unsigned char *classes = model_of(pa);

		nignored += !is_memory(pa);
		if (rand() % 2 != 0) {
			dump_pages_add(&dp, pa, class);
			if (is_memory(pa))
				*classes |= (unsigned char)(1 << class);
		} else {
			dump_pages_drop(&dp, pa);
			*classes = 0;
		}
		pa = some_pa();
		assert_int_equal(dump_pages_has(&dp, pa, class),
		    (*model_of(pa) >> class & 1) != 0);
	}
	for (size_t i = 0; i < nmodel; i++)
		for (int class = 0; class < DUMP_NCLASSES; class++)
			assert_int_equal(dump_pages_has(&dp,
					     model[i].pfn * PAGE,
					     (enum dump_class) class),
			    model[i].classes >> class & 1);
	check_counts(&dp);
	assert_true(nignored > 1000);
	assert_int_equal(dp.dp_ignored, nignored);
	free(mem);
}

/* ---- Two CPUs ---- */

static struct dump_pages shared;

/*
 * The pages whose number is odd, or even: neighbours of the other thread's
 * bits, which must not be lost.  Returns NULL when all was well.
 */
static void *
hammer(void *arg)
{
	uint64_t first = memory[1].r_start + *(const uint64_t *)arg * PAGE;

	for (int round = 0; round < 3001; round++) {
		for (uint64_t pa = first; pa < memory[1].r_end;
		     pa += (uint64_t)2 * PAGE) {
			if (round % 2 == 0)
				dump_pages_add(&shared, pa, DUMP_CLASS_CORE);
			else
				dump_pages_drop(&shared, pa);
		}
		for (uint64_t pa = first; pa < memory[1].r_end;
		     pa += (uint64_t)2 * PAGE)
			if (dump_pages_has(&shared, pa, DUMP_CLASS_CORE) !=
			    (round % 2 == 0))
				return (&shared);
	}
	return (NULL);
}

static void
test_threads(void **state)
{
	static const uint64_t parity[2] = { 0, 1 };
	void *mem = make_set(&shared);
	pthread_t threads[2];
	void *lost[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer,
				     (void *)(uintptr_t)&parity[i]),
		    0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], &lost[i]), 0);
	assert_null(lost[0]);
	assert_null(lost[1]);
	for (uint64_t pa = memory[1].r_start; pa < memory[1].r_end; pa += PAGE)
		assert_true(dump_pages_has(&shared, pa, DUMP_CLASS_CORE));
	assert_false(dump_pages_has(&shared, memory[2].r_start,
	    DUMP_CLASS_CORE));
	free(mem);
}

/* The machine's own set: before it is named, nothing happens. */
static void
test_installed(void **state)
{
	struct dump_pages dp;
	void *mem;

	(void)state;
	dump_add_page(0x3000);
	mem = make_set(&dp);
	dump_pages_install(&dp);
	assert_false(dump_pages_has(&dp, 0x3000, DUMP_CLASS_CORE));
	dump_add_page(0x3fff);
	dump_add_bulk(0x4000);
	dump_add_user(0x5000);
	dump_add_never(0x6000);
	dump_add_page(0x2fff);
	assert_true(dump_pages_has(&dp, 0x3000, DUMP_CLASS_CORE));
	assert_true(dump_pages_has(&dp, 0x4000, DUMP_CLASS_BULK));
	assert_true(dump_pages_has(&dp, 0x5000, DUMP_CLASS_USER));
	assert_true(dump_pages_has(&dp, 0x6000, DUMP_CLASS_NEVER));
	assert_int_equal(dp.dp_ignored, 1);
	dump_drop_page(0x3123);
	dump_drop_page(0x4000);
	dump_drop_page(0x5000);
	dump_drop_page(0x6000);
	assert_false(dump_pages_has(&dp, 0x3000, DUMP_CLASS_CORE));
	assert_false(dump_pages_has(&dp, 0x4000, DUMP_CLASS_BULK));
	assert_false(dump_pages_has(&dp, 0x5000, DUMP_CLASS_USER));
	assert_false(dump_pages_has(&dp, 0x6000, DUMP_CLASS_NEVER));
	dump_pages_install(NULL);
	free(mem);
}

static const struct bad_row {
	const char *name;
	size_t nranges;
	struct dump_range ranges[2];
} bad_rows[] = {
	{ "refuses: no memory", 0, { { 0, 0 } } },
	{ "refuses: an empty range", 1, { { 0x1000, 0x1000 } } },
	{ "refuses: a range that ends before it starts", 1,
	    { { 0x2000, 0x1000 } } },
	{ "refuses: a start within a page", 1, { { 0x1800, 0x3000 } } },
	{ "refuses: an end within a page", 1, { { 0x1000, 0x3001 } } },
	{ "refuses: ranges that overlap", 2,
	    { { 0x1000, 0x3000 }, { 0x2000, 0x4000 } } },
	{ "refuses: ranges that descend", 2,
	    { { 0x8000, 0x9000 }, { 0x2000, 0x4000 } } },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	uint64_t mem[512];
	struct dump_pages dp;

	assert_int_equal(dump_pages_len(row->ranges, row->nranges), 0);
	assert_int_equal(dump_pages_init(&dp, row->ranges, row->nranges, mem,
			     sizeof(mem)),
	    DUMP_EINVAL);
}

static void
test_bad_memory(void **state)
{
	static const struct dump_range range = { 0, 0x41000 };
	size_t len = dump_pages_len(&range, 1);
	uint64_t mem[64];
	struct dump_pages dp;

	(void)state;
	assert_true(len <= sizeof(mem) - 8);
	assert_int_equal(dump_pages_init(&dp, &range, 1, mem, len - 1),
	    DUMP_EINVAL);
	assert_int_equal(dump_pages_init(&dp, &range, 1, (char *)mem + 4, len),
	    DUMP_EINVAL);
	assert_int_equal(dump_pages_init(&dp, &range, 1, mem, len), 0);
	assert_int_equal(dp.dp_set.set_nbits, 0x41);
}

int
main(void)
{
	struct CMUnitTest tests[16];
	size_t n = 0;

	ADD_ROWS(tests, n, bad_rows, test_bad);
	tests[n++] = row_test("memory for the set", test_bad_memory, NULL);
	tests[n++] = row_test("against a model", test_model, NULL);
	tests[n++] = row_test("two threads", test_threads, NULL);
	tests[n++] = row_test("the machine's own", test_installed, NULL);
	return (RUN_TESTS(tests, n));
}
