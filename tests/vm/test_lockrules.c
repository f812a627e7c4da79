/*
 * What a lock, or the witness of locks, refuses: each mistake panics with words
 * of its own, and what is no mistake does not.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/lockkinds.h"
#include "tests/vm/sim.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/sleepqueue.h"

static const struct lock_kind *kind;
static union anylock lock, other; /* of that kind, fresh for each row */
static struct mtx spin, mutex;	  /* the same */
static struct rwlock rwlock;
static struct sx sx;
static char channel;

/* As another thread: it leaves the lock taken. */
static void
in_thread(void (*func)(void *arg))
{
	sim_join(sim_start(func, NULL));
}

static void
take_excl(void *arg)
{
	(void)arg;
	kind->xlock(&lock);
}

static void
take_shared(void *arg)
{
	(void)arg;
	kind->slock(&lock);
}

/* ---- Taken and released ---- */

static void
again(void)
{
	kind->xlock(&lock);
	kind->xlock(&lock);
}

static void
again_recursive(void)
{
	kind->init(&other, "recursive", LO_RECURSABLE);
	kind->xlock(&other);
	kind->xlock(&other);
	lock_assert(&other.object, LA_XLOCKED | LA_RECURSED);
	assert_true(kind->try_xlock(&other));
	kind->xunlock(&other);
	kind->xunlock(&other);
	lock_assert(&other.object, LA_XLOCKED | LA_NOTRECURSED);
	kind->xunlock(&other);
	lock_assert(&other.object, LA_UNLOCKED);
	kind->destroy(&other);
}

static void
share_owned(void)
{
	kind->xlock(&lock);
	kind->slock(&lock);
}

static void
own_shared(void)
{
	kind->slock(&lock);
	kind->xlock(&lock);
}

static void
release_free(void)
{
	kind->xunlock(&lock);
}

static void
release_others(void)
{
	in_thread(take_excl);
	kind->xunlock(&lock);
}

static void
unshare_free(void)
{
	kind->sunlock(&lock);
}

static void
unshare_owned(void)
{
	kind->xlock(&lock);
	kind->sunlock(&lock);
}

static void
unshare_others(void)
{
	in_thread(take_shared);
	kind->sunlock(&lock);
}

static void
disown_shared(void)
{
	kind->slock(&lock);
	kind->xunlock(&lock);
}

static void
upgrade_free(void)
{
	(void)kind->try_upgrade(&lock);
}

static void
upgrade_owned(void)
{
	kind->xlock(&lock);
	(void)kind->try_upgrade(&lock);
}

static void
downgrade_shared(void)
{
	kind->slock(&lock);
	kind->downgrade(&lock);
}

static void
downgrade_recursed(void)
{
	kind->init(&other, "recursive", LO_RECURSABLE);
	kind->xlock(&other);
	kind->xlock(&other);
	kind->downgrade(&other);
}

static void
destroy_owned(void)
{
	kind->xlock(&lock);
	kind->destroy(&lock);
}

static void
destroy_shared(void)
{
	kind->slock(&lock);
	kind->destroy(&lock);
}

static void
spin_as_mutex(void)
{
	mtx_lock(&spin);
}

static void
try_spin_as_mutex(void)
{
	(void)mtx_trylock(&spin);
}

static void
release_spin_as_mutex(void)
{
	mtx_lock_spin(&spin);
	mtx_unlock(&spin);
}

static void
mutex_as_spin(void)
{
	mtx_lock_spin(&mutex);
}

static void
release_mutex_as_spin(void)
{
	mtx_lock(&mutex);
	mtx_unlock_spin(&mutex);
}

static void
recursive_spin(void)
{
	mtx_init(&spin, "spin", NULL, MTX_SPIN | MTX_RECURSE);
}

static void
spin_again(void)
{
	mtx_lock_spin(&spin);
	mtx_lock_spin(&spin);
}

/* ---- Asserted ---- */

static void
assert_free_locked(void)
{
	lock_assert(&lock.object, LA_LOCKED);
}

static void
assert_free_owned(void)
{
	lock_assert(&lock.object, LA_XLOCKED);
}

static void
assert_free_shared(void)
{
	lock_assert(&lock.object, LA_SLOCKED);
}

static void
assert_others_owned(void)
{
	in_thread(take_excl);
	lock_assert(&lock.object, LA_XLOCKED);
}

