/*
 * Readers and writers: rwlock(9).
 *
 * Any number of threads may hold it for reading, or one for writing.  A thread
 * waits and holds it as it would a mutex of MTX_DEF (mutex.h): it may not sleep
 * for anything but such mutexes and rwlocks.  Whoever comes first is served
 * first, so that neither readers nor writers starve.
 *
 * A thread that holds it for reading may do so again.  Once the scheduler is
 * stopped, no call does anything.
 */
#ifndef KERNEL_SYS_RWLOCK_H
#define KERNEL_SYS_RWLOCK_H

#include "kernel/sys/lock.h"
#include "kernel/sys/systm.h"

/* For rw_init_flags(). */
#define RW_RECURSE   LO_RECURSABLE /* for writing */
#define RW_NOWITNESS LO_NOWITNESS
#define RW_DUPOK     LO_DUPOK

/* For rw_assert(). */
#define RA_LOCKED      LA_LOCKED
#define RA_RLOCKED     LA_SLOCKED
#define RA_WLOCKED     LA_XLOCKED
#define RA_UNLOCKED    LA_UNLOCKED
#define RA_RECURSED    LA_RECURSED
#define RA_NOTRECURSED LA_NOTRECURSED

struct rwlock {
	struct lock_object lock_object;
};

extern const struct lock_class lock_class_rw;

/* A lock that is ready without rw_init(). */
#define RW_INITIALIZER(name)                                                   \
	{                                                                      \
		LOCK_OBJECT_INITIALIZER(name, &lock_class_rw)                  \
	}

void rw_init(struct rwlock *rw, const char *name);
void rw_init_flags(struct rwlock *rw, const char *name, unsigned int flags);
void rw_destroy(struct rwlock *rw);

void rw_rlock(struct rwlock *rw);
void rw_wlock(struct rwlock *rw);

/* Without waiting: false if it would have to. */
bool rw_try_rlock(struct rwlock *rw);
bool rw_try_wlock(struct rwlock *rw);

/* rw_unlock() releases it, however it is held. */
void rw_runlock(struct rwlock *rw);
void rw_wunlock(struct rwlock *rw);
void rw_unlock(struct rwlock *rw);

/* A reader becomes the writer.  false: there are others; it still reads. */
bool rw_try_upgrade(struct rwlock *rw);

/* The writer becomes a reader, and lets those in that wait to read. */
void rw_downgrade(struct rwlock *rw);

/* Does this thread hold it for writing? */
bool rw_wowned(const struct rwlock *rw);

/* panic() unless what, RA_*, is true of rw; see lock_assert(). */
#define rw_assert(rw, what) lock_assert(&(rw)->lock_object, (what))

/* tsleep() that lets go of the lock meanwhile; flags may have PDROP. */
static inline int
rw_sleep(const void *chan, struct rwlock *rw, int flags, const char *wmesg,
    int timo)
{
	return (_sleep(chan, &rw->lock_object, flags, wmesg, timo));
}

#endif
