/*
 * Threads that take locks of all kinds as fast as they can: "locks N ROUNDS" in
 * the shell.  What each lock guards is counted, and has to add up.
 */
#include "kernel/lab/crash.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/rwlock.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sx.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/time.h"

static struct sx storm_sx = SX_INITIALIZER("storm sx");
static struct rwlock storm_rw = RW_INITIALIZER("storm rwlock");
static struct mtx storm_mtx = MTX_DEF_INITIALIZER("storm mutex");
static struct mtx storm_spin = MTX_INITIALIZER("storm spin");

static uint64_t nthreads, nrounds;
static const char *wanted; /* panic when that lock is held; "": never */

static uint64_t sx_sum;	    /* (storm_sx) */
static uint64_t rw_sums[2]; /* (storm_rw) equal when it is not written */
static uint64_t nwritten;   /* atomic: how often they were changed */
static uint64_t mtx_sum;    /* (storm_mtx), as what follows */
static uint64_t turn;
static uint64_t nover;	  /* threads that are done */
static sbintime_t latest; /* the time when it was held last */
static uint64_t spin_sum; /* (storm_spin) */

static void
check_sums(void)
{
	if (rw_sums[0] != rw_sums[1])
		panic("locks: %ju is not %ju", (uintmax_t)rw_sums[0],
		    (uintmax_t)rw_sums[1]);
}

static void
write_sums(void)
{
	rw_sums[0]++;
	rw_sums[1]++;
	__atomic_fetch_add(&nwritten, 1, __ATOMIC_RELAXED);
}

/* One round in four writes, another tries to. */
static void
use_rwlock(uint32_t v)
{
	if (v % 4 == 0) {
		rw_wlock(&storm_rw);
		write_sums();
		if (v % 8 == 0)
			rw_downgrade(&storm_rw);
	} else
		rw_rlock(&storm_rw);
	check_sums();
	if (v % 4 == 1 && rw_try_upgrade(&storm_rw))
		write_sums();
	rw_unlock(&storm_rw);
}

/* No CPU's clock is behind what another has told before. */
static void
check_clock(void)
{
	sbintime_t now = sbinuptime();

	if (now < latest)
		panic("locks: %#jx is before %#jx", (uintmax_t)now,
		    (uintmax_t)latest);
	latest = now;
}

static void
use_mutexes(void)
{
	mtx_lock(&storm_mtx);
	check_clock();
	mtx_sum++;
	mtx_lock_spin(&storm_spin);
	spin_sum++;
	mtx_unlock_spin(&storm_spin);
	mtx_unlock(&storm_mtx);
}

/* The threads take turns, by sleeping. */
static void
wait_for_turn(uint64_t self)
{
	mtx_lock(&storm_mtx);
	while (turn % nthreads != self)
		(void)msleep(&turn, &storm_mtx, 0, "turn", 0);
	turn++;
	wakeup(&turn);
	mtx_unlock(&storm_mtx);
}

static void
one_round(uint64_t self, uint64_t i, uint32_t v)
{
	sx_xlock(&storm_sx);
	sx_sum++;
	if (v % 2 == 0)
		sx_downgrade(&storm_sx);
	use_rwlock(v >> 1);
	if (v % 64 == 0)
		kern_yield(); /* with an sx lock held that may be */
	use_mutexes();
	sx_unlock(&storm_sx);
	if (i % 16 == 0)
		wait_for_turn(self);
}

static void
storm_thread(void *arg)
{
	uint64_t self = (uintptr_t)arg;
	uint32_t v = (uint32_t)self;

	for (uint64_t i = 0; i < nrounds; i++) {
		if (self == 0 && i == nrounds / 2 && *wanted != '\0')
			crash_hold(wanted);
		v = v * 1664525 + 1013904223;
		one_round(self, i, v >> 8);
	}
	mtx_lock(&storm_mtx);
	nover++;
	wakeup(&nover);
	mtx_unlock(&storm_mtx);
}

static void
sh_locks(const char *args)
{
	const char *end;

	nthreads = strtouq(args, &end);
	while (*end == ' ')
		end++;
	nrounds = strtouq(end, &end);
	while (*end == ' ')
		end++;
	wanted = end;
	sx_sum = mtx_sum = spin_sum = nover = turn = 0;
	for (uint64_t i = 0; i < nthreads; i++)
		(void)kproc_kthread_add(storm_thread, (void *)(uintptr_t)i,
		    NULL, NULL, "locks", "locks %ju", (uintmax_t)i);
	mtx_lock(&storm_mtx);
	while (nover < nthreads)
		(void)msleep(&nover, &storm_mtx, 0, "locks", 0);
	mtx_unlock(&storm_mtx);
	printf("locks: %ju rounds; sx %ju, rwlock %ju, mutex %ju, spin %ju\n",
	    (uintmax_t)(nthreads * nrounds), (uintmax_t)sx_sum,
	    (uintmax_t)(nwritten - rw_sums[0]), (uintmax_t)mtx_sum,
	    (uintmax_t)spin_sum);
}
COMMAND(locks, "locks", CMD_SHELL, sh_locks,
    "N ROUNDS [LOCK]: threads that lock, until one panics with LOCK held");
