/* The sysctl tree: what is found by name, what is listed, what can be set. */
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/sysctl.h"

static int number;
static uint64_t large;
static char text[8];

SYSCTL_NODE(_debug, OID_AUTO, tree, CTLFLAG_RD, NULL, "variables in the tree");
SYSCTL_INT(_debug_tree, OID_AUTO, number, CTLFLAG_RW, &number, 0, "an int");
SYSCTL_INT(_debug_tree, OID_AUTO, fixed, CTLFLAG_RD, NULL, 12, "a constant");
SYSCTL_U64(_debug_tree, OID_AUTO, large, CTLFLAG_RW, &large, 0, "64 bits");
SYSCTL_STRING(_debug_tree, OID_AUTO, text, CTLFLAG_RW, text, sizeof(text),
    "a string");

/* What is below the live node; the first nlive of them are there. */
static const char *const live_names[] = { "one", "one.size", "two.size" };
static size_t nlive;

static bool
live_name(size_t idx, char *name, size_t room)
{
	if (idx >= nlive)
		return (false);
	snprintf(name, room, "%s", live_names[idx]);
	return (true);
}

static int
live_read(const char *name, struct sysctl_req *req)
{
	for (size_t i = 0; i < nlive; i++) {
		if (strcmp(name, live_names[i]) == 0) {
			snprintf(req->old, req->oldroom, "value %zu", i);
			return (0);
		}
	}
	return (ENOENT);
}

static const struct sysctl_live live = { live_name, live_read };
SYSCTL_LIVE_NODE(_debug, OID_AUTO, live, &live, "comes and goes");
SYSCTL_INT(_debug, OID_AUTO, live_too, CTLFLAG_RD, NULL, 1, "beside it");

static const struct ask_row {
	const char *name;
	const char *variable;
	const char *newtext;
	int error;
	const char *answer; /* what it was */
	const char *then;   /* and is then */
} ask_rows[] = {
	{ "reads a number", "debug.tree.number", NULL, 0, "1", "1" },
	{ "sets a number", "debug.tree.number", "0x20", 0, "1", "32" },
	{ "refuses what is no number", "debug.tree.number", "1x", EINVAL, "1",
	    "1" },
	{ "refuses an empty number", "debug.tree.number", "", EINVAL, "1",
	    "1" },
	{ "sets the largest int", "debug.tree.number", "2147483647", 0, "1",
	    "2147483647" },
	{ "refuses what is no int", "debug.tree.number", "2147483648", ERANGE,
	    "1", "1" },
	{ "sets 64 bits", "debug.tree.large", "8g", 0, "2", "8589934592" },
	{ "sets a string that just fits", "debug.tree.text", "1234567", 0, "t",
	    "1234567" },
	{ "refuses a longer string", "debug.tree.text", "12345678", EINVAL, "t",
	    "t" },
	{ "refuses to set a constant", "debug.tree.fixed", "1", EPERM, "",
	    "12" },
	{ "does not know another name", "debug.tree.none", NULL, ENOENT, "",
	    "" },
	{ "does not know half a name", "debug.tree.num", NULL, ENOENT, "", "" },
	{ "a node has no value", "debug.tree", NULL, ENOENT, "", "" },
	{ "reads below a live node", "debug.live.two.size", NULL, 0, "value 2",
	    "value 2" },
	{ "reads a variable that others are below", "debug.live.one", NULL, 0,
	    "value 0", "value 0" },
	{ "refuses to set below a live node", "debug.live.one", "1", EPERM,
	    "value 0", "value 0" },
	{ "does not know what the live node does not", "debug.live.three", NULL,
	    ENOENT, "", "" },
	{ "does not set what is not there", "debug.live.three", "1", ENOENT, "",
	    "" },
	{ "a live node has no value", "debug.live", NULL, ENOENT, "", "" },
	{ "nothing is below the dot", "debug.live.", NULL, ENOENT, "", "" },
	{ "a name that only begins like the live node's is not below it",
	    "debug.live_too", NULL, 0, "1", "1" },
};

static void
test_ask(void **state)
{
	const struct ask_row *row = *state;
	char old[16] = "", then[16] = "";

	number = 1;
	large = 2;
	strcpy(text, "t");
	nlive = NROWS(live_names);
	assert_int_equal(kernel_sysctlbyname(row->variable, old, sizeof(old),
			     row->newtext),
	    row->error);
	assert_string_equal(old, row->answer);
	(void)kernel_sysctlbyname(row->variable, then, sizeof(then), NULL);
	assert_string_equal(then, row->then);
}

static const struct list_row {
	const char *name;
	const char *prefix;
	size_t nlive;
	const char *listed; /* in order */
} list_rows[] = {
	{ "lists a node", "debug.tree", 3, "fixed large number text " },
	{ "lists by the start of a name", "debug.tree.f", 3, "fixed " },
	{ "lists a live node", "debug.live.", 3, "one one.size two.size " },
	{ "lists it without the dot, and what is beside it", "debug.live", 3,
	    "live_too one one.size two.size " },
	{ "lists a part of a live node", "debug.live.one.", 3, "one.size " },
	{ "lists what is there", "debug.live.", 1, "one " },
	{ "lists a live node that is empty", "debug.live.", 0, "" },
	{ "leaves out what is below a live node above", "debug.l", 3,
	    "live_too " },
	{ "lists nothing of another name", "debug.none", 3, "" },
};

static char listed[8][32];
static size_t nlisted;

/* The last part of the tree's names, all of a live node's that is below it. */
static void
list(const char *name)
{
	static const char *const tops[] = { "debug.tree.", "debug.live.",
		"debug." };
	size_t i = 0;

	while (strncmp(name, tops[i], strlen(tops[i])) != 0)
		i++;
	assert_true(nlisted < NROWS(listed));
	snprintf(listed[nlisted++], sizeof(listed[0]), "%s",
	    &name[strlen(tops[i])]);
}

static int
compare_names(const void *a, const void *b)
{
	return (strcmp(a, b));
}

/* The linker orders the tree's variables. */
static void
test_list(void **state)
{
	const struct list_row *row = *state;
	char all[256] = "";

	nlive = row->nlive;
	nlisted = 0;
	sysctl_foreach(row->prefix, list);
	qsort(listed, nlisted, sizeof(listed[0]), compare_names);
	for (size_t i = 0; i < nlisted; i++)
		strcat(strcat(all, listed[i]), " ");
	assert_string_equal(all, row->listed);
}

int
main(void)
{
	static struct CMUnitTest tests[NROWS(ask_rows) + NROWS(list_rows)];
	size_t n = 0;

	ADD_ROWS(tests, n, ask_rows, test_ask);
	ADD_ROWS(tests, n, list_rows, test_list);
	return (RUN_TESTS(tests, n));
}
