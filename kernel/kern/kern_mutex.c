/*
 * Spin mutexes.
 *
 * mtx_lock is 0 or the owner's thread.  Until the boot CPU has a thread, there
 * is no one else to lock out, but the owner must not be 0.
 */
#include "kernel/sys/mutex.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

/* Spins before we panic: by then the owner must be dead. */
#define SPIN_MAX 2000000000

bool scheduler_stopped;

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
	return (__atomic_load_n(&m->mtx_lock, __ATOMIC_RELAXED) ==
	    (uintptr_t)curthread);
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