static void
assert_others_locked(void)
{
	in_thread(take_shared);
	lock_assert(&lock.object, LA_LOCKED);
}

static void
assert_owned_shared(void)
{
	kind->xlock(&lock);
	lock_assert(&lock.object, LA_SLOCKED);
}

static void
assert_shared_owned(void)
{
	kind->slock(&lock);
	lock_assert(&lock.object, LA_XLOCKED);
}

static void
assert_owned_unlocked(void)
{
	kind->xlock(&lock);
	lock_assert(&lock.object, LA_UNLOCKED);
}

static void
assert_shared_unlocked(void)
{
	kind->slock(&lock);
	lock_assert(&lock.object, LA_UNLOCKED);
}

static void
assert_not_recursed(void)
{
	kind->xlock(&lock);
	lock_assert(&lock.object, LA_RECURSED);
}

static void
assert_recursed(void)
{
	kind->init(&other, "recursive", LO_RECURSABLE);
	kind->xlock(&other);
	kind->xlock(&other);
	lock_assert(&other.object, LA_NOTRECURSED);
}

static void
assert_truths(void)
{
	lock_assert(&lock.object, LA_UNLOCKED | LA_NOTRECURSED);
	kind->xlock(&lock);
	lock_assert(&lock.object, LA_LOCKED | LA_XLOCKED | LA_NOTRECURSED);
	kind->xunlock(&lock);
	if (kind->slock == NULL)
		return;
	kind->slock(&lock);
	lock_assert(&lock.object, LA_LOCKED | LA_SLOCKED);
	kind->unlock(&lock);
	in_thread(take_shared);
	lock_assert(&lock.object, LA_UNLOCKED);
}

/* Once the machine is stopped nothing is taken, and nothing is wrong. */
static void
stopped(void)
{
	in_thread(take_excl);
	scheduler_stopped = true;
	kind->xlock(&lock);
	assert_true(kind->try_xlock(&lock));
	lock_assert(&lock.object, LA_XLOCKED);
	lock_assert(&lock.object, LA_SLOCKED | LA_UNLOCKED | LA_RECURSED);
	kind->xunlock(&lock);
	if (kind->slock != NULL) {
		kind->slock(&lock);
		assert_true(kind->try_slock(&lock));
		assert_true(kind->try_upgrade(&lock));
		kind->downgrade(&lock);
		kind->sunlock(&lock);
		kind->unlock(&lock);
	}
	mtx_lock_spin(&spin);
	kind->xlock(&lock);
	assert_int_equal(kind->sleep(&lock, &lock, 0, 1), 0);
	kind->destroy(&lock);
	scheduler_stopped = false;
}

static void
stopped_for_ever(void)
{
	scheduler_stopped = true;
	(void)kind->sleep(&lock, &lock, 0, 0);
}

/* ---- Where it may not be taken ---- */

static void
take_with_spin(void)
{
	mtx_lock_spin(&spin);
	kind->xlock(&lock);
}

static void
share_with_spin(void)
{
	mtx_lock_spin(&spin);
	kind->slock(&lock);
}

/* A try cannot wait. */
static void
try_with_spin(void)
{
	mtx_lock_spin(&spin);
	assert_true(kind->try_xlock(&lock));
	kind->xunlock(&lock);
	mtx_unlock_spin(&spin);
}

static void
spin_with_lock(void)
{
	kind->xlock(&lock);
	mtx_lock_spin(&spin);
	mtx_unlock_spin(&spin);
	kind->xunlock(&lock);
}

static void
take_in_critical_section(void)
{
	critical_enter();
	kind->xlock(&lock);
}

static void
take_in_interrupt(void)
{
	sim_pretend(PLACE_INTR);
	kind->xlock(&lock);
}

static void
take_in_nmi(void)
{
	sim_pretend(PLACE_NMI);
	kind->xlock(&lock);
}

static void
take_with_mutex(void)
{
	mtx_lock(&mutex);
	kind->xlock(&lock);
	kind->xunlock(&lock);
	mtx_unlock(&mutex);
}

static void
take_with_rwlock(void)
{
	rw_rlock(&rwlock);
	kind->xlock(&lock);
	kind->xunlock(&lock);
	rw_runlock(&rwlock);
}

static void
take_with_sx(void)
{
	sx_slock(&sx);
	kind->xlock(&lock);
	kind->xunlock(&lock);
	sx_sunlock(&sx);
}

