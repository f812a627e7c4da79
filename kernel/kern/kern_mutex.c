/*
 * Spin mutexes and critical sections.
 *
 * mtx_lock is 0 or the owner's thread.  Until the boot CPU has a thread, there
 * is no one else to lock out, but the owner must not be 0.
 */
#include "kernel/sys/mutex.h"

#include "kernel/machine/cpufunc.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

/* Spins before we panic: by then the owner must be dead. */
#define SPIN_MAX 2000000000

bool scheduler_stopped;

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
critical_enter(void)
{
	curthread->td_critnest++;
}

void
critical_exit(void)
{
	struct thread *td = curthread;

	KASSERT(td->td_critnest > 0, ("%s: not inside", __func__));
	td->td_critnest--;
	if (td->td_critnest == 0 && td->td_needresched &&
	    !SCHEDULER_STOPPED() && td->td_intr_nesting_level == 0)
		sched_yield();
}

unsigned int
critical_cpu(void)
{
	return ((unsigned int)curcpu);
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

void
mtx_init(struct mtx *m, const char *name, const char *type, int opts)
{
	KASSERT(opts == MTX_SPIN, ("%s: %s: not a spin mutex", __func__, name));
	*m = (struct mtx)MTX_INITIALIZER(name);
	if (type != NULL)
		m->lock_object.lo_type = type;
}

void
mtx_destroy(struct mtx *m)
{
	KASSERT(m->mtx_lock == 0,
	    ("%s: %s is held", __func__, m->lock_object.lo_name));
}

bool
mtx_owned(const struct mtx *m)
{
	return (m->mtx_lock == (uintptr_t)curthread);
}

#ifndef NDEBUG
void
mtx_assert(const struct mtx *m, int what)
{
	if (!SCHEDULER_STOPPED() && mtx_owned(m) != (what == MA_OWNED))
		panic("mutex %s %s", m->lock_object.lo_name,
		    what == MA_OWNED ? "not owned" : "owned");
}
#endif

void
mtx_lock_spin(struct mtx *m)
{
	uintptr_t self = (uintptr_t)curthread, free;
	uint64_t spins = 0;

	if (SCHEDULER_STOPPED())
		return;
	spinlock_enter();
	mtx_assert(m, MA_NOTOWNED);
	witness_checkorder(&m->lock_object);
	for (;;) {
		free = 0;
		if (__atomic_compare_exchange_n(&m->mtx_lock, &free, self,
			false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			break;
		if (SCHEDULER_STOPPED())
			return;
		if (++spins == SPIN_MAX)
			panic("%s: %s held by %#jx too long", __func__,
			    m->lock_object.lo_name, (uintmax_t)m->mtx_lock);
		cpu_spinwait();
	}
	witness_lock(&m->lock_object);
	FAIL_POINT(FAIL_MUTEX_HELD, m->lock_object.lo_name);
}

void
mtx_unlock_spin(struct mtx *m)
{
	if (SCHEDULER_STOPPED())
		return;
	mtx_assert(m, MA_OWNED);
	witness_unlock(&m->lock_object);
	__atomic_store_n(&m->mtx_lock, 0, __ATOMIC_RELEASE);
	spinlock_exit();
}

void
mtx_handoff(struct mtx *m, const void *owner)
{
	__atomic_store_n(&m->mtx_lock, (uintptr_t)owner, __ATOMIC_RELEASE);
}
