/*
 * Mutexes: mutex(9).
 *
 * A spin mutex, MTX_SPIN, is held with interrupts off and in a critical section,
 * so it may be taken anywhere but in an NMI.  A thread that waits for another
 * mutex, MTX_DEF, spins while the owner runs and else sleeps.  That may be taken
 * by threads only, outside of critical sections and with no spin mutex held, and
 * its holder may not sleep for anything but another such mutex or a rwlock.
 *
 * Once the scheduler is stopped, after a panic and in the debugger, no call
 * takes a lock and all return at once: a lock that a stopped thread holds cannot
 * block a dump.
 */
#ifndef KERNEL_SYS_MUTEX_H
#define KERNEL_SYS_MUTEX_H

#include "kernel/sys/lock.h"
#include "kernel/sys/systm.h"

/* For mtx_init(). */
#define MTX_DEF	      0x00
#define MTX_SPIN      0x01
#define MTX_RECURSE   LO_RECURSABLE /* not with MTX_SPIN */
#define MTX_NOWITNESS LO_NOWITNESS
#define MTX_DUPOK     LO_DUPOK

/* For mtx_assert(). */
#define MA_OWNED       LA_XLOCKED
#define MA_NOTOWNED    LA_UNLOCKED
#define MA_RECURSED    LA_RECURSED
#define MA_NOTRECURSED LA_NOTRECURSED

struct mtx {
	struct lock_object lock_object;
};

extern const struct lock_class lock_class_mtx_spin;
extern const struct lock_class lock_class_mtx_sleep;

/* Mutexes that are ready without mtx_init(): MTX_SPIN, and MTX_DEF. */
#define MTX_INITIALIZER(name)                                                  \
	{                                                                      \
		LOCK_OBJECT_INITIALIZER(name, &lock_class_mtx_spin)            \
	}
#define MTX_DEF_INITIALIZER(name)                                              \
	{                                                                      \
		LOCK_OBJECT_INITIALIZER(name, &lock_class_mtx_sleep)           \
	}

/* type says whose order it has; NULL: its own, by its name. */
void mtx_init(struct mtx *mtx, const char *name, const char *type, int opts);
void mtx_destroy(struct mtx *mtx);

void mtx_lock_spin(struct mtx *mtx);
void mtx_unlock_spin(struct mtx *mtx);

/* mtx_trylock() does not wait: false if it would have to. */
void mtx_lock(struct mtx *mtx);
bool mtx_trylock(struct mtx *mtx);
void mtx_unlock(struct mtx *mtx);

bool mtx_owned(const struct mtx *mtx);

/* panic() unless what, MA_*, is true of mtx; see lock_assert(). */
#define mtx_assert(mtx, what) lock_assert(&(mtx)->lock_object, (what))

/* tsleep() that lets go of a mutex meanwhile; flags may have PDROP. */
static inline int
msleep(const void *chan, struct mtx *mtx, int flags, const char *wmesg,
    int timo)
{
	return (_sleep(chan, &mtx->lock_object, flags, wmesg, timo));
}

static inline int
msleep_spin(const void *chan, struct mtx *mtx, const char *wmesg, int timo)
{
	return (_sleep(chan, &mtx->lock_object, 0, wmesg, timo));
}

/* Interrupts off, and a critical section: what a holder of a spin mutex is in. */
void spinlock_enter(void);
void spinlock_exit(void);

/* For the mutex that the scheduler passes from thread to thread in a switch. */
void mtx_handoff(struct mtx *mtx, const void *owner);

#endif
