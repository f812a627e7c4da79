/*
 * A panic at any moment of whatever goes on: "moment KIND N" in the shell.
 *
 * N times of something are counted, on all CPUs, and the last of them does not
 * return.  With a seed for N and for what goes on, a test dies at a place that
 * nobody chose, and nearly at the same one when it runs again.
 */
#include "kernel/sys/command.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"

static int64_t moments_left; /* atomic */
static const char *moment_kind;
const void *moment_arg; /* of the last one, for debuggers */

/* Below zero nothing happens: a panic takes locks, too. */
static void
moment_pass(const void *arg)
{
	if (__atomic_sub_fetch(&moments_left, 1, __ATOMIC_RELAXED) != 0)
		return;
	moment_arg = arg;
	panic("moment: the last %s", moment_kind);
}

static int
moment_pass_error(const void *arg)
{
	moment_pass(arg);
	return (0);
}

static const struct {
	const char *name;
	enum fail_point point;
} kinds[] = {
	{ "tick", FAIL_TICK },
	{ "lock", FAIL_LOCK_HELD },
	{ "submit", FAIL_SUBMIT },
	{ "bio", FAIL_BIO },
	{ "page_in", FAIL_PAGE_IN },
	{ "page_out", FAIL_PAGE_OUT },
};

static void
sh_moment(const char *args)
{
	const char *end;

	for (size_t i = 0; i < nitems(kinds); i++) {
		size_t len = strlen(kinds[i].name);

		if (strncmp(args, kinds[i].name, len) == 0 &&
		    args[len] == ' ') {
			moments_left = (int64_t)strtouq(&args[len + 1], &end);
			moment_kind = kinds[i].name;
			fail_set(kinds[i].point, moment_pass);
			fail_set_error(kinds[i].point, moment_pass_error);
			return;
		}
	}
	printf("moment");
	for (size_t i = 0; i < nitems(kinds); i++)
		printf("%s %s", i == 0 ? "" : " |", kinds[i].name);
	printf(" N\n");
}
COMMAND(moment, "moment", CMD_SHELL, sh_moment,
    "KIND N: panic at the N-th from now");
