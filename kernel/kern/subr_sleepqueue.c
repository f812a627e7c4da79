/*
 * Sleeping: one list of all sleepers, found by the address they wait for.
 *
 * With the few hundred threads of this kernel the list is short; wakeup() looks
 * through all of it.
 */
#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/systm.h"

/* (s) */
static TAILQ_HEAD(, thread) sleepers = TAILQ_HEAD_INITIALIZER(sleepers);

static int
sleep_locked(const void *chan, const char *wmesg, int timo)
{
	struct thread *td = curthread;

	KASSERT(!td->td_idle, ("%s: idle thread on %s", __func__, wmesg));
	td->td_wchan = chan;
	td->td_wmesg = wmesg;
	td->td_state = TDS_SLEEPING;
	td->td_timeout = timo != 0;
	td->td_timedout = false;
	td->td_wakeup_tick = ticks + timo;
	TAILQ_INSERT_TAIL(&sleepers, td, td_runq);
	mi_switch();
	return (td->td_timedout ? EWOULDBLOCK : 0);
}

static void
wake_locked(struct thread *td)
{
	TAILQ_REMOVE(&sleepers, td, td_runq);
	td->td_wchan = NULL;
	td->td_wmesg = NULL;
	sched_add(td);
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

int
tsleep(const void *chan, const char *wmesg, int timo)
{
	int error;

	if (SCHEDULER_STOPPED())
		return (sleep_stopped(wmesg, timo));
	mtx_lock_spin(&sched_lock);
	error = sleep_locked(chan, wmesg, timo);
	mtx_unlock_spin(&sched_lock);
	return (error);
}

/*
 * Takes sched_lock before it releases m: a wakeup in between waits for
 * sched_lock and finds us asleep.
 */
int
msleep_spin(const void *chan, struct mtx *m, const char *wmesg, int timo)
{
	int error;

	if (SCHEDULER_STOPPED())
		return (sleep_stopped(wmesg, timo));
	mtx_lock_spin(&sched_lock);
	mtx_unlock_spin(m);
	error = sleep_locked(chan, wmesg, timo);
	mtx_unlock_spin(&sched_lock);
	mtx_lock_spin(m);
	return (error);
}

void
wakeup(const void *chan)
{
	struct thread *td, *next;

	if (SCHEDULER_STOPPED())
		return;
	mtx_lock_spin(&sched_lock);
	TAILQ_FOREACH_SAFE(td, &sleepers, td_runq, next) {
		if (td->td_wchan == chan)
			wake_locked(td);
	}
	mtx_unlock_spin(&sched_lock);
}

void
pause(const char *wmesg, int timo)
{
	static const char nobody_wakes_this;

	tsleep(&nobody_wakes_this, wmesg, timo);
}

void
sleepq_clock(void)
{
	struct thread *td, *next;

	mtx_lock_spin(&sched_lock);
	TAILQ_FOREACH_SAFE(td, &sleepers, td_runq, next) {
		if (!td->td_timeout || ticks - td->td_wakeup_tick < 0)
			continue;
		td->td_timedout = true;
		wake_locked(td);
	}
	mtx_unlock_spin(&sched_lock);
}