/* ---- In which order ---- */

static void
reversal(void)
{
	sx_xlock(&sx);
	kind->xlock(&lock);
	kind->xunlock(&lock);
	sx_xunlock(&sx);
	kind->xlock(&lock);
	sx_xlock(&sx);
}

static void
shared_reversal(void)
{
	kind->slock(&lock);
	kind->slock(&other);
	kind->sunlock(&other);
	kind->sunlock(&lock);
	kind->slock(&other);
	kind->slock(&lock);
}

/* What is tried has no order, but what is taken after it has. */
static void
tried_reversal(void)
{
	kind->xlock(&lock);
	kind->xlock(&other);
	kind->xunlock(&lock);
	assert_true(kind->try_xlock(&lock));
	kind->xunlock(&other);
	kind->xlock(&other);
	kind->xunlock(&lock);
	kind->xlock(&lock);
}

static void
take_both(void)
{
	kind->xlock(&lock);
	kind->xlock(&other);
	kind->xunlock(&other);
	kind->xunlock(&lock);
}

static void
same_type(void)
{
	other.object.lo_type = lock.object.lo_type;
	take_both();
}

static void
same_type_allowed(void)
{
	kind->init(&other, "other", LO_DUPOK);
	same_type();
}

static void
unwatched(void)
{
	kind->init(&other, "other", LO_NOWITNESS);
	take_both();
	kind->xlock(&other);
	kind->xlock(&lock);
	kind->xunlock(&lock);
	kind->xunlock(&other);
}

/* ---- Around a sleep ---- */

/* It does not sleep: an interrupt has come before. */
static int
sleep_interrupted(union anylock *l)
{
	sleepq_abort(curthread, EINTR);
	return (kind->sleep(&channel, l, PCATCH, 0));
}

static void
sleep_with_itself(void)
{
	kind->xlock(&lock);
	assert_int_equal(sleep_interrupted(&lock), EINTR);
	lock_assert(&lock.object, LA_XLOCKED);
	kind->xunlock(&lock);
}

static void
sleep_without_it(void)
{
	(void)sleep_interrupted(&lock);
}

static void
sleep_recursed(void)
{
	kind->init(&other, "recursive", LO_RECURSABLE);
	kind->xlock(&other);
	kind->xlock(&other);
	(void)sleep_interrupted(&other);
}

static void
sleep_with_two(void)
{
	take_excl(NULL);
	kind->xlock(&other);
	(void)sleep_interrupted(&other);
	kind->xunlock(&other);
	kind->xunlock(&lock);
}

static void
sleep_with_held(void)
{
	kind->xlock(&lock);
	sleepq_abort(curthread, EINTR);
	(void)tsleep(&lock, PCATCH, "test", 0);
	kind->xunlock(&lock);
}

