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

/* Below zero nothing happens: a panic takes locks, too. */
static void
moment_pass(const void *arg)
{
	(void)arg;
	if (__atomic_sub_fetch(&moments_left, 1, __ATOMIC_RELAXED) == 0)
		panic("moment: the last %s", moment_kind);
}

static int
moment_pass_bio(const void *arg)
{
	moment_pass(arg);
	return (0);
}

static void
moment_tick(void)
{
	fail_set(FAIL_TICK, moment_pass);
}

static void
moment_lock(void)
{
	fail_set(FAIL_LOCK_HELD, moment_pass);
}

static void
moment_bio(void)
{
	fail_set_error(FAIL_BIO, moment_pass_bio);
}

static const struct {
	const char *name;
	void (*func)(void);
} kinds[] = {
	{ "tick", moment_tick },
	{ "lock", moment_lock },
	{ "bio", moment_bio },
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
			kinds[i].func();
			return;
		}
	}
	printf("moment tick | lock | bio N\n");
}
COMMAND(moment, "moment", CMD_SHELL, sh_moment,
    "tick | lock | bio N: panic at the N-th from now");
