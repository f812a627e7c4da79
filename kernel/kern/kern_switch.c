/*
 * Critical sections, and what a thread is in that forbids it to sleep.
 */
#include "kernel/machine/cpufunc.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/lock.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/systm.h"

/*
 * The first mutex that a thread takes disables interrupts; the last one that it
 * releases restores them.
 */
void
spinlock_enter(void)
{
	struct thread *td = curthread;
	register_t flags = intr_disable();

	if (td->td_md_spinlock_count++ == 0)
		td->td_md_saved_flags = flags;
	td->td_critnest++;
}

void
spinlock_exit(void)
{
	struct thread *td = curthread;

	td->td_critnest--;
	if (--td->td_md_spinlock_count == 0)
		intr_restore(td->td_md_saved_flags);
}

void
critical_yield(void)
{
	const struct thread *td = curthread;

	if (td->td_critnest == 0 && !td->td_critleaf && !SCHEDULER_STOPPED() &&
	    td->td_intr_nesting_level == 0)
		kern_yield();
}

/* For the witness: a list that a switch leaves with its thread. */
struct lock_list *
witness_locks(void)
{
	return (&curthread->td_locks);
}

enum witness_place
witness_place(void)
{
	const struct thread *td = curthread;

	if (td->td_nmi_nesting_level > 0)
		return (PLACE_NMI);
	if (td->td_intr_nesting_level > 0)
		return (PLACE_INTR);
	if (td->td_critnest > td->td_md_spinlock_count)
		return (PLACE_CRITICAL);
	return (PLACE_THREAD);
}