static const struct row {
	const char *name;
	unsigned int kinds;
	void (*func)(void);
	const char *want; /* part of what the panic says; NULL: none */
} rows[] = {
	{ "panics: taken again", KIND_ALL, again,
	    "\"lock\": taken again by its owner" },
	{ "works: taken again, if it may be", KIND_ALL, again_recursive, NULL },
	{ "panics: shared by its owner", KIND_RW | KIND_SX, share_owned,
	    "\"lock\": shared by its owner" },
	{ "panics: taken by one that shares it", KIND_RW | KIND_SX, own_shared,
	    "\"lock\" is wanted by a thread that shares it" },
	{ "panics: released while free", KIND_ALL, release_free,
	    "\"lock\" is not owned" },
	{ "panics: released by another thread", KIND_ALL, release_others,
	    "\"lock\" is not owned" },
	{ "panics: released as shared while free", KIND_RW | KIND_SX,
	    unshare_free, "\"lock\" is not shared" },
	{ "panics: released as shared by its owner", KIND_RW | KIND_SX,
	    unshare_owned, "\"lock\" is not shared" },
	{ "panics: released as shared by another thread", KIND_RW | KIND_SX,
	    unshare_others, "\"lock\" is not shared" },
	{ "panics: released as owned by one that shares it", KIND_RW | KIND_SX,
	    disown_shared, "\"lock\" is not owned" },
	{ "panics: upgraded while free", KIND_RW | KIND_SX, upgrade_free,
	    "\"lock\" is not shared" },
	{ "panics: upgraded by its owner", KIND_RW | KIND_SX, upgrade_owned,
	    "\"lock\" is not shared" },
	{ "panics: downgraded while shared", KIND_RW | KIND_SX,
	    downgrade_shared, "\"lock\" is not owned" },
	{ "panics: downgraded after it was taken again", KIND_RW | KIND_SX,
	    downgrade_recursed, "\"recursive\" is recursed" },
	{ "panics: destroyed while owned", KIND_ALL, destroy_owned,
	    "\"lock\" is held" },
	{ "panics: destroyed while shared", KIND_RW | KIND_SX, destroy_shared,
	    "\"lock\" is held" },
	{ "panics: a spin mutex is slept for", KIND_MTX, spin_as_mutex,
	    "\"spin\" is a spin mutex" },
	{ "panics: a spin mutex is tried", KIND_MTX, try_spin_as_mutex,
	    "\"spin\" is a spin mutex" },
	{ "panics: a spin mutex is released as the other kind", KIND_MTX,
	    release_spin_as_mutex, "\"spin\" is a spin mutex" },
	{ "panics: a mutex is spun for", KIND_MTX, mutex_as_spin,
	    "\"mutex\" is a mutex" },
	{ "panics: a mutex is released as a spin mutex", KIND_MTX,
	    release_mutex_as_spin, "\"mutex\" is a mutex" },
	{ "panics: a spin mutex that may be taken again", KIND_MTX,
	    recursive_spin, "spin: a spin mutex is not recursive" },
	{ "panics: a spin mutex is taken again", KIND_MTX, spin_again,
	    "\"spin\" is held" },

	{ "works: what is true is asserted", KIND_ALL, assert_truths, NULL },
	{ "works: anything once the machine is stopped", KIND_ALL, stopped,
	    NULL },
	{ "panics: sleeps for ever once the machine is stopped", KIND_ALL,
	    stopped_for_ever, "\"test\" for ever" },
	{ "panics: asserted locked while free", KIND_ALL, assert_free_locked,
	    "\"lock\" is not held" },
	{ "panics: asserted owned while free", KIND_ALL, assert_free_owned,
	    "\"lock\" is not owned" },
	{ "panics: asserted shared while free", KIND_RW | KIND_SX,
	    assert_free_shared, "\"lock\" is not shared" },
	{ "panics: asserted owned while another thread owns it", KIND_ALL,
	    assert_others_owned, "\"lock\" is not owned" },
	{ "panics: asserted locked while another thread shares it",
	    KIND_RW | KIND_SX, assert_others_locked, "\"lock\" is not held" },
	{ "panics: asserted shared while owned", KIND_RW | KIND_SX,
	    assert_owned_shared, "\"lock\" is not shared" },
	{ "panics: asserted owned while shared", KIND_RW | KIND_SX,
	    assert_shared_owned, "\"lock\" is not owned" },
	{ "panics: asserted unlocked while owned", KIND_ALL,
	    assert_owned_unlocked, "\"lock\" is held" },
	{ "panics: asserted unlocked while shared", KIND_RW | KIND_SX,
	    assert_shared_unlocked, "\"lock\" is held" },
	{ "panics: asserted recursed while it is not", KIND_ALL,
	    assert_not_recursed, "\"lock\" is not recursed" },
	{ "panics: asserted not recursed while it is", KIND_ALL,
	    assert_recursed, "\"recursive\" is recursed" },

	{ "panics: taken with a spin mutex", KIND_ALL, take_with_spin,
	    "with spin mutex \"spin\" held" },
	{ "panics: shared with a spin mutex", KIND_RW | KIND_SX,
	    share_with_spin, "with spin mutex \"spin\" held" },
	{ "works: tried with a spin mutex", KIND_ALL, try_with_spin, NULL },
	{ "works: a spin mutex is taken with it", KIND_ALL, spin_with_lock,
	    NULL },
	{ "panics: taken in a critical section", KIND_ALL,
	    take_in_critical_section, "\"lock\" in a critical section" },
	{ "panics: taken in an interrupt", KIND_ALL, take_in_interrupt,
	    "\"lock\" in an interrupt" },
	{ "panics: taken in an NMI", KIND_ALL, take_in_nmi,
	    "\"lock\" in an NMI" },
	{ "works: taken with a mutex", KIND_MTX | KIND_RW, take_with_mutex,
	    NULL },
	{ "panics: taken with a mutex", KIND_SX, take_with_mutex,
	    "sx \"lock\" with mutex \"mutex\" held" },
	{ "works: taken with a rwlock", KIND_MTX | KIND_RW, take_with_rwlock,
	    NULL },
	{ "panics: taken with a rwlock", KIND_SX, take_with_rwlock,
	    "sx \"lock\" with rwlock \"rwlock\" held" },
	{ "works: taken with an sx lock", KIND_ALL, take_with_sx, NULL },

	{ "panics: an sx lock after it", KIND_MTX | KIND_RW, reversal,
	    "sx \"sx\" with " },
	{ "panics: the reverse of an order", KIND_SX, reversal,
	    "lock order reversal: \"sx\" after \"lock\"" },
	{ "panics: the reverse of an order of sharing", KIND_RW | KIND_SX,
	    shared_reversal, "lock order reversal: \"lock\" after \"other\"" },
	{ "panics: the reverse of an order, after a try", KIND_ALL,
	    tried_reversal, "lock order reversal: \"lock\" after \"other\"" },
	{ "panics: two of a type", KIND_ALL, same_type,
	    "\"other\" after \"lock\" of the same type" },
	{ "works: two of a type, if they may", KIND_ALL, same_type_allowed,
	    NULL },
	{ "works: any order of what is not watched", KIND_ALL, unwatched,
	    NULL },

	{ "works: a sleep that lets go of it", KIND_ALL, sleep_with_itself,
	    NULL },
	{ "panics: a sleep that lets go of what is free", KIND_ALL,
	    sleep_without_it, "\"lock\" is not held" },
	{ "panics: a sleep with what was taken again", KIND_ALL, sleep_recursed,
	    "\"recursive\" is recursed" },
	{ "panics: a sleep that lets go of one of two", KIND_MTX | KIND_RW,
	    sleep_with_two, "sleep on \"test\" with \"lock\" held" },
	{ "works: a sleep that lets go of one of two", KIND_SX, sleep_with_two,
	    NULL },
	{ "panics: a sleep with it", KIND_MTX | KIND_RW, sleep_with_held,
	    "sleep on \"test\" with \"lock\" held" },
	{ "works: a sleep with it", KIND_SX, sleep_with_held, NULL },
};

