/*
 * Run queues: which thread is next, and that each has its turn.
 *
 * A thread is a letter: k of PRI_KERN, t to v of PRI_TIMESHARE, i of PRI_IDLE.
 * All run for ever: the one that is chosen is ready again at once.
 */
#include <string.h>

#include "tests/support/unit.h"

#include "kernel/sys/proc.h"
#include "kernel/sys/runq.h"

#define NTURNS_MAX 64

static const struct row {
	const char *name;
	const char *own; /* threads of the CPU's own queue */
	const char *all;
	const char *turns; /* who has them; ends early if there is nobody */
} rows[] = {
	{ "none", "", "", "" },
	{ "one has all turns", "", "t", "ttt" },
	{ "those of a class take turns", "", "tuv", "tuvtuvt" },
	{ "a better class comes first, but for the share", "", "tk",
	    "kkkkkkkktkkkkkkkkt" },
	{ "what is idle has its share, too", "", "it", "ttttttttittttttttit" },
	{ "a share is divided among its class", "", "ktu",
	    "kkkkkkkktkkkkkkkkukkkkkkkkt" },
	{ "three classes", "", "kti", "kkkkkkkkitkkkkkkkikt" },
	{ "bound threads and others take turns", "t", "u", "tutu" },
	{ "a better class is first, bound", "k", "t", "kkkkkkkkt" },
	{ "a better class is first, not bound", "t", "k", "kkkkkkkkt" },
};

static enum pri_class
class_of(char letter)
{
	if (letter == 'k')
		return (PRI_KERN);
	return (letter == 'i' ? PRI_IDLE : PRI_TIMESHARE);
}

static void
add_all(struct runq *rq, struct thread *threads, const char *letters)
{
	for (const char *p = letters; *p != '\0'; p++) {
		struct thread *td = &threads[*p - 'a'];

		td->td_name[0] = *p;
		td->td_class = class_of(*p);
		runq_add(rq, td);
	}
}

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct thread threads[26] = { 0 };
	struct runq own, all;
	struct runq_share share = { 0 };
	char turns[NTURNS_MAX] = "";
	struct thread *td;

	runq_init(&own);
	runq_init(&all);
	add_all(&own, threads, row->own);
	add_all(&all, threads, row->all);
	for (size_t i = 0; i <= strlen(row->turns); i++) {
		struct runq *rq;

		td = runq_choose(&own, &all, &share);
		if (td == NULL || row->turns[i] == '\0')
			break;
		assert_null(td->td_rq);
		turns[i] = td->td_name[0];
		rq = strchr(row->own, turns[i]) != NULL ? &own : &all;
		runq_add(rq, td);
	}
	assert_string_equal(turns, row->turns);
}

/* Turns do not count for a class that has no thread ready meanwhile. */
static void
test_absent(void **state)
{
	struct thread threads[26] = { 0 };
	struct runq own, all;
	struct runq_share share = { 0 };

	(void)state;
	runq_init(&own);
	runq_init(&all);
	add_all(&all, threads, "k");
	for (int i = 0; i < 100; i++)
		runq_add(&all, runq_choose(&own, &all, &share));
	add_all(&all, threads, "t");
	assert_ptr_equal(runq_choose(&own, &all, &share), &threads['k' - 'a']);
	assert_false(runq_is_empty(&all));
	runq_remove(&threads['t' - 'a']);
	assert_true(runq_is_empty(&all));
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + 1];
	size_t ntests = 0;

	ADD_ROWS(tests, ntests, rows, test_row);
	tests[ntests++] = (struct CMUnitTest)cmocka_unit_test(test_absent);
	return (RUN_TESTS(tests, ntests));
}
