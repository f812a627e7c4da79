/*
 * Spin mutexes.
 *
 * A holder runs with interrupts off and in a critical section, so a mutex may
 * be taken anywhere but in an NMI.  Once the scheduler is stopped, after a
 * panic and in the debugger, no call takes a lock and all return at once: a
 * lock that a stopped thread holds cannot block a dump.
 *
 * There is no lock yet that a thread may sleep with; docs/house.md says where
 * sx and rwlock will live.
 */
#ifndef KERNEL_SYS_MUTEX_H
#define KERNEL_SYS_MUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/sys/lock.h"

#define MTX_SPIN 1

/* For mtx_assert(). */
#define MA_OWNED    1
#define MA_NOTOWNED 2

struct mtx {
	struct lock_object lock_object;
	volatile uintptr_t mtx_lock; /* 0: free.  Else the machine's word */
};

/* A mutex that is ready without mtx_init(). */
#define MTX_INITIALIZER(name)                                                  \
	{                                                                      \
		LOCK_OBJECT_INITIALIZER(name), 0                               \
	}

void mtx_init(struct mtx *mtx, const char *name, const char *type, int opts);
void mtx_destroy(struct mtx *mtx);
void mtx_lock_spin(struct mtx *mtx);
void mtx_unlock_spin(struct mtx *mtx);
bool mtx_owned(const struct mtx *mtx);

/*
 * panic() unless what, an MA_*, is true of mtx.  Does nothing once the
 * scheduler is stopped, since locks then have no owner.
 */
#ifdef NDEBUG
#define mtx_assert(mtx, what) ((void)(mtx), (void)(what))
#else
void mtx_assert(const struct mtx *mtx, int what);
#endif

/* Interrupts off, and a critical section: what a holder of a mutex is in. */
void spinlock_enter(void);
void spinlock_exit(void);

/* For the mutex that the scheduler passes from thread to thread in a switch. */
void mtx_handoff(struct mtx *mtx, const void *owner);

#endif