static void
call_row(void *arg)
{
	((const struct row *)arg)->func();
}

/* Fresh locks, whose types no other row has. */
static void
make_locks(void)
{
	/* Kept, since orders are not forgotten. */
	static char types[NROWS(rows) * NKINDS * 6][8];
	static unsigned short ntypes;
	struct lock_object *const objects[] = { &lock.object, &other.object,
		&spin.lock_object, &mutex.lock_object, &rwlock.lock_object,
		&sx.lock_object };

	kind->init(&lock, "lock", 0);
	kind->init(&other, "other", 0);
	mtx_init(&spin, "spin", NULL, MTX_SPIN);
	mtx_init(&mutex, "mutex", NULL, MTX_DEF);
	rw_init(&rwlock, "rwlock");
	sx_init(&sx, "sx");
	for (size_t i = 0; i < NROWS(objects); i++) {
		(void)snprintf(types[ntypes], sizeof(types[0]), "%hu", ntypes);
		objects[i]->lo_type = types[ntypes++];
	}
}

static void
test_rule(void **state)
{
	const struct kind_test *t = *state;
	struct row row = *(const struct row *)t->row;
	const char *said;

	kind = t->kind;
	make_locks();
	said = sim_expect_panic(call_row, &row);
	scheduler_stopped = false;
	if (row.want == NULL && said != NULL)
		fail_msg("panic: %s", said);
	if (row.want != NULL) {
		assert_non_null(said);
		if (strstr(said, row.want) == NULL)
			fail_msg("panic: %s", said);
	}
}

int
main(void)
{
	static struct kind_test states[NROWS(rows) * NKINDS];
	struct CMUnitTest tests[NROWS(states)];
	size_t ntests = 0;

	sim_boot(&sim_small);
	for (size_t i = 0; i < NROWS(rows); i++)
		ntests += add_kinds(&tests[ntests], &states[ntests], test_rule,
		    &(struct kind_row){ rows[i].name, rows[i].kinds,
			&rows[i] });
	return (RUN_TESTS(tests, ntests));
}
