/*
 * Sleeping: a queue for each address that is slept on (subr_sleephash.c).
 *
 * Each thread brings one struct sleepqueue.  The first sleeper on an address
 * lends its own to the hash table.  Those that follow put theirs into the free
 * list of that queue, and each sleeper that leaves takes one from there, or the
 * queue itself if it is the last.  So a sleep allocates nothing, and a wakeup
 * looks at an address or two and at the threads that it wakes.
 *
 * sched_lock guards all of it.  A sleep with a limit has a callout, which finds
 * the thread asleep or, if a wakeup came first, does nothing.
 */
#include "kernel/sys/sleepqueue.h"

#include "kernel/kern/subr_sleephash.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/turnstile.h"

static MALLOC_DEFINE(M_SLEEPQ, "sleepqueue", "one for each thread");

void
sleepq_init(struct sleepqueue *sq)
{
	*sq = (struct sleepqueue){ 0 };
	TAILQ_INIT(&sq->sq_blocked);
	LIST_INIT(&sq->sq_free);
}

struct sleepqueue *
sleepq_alloc(void)
{
	struct sleepqueue *sq = malloc(sizeof(*sq), M_SLEEPQ, M_WAITOK);

	sleepq_init(sq);
	sleephash_grow();
	return (sq);
}

void
sleepq_free(struct sleepqueue *sq)
{
	sleephash_shrink();
	free(sq, M_SLEEPQ);
}

static struct sleepqueue *
sleepq_add(struct thread *td, const void *chan)
{
	struct sleepqueue *sq = sleepq_lookup(chan);

	if (sq == NULL) {
		sq = td->td_sleepqueue;
		sq->sq_wchan = chan;
		sleephash_insert(sq);
	} else
		LIST_INSERT_HEAD(&sq->sq_free, td->td_sleepqueue, sq_hash);
	td->td_sleepqueue = NULL;
	td->td_wchan = chan;
	TAILQ_INSERT_TAIL(&sq->sq_blocked, td, td_runq);
	sq->sq_waiting[td->td_class]++;
	return (sq);
}

void
sleepq_resume(struct sleepqueue *sq, struct thread *td, int error)
{
	struct sleepqueue *own = LIST_FIRST(&sq->sq_free);

	if (own == NULL)
		own = sq;
	LIST_REMOVE(own, sq_hash);
	TAILQ_REMOVE(&sq->sq_blocked, td, td_runq);
	sq->sq_waiting[td->td_class]--;
	turnstile_wait_for(sq, own == sq ? NULL : sq->sq_owner);
	td->td_sleepqueue = own;
	td->td_wchan = NULL;
	td->td_wmesg = NULL;
	td->td_sleeperror = error;
	sched_add(td);
}

static void
sleepq_timeout(void *arg)
{
	struct thread *td = arg;

	mtx_lock_spin(&sched_lock);
	if (td->td_wchan != NULL && td->td_timeout &&
	    ticks - td->td_wakeup_tick >= 0)
		sleepq_resume(sleepq_lookup(td->td_wchan), td, EWOULDBLOCK);
	mtx_unlock_spin(&sched_lock);
}

/* Of a thread that is in a queue: until it is taken out. */
static int
sleep_locked(int flags, const char *wmesg, int timo)
{
	struct thread *td = curthread;

	KASSERT(!td->td_idle, ("%s: idle thread on %s", __func__, wmesg));
	td->td_wmesg = wmesg;
	td->td_catch = (flags & PCATCH) != 0;
	td->td_timeout = timo != 0;
	if (td->td_timeout) {
		td->td_wakeup_tick = ticks + timo;
		callout_reset(&td->td_slpcallout, timo, sleepq_timeout, td);
	}
	td->td_state = TDS_SLEEPING;
	mi_switch();
	if (td->td_timeout)
		(void)callout_stop(&td->td_slpcallout);
	return (td->td_sleeperror);
}

/*
 * The scheduler is stopped: for a debugger or a dump there is only this thread.
 * A pause returns at once.  A wait for something would be tried again and again,
 * and no other thread can bring it about.
 */
