/*
 * The three kinds of locks that a thread may sleep for.
 */
#include "tests/vm/lockkinds.h"

#include <stdio.h>

static void
mtx_init_any(union anylock *l, const char *name, unsigned int flags)
{
	mtx_init(&l->mtx, name, NULL, (int)(MTX_DEF | flags));
}

static void
mtx_destroy_any(union anylock *l)
{
	mtx_destroy(&l->mtx);
}

static void
mtx_xlock_any(union anylock *l)
{
	mtx_lock(&l->mtx);
}

static void
mtx_xunlock_any(union anylock *l)
{
	mtx_unlock(&l->mtx);
}

static bool
mtx_try_xlock_any(union anylock *l)
{
	return (mtx_trylock(&l->mtx));
}

static bool
mtx_owned_any(const union anylock *l)
{
	return (mtx_owned(&l->mtx));
}

static int
mtx_sleep_any(const void *chan, union anylock *l, int flags, int timo)
{
	return (msleep(chan, &l->mtx, flags, "test", timo));
}

static void
rw_init_any(union anylock *l, const char *name, unsigned int flags)
{
	rw_init_flags(&l->rw, name, flags);
}

static void
rw_destroy_any(union anylock *l)
{
	rw_destroy(&l->rw);
}

static void
rw_xlock_any(union anylock *l)
{
	rw_wlock(&l->rw);
}

static void
rw_xunlock_any(union anylock *l)
{
	rw_wunlock(&l->rw);
}

static bool
rw_try_xlock_any(union anylock *l)
{
	return (rw_try_wlock(&l->rw));
}

static bool
rw_owned_any(const union anylock *l)
{
	return (rw_wowned(&l->rw));
}

static void
rw_slock_any(union anylock *l)
{
	rw_rlock(&l->rw);
}

static void
rw_sunlock_any(union anylock *l)
{
	rw_runlock(&l->rw);
}

static bool
rw_try_slock_any(union anylock *l)
{
	return (rw_try_rlock(&l->rw));
}

static void
rw_unlock_any(union anylock *l)
{
	rw_unlock(&l->rw);
}

static bool
rw_try_upgrade_any(union anylock *l)
{
	return (rw_try_upgrade(&l->rw));
}

static void
rw_downgrade_any(union anylock *l)
{
	rw_downgrade(&l->rw);
}

static int
rw_sleep_any(const void *chan, union anylock *l, int flags, int timo)
{
	return (rw_sleep(chan, &l->rw, flags, "test", timo));
}

static void
sx_init_any(union anylock *l, const char *name, unsigned int flags)
{
	sx_init_flags(&l->sx, name, flags);
}

static void
sx_destroy_any(union anylock *l)
{
	sx_destroy(&l->sx);
}

static void
sx_xlock_any(union anylock *l)
{
	sx_xlock(&l->sx);
}

static void
sx_xunlock_any(union anylock *l)
{
	sx_xunlock(&l->sx);
}

static bool
sx_try_xlock_any(union anylock *l)
{
	return (sx_try_xlock(&l->sx));
}

static bool
sx_owned_any(const union anylock *l)
{
	return (sx_xlocked(&l->sx));
}

static void
sx_slock_any(union anylock *l)
{
	sx_slock(&l->sx);
}

static void
sx_sunlock_any(union anylock *l)
{
	sx_sunlock(&l->sx);
}

static bool
sx_try_slock_any(union anylock *l)
{
	return (sx_try_slock(&l->sx));
}

static void
sx_unlock_any(union anylock *l)
{
	sx_unlock(&l->sx);
}

static bool
sx_try_upgrade_any(union anylock *l)
{
	return (sx_try_upgrade(&l->sx));
}

static void
sx_downgrade_any(union anylock *l)
{
	sx_downgrade(&l->sx);
}

static int
sx_sleep_any(const void *chan, union anylock *l, int flags, int timo)
{
	return (sx_sleep(chan, &l->sx, flags, "test", timo));
}

const struct lock_kind lock_kinds[NKINDS] = {
	{ .name = "mutex",
	    .init = mtx_init_any,
	    .sleep = mtx_sleep_any,
	    .destroy = mtx_destroy_any,
	    .xlock = mtx_xlock_any,
	    .xunlock = mtx_xunlock_any,
	    .try_xlock = mtx_try_xlock_any,
	    .owned = mtx_owned_any },
	{ .name = "rwlock",
	    .init = rw_init_any,
	    .sleep = rw_sleep_any,
	    .destroy = rw_destroy_any,
	    .xlock = rw_xlock_any,
	    .xunlock = rw_xunlock_any,
	    .try_xlock = rw_try_xlock_any,
	    .owned = rw_owned_any,
	    .slock = rw_slock_any,
	    .sunlock = rw_sunlock_any,
	    .try_slock = rw_try_slock_any,
	    .unlock = rw_unlock_any,
	    .try_upgrade = rw_try_upgrade_any,
	    .downgrade = rw_downgrade_any },
	{ .name = "sx",
	    .init = sx_init_any,
	    .sleep = sx_sleep_any,
	    .destroy = sx_destroy_any,
	    .xlock = sx_xlock_any,
	    .xunlock = sx_xunlock_any,
	    .try_xlock = sx_try_xlock_any,
	    .owned = sx_owned_any,
	    .slock = sx_slock_any,
	    .sunlock = sx_sunlock_any,
	    .try_slock = sx_try_slock_any,
	    .unlock = sx_unlock_any,
	    .try_upgrade = sx_try_upgrade_any,
	    .downgrade = sx_downgrade_any },
};

size_t
add_kinds(struct CMUnitTest tests[NKINDS], struct kind_test states[NKINDS],
    CMUnitTestFunction func, const struct kind_row *row)
{
	size_t n = 0;

	for (size_t i = 0; i < NKINDS; i++) {
		struct kind_test *state = &states[n];

		if ((row->kinds >> i & 1) == 0)
			continue;
		state->kind = &lock_kinds[i];
		state->row = row->row;
		(void)snprintf(state->name, sizeof(state->name), "%s: %s",
		    state->kind->name, row->name);
		tests[n++] =
		    (struct CMUnitTest){ state->name, func, NULL, NULL, state };
	}
	return (n);
}
