/*
 * Locks that a thread may sleep for: what kern_mutex.c, kern_rwlock.c and
 * kern_sx.c have in common.  Others use mutex.h, rwlock.h and sx.h.
 *
 * pc is where the caller was called from; the witness keeps it.  Once the
 * scheduler is stopped, nothing waits, tries succeed, and asserts are content.
 */
#ifndef KERNEL_SYS_SLEEPLOCK_H
#define KERNEL_SYS_SLEEPLOCK_H

#include "kernel/sys/lock.h"

/* type may be NULL: the name is the type.  flags are LO_*. */
void lock_init(struct lock_object *lo, const struct lock_class *class,
    const char *name, const char *type, unsigned int flags);

/* The lock is free: panics if it is not. */
void lock_destroy(struct lock_object *lo);

/* Take it, and wait for it if need be. */
void lock_take(struct lock_object *lo, enum lock_how how, const void *pc);

/* Take it if that needs no wait.  false: it would. */
bool lock_try(struct lock_object *lo, enum lock_how how, const void *pc);

/* Release it, held like that by this thread. */
void lock_release(struct lock_object *lo, enum lock_how how);

/* How this thread, which holds it, does so. */
enum lock_how lock_held(const struct lock_object *lo);

/* From shared to exclusive; false: others share it, and it still is shared. */
bool lock_try_upgrade(struct lock_object *lo);

/* From exclusive to shared; lets others in that wait to share it. */
void lock_downgrade(struct lock_object *lo);

/* lc_unlock and lc_lock of all these locks. */
enum lock_how lock_sleep_unlock(struct lock_object *lo);
void lock_sleep_lock(struct lock_object *lo, enum lock_how how);

#endif
