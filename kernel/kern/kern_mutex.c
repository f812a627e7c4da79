/*
 * Mutexes that are spun for, and those that are slept for (subr_lock.c).
 *
 * The word of a mutex is 0 or the owner's thread.
 */
#include "kernel/sys/mutex.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/sleeplock.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

/* Spins before we panic: by then the owner must be dead. */
#define SPIN_MAX 2000000000

bool scheduler_stopped;

static enum lock_how
unlock_spin(struct lock_object *lo)
{
	mtx_unlock_spin((struct mtx *)lo);
	return (LOCK_EXCL);
}

static void
lock_spin(struct lock_object *lo, enum lock_how how)
{
	(void)how;
	mtx_lock_spin((struct mtx *)lo);
}

const struct lock_class lock_class_mtx_spin = {
	.lc_name = "spin mutex",
	.lc_flags = LC_SPIN,
	.lc_unlock = unlock_spin,
	.lc_lock = lock_spin,
};

const struct lock_class lock_class_mtx_sleep = {
	.lc_name = "mutex",
	.lc_flags = LC_BARGE,
	.lc_unlock = lock_sleep_unlock,
	.lc_lock = lock_sleep_lock,
};

/* What is called for one kind of mutex is not called for the other. */
static inline void
check_class(const struct mtx *m, const struct lock_class *class)
{
	KASSERT(m->lock_object.lo_class == class,
	    ("\"%s\" is a %s", m->lock_object.lo_name,
		m->lock_object.lo_class->lc_name));
}

void
mtx_init(struct mtx *m, const char *name, const char *type, int opts)
{
	bool spin = (opts & MTX_SPIN) != 0;

	KASSERT(!spin || (opts & MTX_RECURSE) == 0,
	    ("%s: %s: a spin mutex is not recursive", __func__, name));
	lock_init(&m->lock_object,
	    spin ? &lock_class_mtx_spin : &lock_class_mtx_sleep, name, type,
	    (unsigned int)(opts & ~MTX_SPIN));
}

void
mtx_destroy(struct mtx *m)
{
	lock_destroy(&m->lock_object);
}

bool
mtx_owned(const struct mtx *m)
{
	return (lock_owned(&m->lock_object));
}

/* ---- Slept for ---- */

void
mtx_lock(struct mtx *m)
{
	check_class(m, &lock_class_mtx_sleep);
	lock_take(&m->lock_object, LOCK_EXCL, __builtin_return_address(0));
}

bool
mtx_trylock(struct mtx *m)
{
	check_class(m, &lock_class_mtx_sleep);
	return (lock_try(&m->lock_object, LOCK_EXCL,
	    __builtin_return_address(0)));
}

void
mtx_unlock(struct mtx *m)
{
	check_class(m, &lock_class_mtx_sleep);
	lock_release(&m->lock_object, LOCK_EXCL);
}

/* ---- Spun for ---- */

/* Wait until the word is ours, or means nothing any more. */
static void
spin_for(struct lock_object *lo)
{
	uintptr_t self = (uintptr_t)curthread, free = 0;
	uint64_t spins = 0;

	while (!__atomic_compare_exchange_n(&lo->lo_word, &free, self, false,
	    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (SCHEDULER_STOPPED())
			return;
		if (++spins == SPIN_MAX)
			panic("%s: %s held by %#jx too long", __func__,
			    lo->lo_name, (uintmax_t)free);
		free = 0;
		cpu_spinwait();
	}
}

void
mtx_lock_spin(struct mtx *m)
{
	struct lock_object *lo = &m->lock_object;

	if (SCHEDULER_STOPPED())
		return;
	check_class(m, &lock_class_mtx_spin);
	spinlock_enter();
	mtx_assert(m, MA_NOTOWNED);
	witness_checkorder(lo, LOCK_EXCL);
	spin_for(lo);
	witness_lock(lo, __builtin_return_address(0));
	FAIL_POINT(FAIL_LOCK_HELD, lo);
}

void
mtx_unlock_spin(struct mtx *m)
{
	if (SCHEDULER_STOPPED())
		return;
	check_class(m, &lock_class_mtx_spin);
	mtx_assert(m, MA_OWNED);
	witness_unlock(&m->lock_object);
	__atomic_store_n(&m->lock_object.lo_word, 0, __ATOMIC_RELEASE);
	spinlock_exit();
}

void
mtx_handoff(struct mtx *m, const void *owner)
{
	__atomic_store_n(&m->lock_object.lo_word, (uintptr_t)owner,
	    __ATOMIC_RELEASE);
}
