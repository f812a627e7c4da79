/*
 * What the debugger shows of locks.
 */
#include "kernel/ddb/ddb.h"
#include "kernel/sys/command.h"
#include "kernel/sys/lock.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/sleepqueue.h"
#include "kernel/sys/systm.h"

/* More threads than a list that is whole can have. */
#define THREADS_MAX 100000

static void
print_holder(const struct lock_object *lo)
{
	uintptr_t v = lo->lo_word & ~(uintptr_t)LK_WAITERS;
	const struct thread *td = (const struct thread *)v;

	if (v == 0)
		printf(" free\n");
	else if ((v & LK_SHARED) != 0)
		printf(" shared by %ju\n", (uintmax_t)(v / LK_ONE));
	else
		printf(" owned by %d %s, taken %u times\n", td->td_tid,
		    td->td_name, lo->lo_depth + 1);
}

static void
print_waiters(const struct lock_object *lo)
{
	const void *chan = (const void *)(uintptr_t)&lo->lo_word;
	const struct sleepqueue *sq = sleepq_lookup(chan);
	const struct thread *td;
	int n = 0;

	if (sq == NULL)
		return;
	TAILQ_FOREACH(td, &sq->sq_blocked, td_runq) {
		if (n++ == THREADS_MAX)
			return;
		printf(" waits: %d %s, to %s it\n", td->td_tid, td->td_name,
		    td->td_lockhow == LOCK_SHARED ? "share" : "own");
	}
}

static void
db_show_lock(const char *args)
{
	const struct lock_object *lo;
	const char *rest;
	uint64_t va;

	if (!db_expression(args, &va, &rest) || *rest != '\0') {
		printf("show lock ADDRESS\n");
		return;
	}
	lo = (const struct lock_object *)va;
	printf("%s \"%s\", type \"%s\"\n", lo->lo_class->lc_name, lo->lo_name,
	    lo->lo_type);
	print_holder(lo);
	print_waiters(lo);
}
COMMAND(show_lock, "show lock", CMD_DDB, db_show_lock,
    "ADDR: who holds a lock, and who waits for it");
