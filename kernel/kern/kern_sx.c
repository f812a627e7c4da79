/*
 * Locks that are held over a sleep; what they do is in subr_lock.c.
 */
#include "kernel/sys/sx.h"

#include "kernel/sys/sleeplock.h"

const struct lock_class lock_class_sx = {
	.lc_name = "sx",
	.lc_flags = LC_SLEEPABLE,
	.lc_unlock = lock_sleep_unlock,
	.lc_lock = lock_sleep_lock,
};

void
sx_init(struct sx *sx, const char *name)
{
	sx_init_flags(sx, name, 0);
}

void
sx_init_flags(struct sx *sx, const char *name, unsigned int flags)
{
	lock_init(&sx->lock_object, &lock_class_sx, name, NULL, flags);
}

void
sx_destroy(struct sx *sx)
{
	lock_destroy(&sx->lock_object);
}

void
sx_slock(struct sx *sx)
{
	lock_take(&sx->lock_object, LOCK_SHARED, __builtin_return_address(0));
}

void
sx_xlock(struct sx *sx)
{
	lock_take(&sx->lock_object, LOCK_EXCL, __builtin_return_address(0));
}

bool
sx_try_slock(struct sx *sx)
{
	return (lock_try(&sx->lock_object, LOCK_SHARED,
	    __builtin_return_address(0)));
}

bool
sx_try_xlock(struct sx *sx)
{
	return (lock_try(&sx->lock_object, LOCK_EXCL,
	    __builtin_return_address(0)));
}

void
sx_sunlock(struct sx *sx)
{
	lock_release(&sx->lock_object, LOCK_SHARED);
}

void
sx_xunlock(struct sx *sx)
{
	lock_release(&sx->lock_object, LOCK_EXCL);
}

void
sx_unlock(struct sx *sx)
{
	lock_release(&sx->lock_object, lock_held(&sx->lock_object));
}

bool
sx_try_upgrade(struct sx *sx)
{
	return (lock_try_upgrade(&sx->lock_object));
}

void
sx_downgrade(struct sx *sx)
{
	lock_downgrade(&sx->lock_object);
}

bool
sx_xlocked(const struct sx *sx)
{
	return (lock_owned(&sx->lock_object));
}
