/*
 * Locks that are held over a sleep: sx(9).
 *
 * Any number of threads may share it, or one own it.  Its holder may sleep, for
 * memory and for a disk.  So it may not be taken by a thread that holds a mutex
 * or a rwlock, which are never held that long.  Whoever comes first is served
 * first.
 *
 * A thread that shares it may do so again.  Once the scheduler is stopped, no
 * call does anything.
 */
#ifndef KERNEL_SYS_SX_H
#define KERNEL_SYS_SX_H

#include "kernel/sys/lock.h"
#include "kernel/sys/systm.h"

/* For sx_init_flags(). */
#define SX_RECURSE   LO_RECURSABLE /* for its owner */
#define SX_NOWITNESS LO_NOWITNESS
#define SX_DUPOK     LO_DUPOK

/* For sx_assert(). */
#define SA_LOCKED      LA_LOCKED
#define SA_SLOCKED     LA_SLOCKED
#define SA_XLOCKED     LA_XLOCKED
#define SA_UNLOCKED    LA_UNLOCKED
#define SA_RECURSED    LA_RECURSED
#define SA_NOTRECURSED LA_NOTRECURSED

struct sx {
	struct lock_object lock_object;
};

extern const struct lock_class lock_class_sx;

/* A lock that is ready without sx_init(). */
#define SX_INITIALIZER(name)                                                   \
	{                                                                      \
		LOCK_OBJECT_INITIALIZER(name, &lock_class_sx)                  \
	}

void sx_init(struct sx *sx, const char *name);
void sx_init_flags(struct sx *sx, const char *name, unsigned int flags);
void sx_destroy(struct sx *sx);

void sx_slock(struct sx *sx);
void sx_xlock(struct sx *sx);

/* Without waiting: false if it would have to. */
bool sx_try_slock(struct sx *sx);
bool sx_try_xlock(struct sx *sx);

/* sx_unlock() releases it, however it is held. */
void sx_sunlock(struct sx *sx);
void sx_xunlock(struct sx *sx);
void sx_unlock(struct sx *sx);

/* From shared to owned.  false: others share it, and it still is shared. */
bool sx_try_upgrade(struct sx *sx);

/* From owned to shared; lets those in that wait to share it. */
void sx_downgrade(struct sx *sx);

/* Does this thread own it? */
bool sx_xlocked(const struct sx *sx);

/* panic() unless what, SA_*, is true of sx; see lock_assert(). */
#define sx_assert(sx, what) lock_assert(&(sx)->lock_object, (what))

/* tsleep() that lets go of the lock meanwhile; flags may have PDROP. */
static inline int
sx_sleep(const void *chan, struct sx *sx, int flags, const char *wmesg,
    int timo)
{
	return (_sleep(chan, &sx->lock_object, flags, wmesg, timo));
}

#endif
