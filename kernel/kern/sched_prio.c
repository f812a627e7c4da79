/*
 * Priorities: that of a thread, and the one that it borrows by a sleep.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/turnstile.h"

static void
set_priority(struct thread *td, uint8_t pri)
{
	mtx_assert(&sched_lock, MA_OWNED);
	td->td_priority = pri;
	turnstile_adjust(td);
}

void
sched_prio(struct thread *td, uint8_t pri)
{
	td->td_base_pri = pri;
	set_priority(td, pri);
}

void
sched_borrow(struct thread *td, uint8_t pri)
{
	set_priority(td, pri != 0 ? pri : td->td_base_pri);
}
