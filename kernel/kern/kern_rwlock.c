/*
 * Readers and writers; what they do is in subr_lock.c.
 */
#include "kernel/sys/rwlock.h"

#include "kernel/sys/sleeplock.h"

const struct lock_class lock_class_rw = {
	.lc_name = "rwlock",
	.lc_unlock = lock_sleep_unlock,
	.lc_lock = lock_sleep_lock,
};

void
rw_init(struct rwlock *rw, const char *name)
{
	rw_init_flags(rw, name, 0);
}

void
rw_init_flags(struct rwlock *rw, const char *name, unsigned int flags)
{
	lock_init(&rw->lock_object, &lock_class_rw, name, NULL, flags);
}

void
rw_destroy(struct rwlock *rw)
{
	lock_destroy(&rw->lock_object);
}

void
rw_rlock(struct rwlock *rw)
{
	lock_take(&rw->lock_object, LOCK_SHARED, __builtin_return_address(0));
}

void
rw_wlock(struct rwlock *rw)
{
	lock_take(&rw->lock_object, LOCK_EXCL, __builtin_return_address(0));
}

bool
rw_try_rlock(struct rwlock *rw)
{
	return (lock_try(&rw->lock_object, LOCK_SHARED,
	    __builtin_return_address(0)));
}

bool
rw_try_wlock(struct rwlock *rw)
{
	return (lock_try(&rw->lock_object, LOCK_EXCL,
	    __builtin_return_address(0)));
}

void
rw_runlock(struct rwlock *rw)
{
	lock_release(&rw->lock_object, LOCK_SHARED);
}

void
rw_wunlock(struct rwlock *rw)
{
	lock_release(&rw->lock_object, LOCK_EXCL);
}

void
rw_unlock(struct rwlock *rw)
{
	lock_release(&rw->lock_object, lock_held(&rw->lock_object));
}

bool
rw_try_upgrade(struct rwlock *rw)
{
	return (lock_try_upgrade(&rw->lock_object));
}

void
rw_downgrade(struct rwlock *rw)
{
	lock_downgrade(&rw->lock_object);
}

bool
rw_wowned(const struct rwlock *rw)
{
	return (lock_owned(&rw->lock_object));
}