static int
sleep_stopped(const char *wmesg, int timo)
{
	if (timo == 0) {
		kdb_stuck(wmesg);
		panic("sleep: \"%s\" for ever, while all else is stopped",
		    wmesg);
	}
	return (0);
}

void
sleepq_wait(const void *chan, const char *wmesg, struct thread *owner)
{
	turnstile_wait_for(sleepq_add(curthread, chan), owner);
	(void)sleep_locked(0, wmesg, 0);
}

/* An interrupt that came before the sleep. */
static int
take_interrupt(struct thread *td)
{
	int error = td->td_interrupt;

	td->td_interrupt = 0;
	return (error);
}

/*
 * Takes sched_lock before it releases lo: a wakeup in between waits for
 * sched_lock and finds us asleep.
 */
int
_sleep(const void *chan, struct lock_object *lo, int flags, const char *wmesg,
    int timo)
{
	enum lock_how how = LOCK_EXCL;
	int error = 0;

	if (SCHEDULER_STOPPED())
		return (sleep_stopped(wmesg, timo));
	witness_sleep(lo, wmesg);
	mtx_lock_spin(&sched_lock);
	if (lo != NULL)
		how = lo->lo_class->lc_unlock(lo);
	if ((flags & PCATCH) != 0)
		error = take_interrupt(curthread);
	if (error == 0) {
		sched_borrow(curthread, (uint8_t)(flags & PRIMASK));
		(void)sleepq_add(curthread, chan);
		error = sleep_locked(flags, wmesg, timo);
	}
	mtx_unlock_spin(&sched_lock);
	if (lo != NULL && (flags & PDROP) == 0)
		lo->lo_class->lc_lock(lo, how);
	return (error);
}

int
tsleep(const void *chan, int flags, const char *wmesg, int timo)
{
	return (_sleep(chan, NULL, flags, wmesg, timo));
}

void
wakeup(const void *chan)
{
	struct sleepqueue *sq;
	struct thread *td, *next;

	if (SCHEDULER_STOPPED())
		return;
	mtx_lock_spin(&sched_lock);
	sq = sleepq_lookup(chan);
	if (sq != NULL) {
		TAILQ_FOREACH_SAFE(td, &sq->sq_blocked, td_runq, next)
			sleepq_resume(sq, td, 0);
	}
	mtx_unlock_spin(&sched_lock);
}

void
wakeup_one(const void *chan)
{
	struct sleepqueue *sq;

	if (SCHEDULER_STOPPED())
		return;
	mtx_lock_spin(&sched_lock);
	sq = sleepq_lookup(chan);
	if (sq != NULL)
		sleepq_resume(sq, TAILQ_FIRST(&sq->sq_blocked), 0);
	mtx_unlock_spin(&sched_lock);
}

void
sleepq_abort(struct thread *td, int error)
{
	mtx_lock_spin(&sched_lock);
	if (td->td_wchan != NULL && td->td_catch)
		sleepq_resume(sleepq_lookup(td->td_wchan), td, error);
	else
		td->td_interrupt = error;
	mtx_unlock_spin(&sched_lock);
}

void
pause(const char *wmesg, int timo)
{
	static const char nobody_wakes_this;

	tsleep(&nobody_wakes_this, 0, wmesg, timo);
}

/* More than there are in lists that are whole. */
#define SHOWN_MAX 100000

static int
print_queue(const struct sleepqueue *sq, int n)
{
	const struct thread *td;

	TAILQ_FOREACH(td, &sq->sq_blocked, td_runq) {
		if (n++ == SHOWN_MAX)
			break;
		printf("%p %-10s %d %s\n", sq->sq_wchan, td->td_wmesg,
		    td->td_tid, td->td_name);
	}
	return (n);
}

static void
db_show_sleepq(const char *args)
{
	const struct sleepqueue *sq;
	int n = 0;

	(void)args;
	for (size_t i = 0; i < sleephash_nchains(); i++) {
		for (sq = sleephash_chain(i); sq != NULL;
		     sq = LIST_NEXT(sq, sq_hash)) {
			n = print_queue(sq, n);
			if (n > SHOWN_MAX)
				return;
		}
	}
}
COMMAND(show_sleepq, "show sleepq", CMD_DDB, db_show_sleepq,
    "what is slept on, and by which threads");
