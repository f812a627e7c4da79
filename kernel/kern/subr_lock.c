/*
 * Locks that a thread may sleep for.
 *
 * lo_word is 0, the owner's thread, or the number of threads that share the
 * lock.  Taking and releasing it is one atomic operation, as long as nobody
 * waits.  A thread that has to wait spins while the owner runs on another CPU.
 * Else it sets LK_WAITERS and sleeps on the word, and a release then takes
 * sched_lock, which guards that flag and the queue:
 *
 *	rwlock, sx	handed over to the first in the queue, or to all threads
 *			at its head that want to share it; nobody starves
 *	mtx		released, and the first in the queue is woken, to try
 *			again: a thread that runs need not wait for one that
 *			still has to be switched to
 *
 * Those that wait lend their priority to the owner, or to the thread that is woken
 * to be it (subr_turnstile.c).
 *
 * A thread that wants to share a lock waits if others wait before it, unless it
 * shares locks already: they might wait for it.
 */
#include "kernel/sys/sleeplock.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sleepqueue.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/turnstile.h"

void
lock_init(struct lock_object *lo, const struct lock_class *class,
    const char *name, const char *type, unsigned int flags)
{
	*lo = (struct lock_object)LOCK_OBJECT_INITIALIZER(name, class);
	if (type != NULL)
		lo->lo_type = type;
	lo->lo_flags = flags;
}

static uintptr_t
word(const struct lock_object *lo)
{
	return (__atomic_load_n(&lo->lo_word, __ATOMIC_RELAXED));
}

/* Change the word from old to new; false: it is not old any more. */
static bool
swap(struct lock_object *lo, uintptr_t old, uintptr_t new)
{
	return (__atomic_compare_exchange_n(&lo->lo_word, &old, new, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

bool
lock_owned(const struct lock_object *lo)
{
	return ((word(lo) & ~(uintptr_t)LK_WAITERS) == (uintptr_t)curthread);
}

enum lock_how
lock_held(const struct lock_object *lo)
{
	return (lock_owned(lo) ? LOCK_EXCL : LOCK_SHARED);
}

void
lock_destroy(struct lock_object *lo)
{
	if (!SCHEDULER_STOPPED() && word(lo) != 0)
		panic("%s: %s \"%s\" is held", __func__, lo->lo_class->lc_name,
		    lo->lo_name);
}

#ifndef NDEBUG
/* Which thread shares it is not known: so, whether this one may be among them. */
static bool
lock_shared(const struct lock_object *lo)
{
	return ((word(lo) & LK_SHARED) != 0 && curthread->td_rdlocks > 0);
}

/* Of each LA_*, what is wrong if it is not so. */
static const struct {
	unsigned int what;
	const char *words;
} claims[] = {
	{ LA_LOCKED, "not held" },
	{ LA_SLOCKED, "not shared" },
	{ LA_XLOCKED, "not owned" },
	{ LA_UNLOCKED, "held" },
	{ LA_RECURSED, "not recursed" },
	{ LA_NOTRECURSED, "recursed" },
};

/* The LA_* that are true of it. */
static unsigned int
lock_state(const struct lock_object *lo)
{
	unsigned int depth = lo->lo_depth > 0 ? LA_RECURSED : LA_NOTRECURSED;

	if (lock_owned(lo))
		return (LA_LOCKED | LA_XLOCKED | depth);
	if (lock_shared(lo))
		return (LA_LOCKED | LA_SLOCKED | LA_NOTRECURSED);
	return (LA_UNLOCKED | LA_NOTRECURSED);
}

void
lock_assert(const struct lock_object *lo, unsigned int what)
{
	unsigned int wrong;

	if (SCHEDULER_STOPPED())
		return;
	wrong = what & ~lock_state(lo);
	for (size_t i = 0; i < nitems(claims); i++) {
		if ((wrong & claims[i].what) != 0)
			panic("%s \"%s\" is %s", lo->lo_class->lc_name,
			    lo->lo_name, claims[i].words);
	}
}
#endif

/* ---- Without waiting ---- */

static bool
try_excl(struct lock_object *lo)
{
	uintptr_t old = word(lo);

	return ((old & ~(uintptr_t)LK_WAITERS) == 0 &&
	    swap(lo, old, old | (uintptr_t)curthread));
}

static bool
try_shared(struct lock_object *lo)
{
	for (;;) {
		uintptr_t old = word(lo);

		if (old != 0 && (old & LK_SHARED) == 0)
			return (false);
		if ((old & LK_WAITERS) != 0 && curthread->td_rdlocks == 0)
			return (false);
		if (swap(lo, old, (old | LK_SHARED) + LK_ONE))
			return (true);
	}
}

static bool
try_take(struct lock_object *lo, enum lock_how how)
{
	return (how == LOCK_EXCL ? try_excl(lo) : try_shared(lo));
}

/* false: sched_lock is needed, because threads wait. */
static bool
try_release(struct lock_object *lo, enum lock_how how)
{
	if (how == LOCK_EXCL)
		return (swap(lo, (uintptr_t)curthread, 0));
	for (;;) {
		uintptr_t old = word(lo);

		if (old == (LK_SHARED | LK_WAITERS | LK_ONE))
			return (false);
		if (swap(lo, old,
			old == (LK_SHARED | LK_ONE) ? 0 : old - LK_ONE))
			return (true);
	}
}

/* ---- Waiting: with sched_lock ---- */

/* What is slept on. */
static const void *
channel(const struct lock_object *lo)
{
	return ((const void *)(uintptr_t)&lo->lo_word);
}

/* Set LK_WAITERS.  false: the lock became free, and has been taken. */
static bool
must_wait(struct lock_object *lo, enum lock_how how)
{
	for (;;) {
		uintptr_t old;

		if (try_take(lo, how))
			return (false);
		old = word(lo);
		if ((old & ~(uintptr_t)LK_WAITERS) == 0)
			continue;
		if ((old & LK_WAITERS) != 0 || swap(lo, old, old | LK_WAITERS))
			return (true);
	}
}

/* NULL: it is free, or shared.  Once threads wait it changes with sched_lock only. */
static struct thread *
owner_of(const struct lock_object *lo)
{
	uintptr_t v = word(lo) & ~(uintptr_t)LK_WAITERS;

	return ((v & LK_SHARED) != 0 ? NULL : (struct thread *)v);
}

/* Sleep.  true: it has been taken; false: try again. */
static bool
wait_for(struct lock_object *lo, enum lock_how how)
{
	bool taken = true;

	mtx_lock_spin(&sched_lock);
	if (must_wait(lo, how)) {
		curthread->td_lockhow = how;
		sleepq_wait(channel(lo), lo->lo_name, owner_of(lo));
		taken = (lo->lo_class->lc_flags & LC_BARGE) == 0;
	}
	mtx_unlock_spin(&sched_lock);
	return (taken);
}

/* The first thread that does not want to share the lock, after *n that do. */
static const struct thread *
skip_sharers(const struct sleepqueue *sq, unsigned int *n)
{
	const struct thread *td;

	*n = 0;
	TAILQ_FOREACH(td, &sq->sq_blocked, td_runq) {
		if (td->td_lockhow != LOCK_SHARED)
			break;
		++*n;
	}
	return (td);
}

/*
 * The word of a lock that goes from this thread, which keeps a share of it if
 * kept is 1, to the first *n of the queue.
 */
static uintptr_t
next_word(const struct lock_object *lo, const struct sleepqueue *sq,
    unsigned int kept, unsigned int *n)
{
	const struct thread *rest = skip_sharers(sq, n);
	uintptr_t new;

	if (*n + kept > 0)
		new = LK_SHARED + (uintptr_t)(*n + kept) * LK_ONE;
	else {
		*n = 1;
		new = (lo->lo_class->lc_flags & LC_BARGE) != 0 ?
		    0 :
		    (uintptr_t)rest;
		rest = TAILQ_NEXT(rest, td_runq);
	}
	return (rest != NULL ? new | LK_WAITERS : new);
}

/*
 * Pass the lock, whose word is old, to those at the head of the queue.  false:
 * the word has changed.
 */
static bool
pass_on(struct lock_object *lo, uintptr_t old, unsigned int kept)
{
	struct sleepqueue *sq = sleepq_lookup(channel(lo));
	struct thread *owner;
	unsigned int n;

	KASSERT(sq != NULL, ("%s: \"%s\": none waits", __func__, lo->lo_name));
	if (!swap(lo, old, next_word(lo, sq, kept, &n)))
		return (false);
	owner = TAILQ_FIRST(&sq->sq_blocked);
	if (kept > 0 || owner->td_lockhow == LOCK_SHARED)
		owner = NULL;
	while (n-- > 0)
		sleepq_resume(sq, TAILQ_FIRST(&sq->sq_blocked), 0);
	if (!TAILQ_EMPTY(&sq->sq_blocked))
		turnstile_wait_for(sq, owner);
	return (true);
}

static void
release_locked(struct lock_object *lo, enum lock_how how)
{
	while (!try_release(lo, how)) {
		if (pass_on(lo, word(lo), 0))
			return;
	}
}

/* ---- What callers see ---- */

/* Does its owner take it again?  Then that is done. */
static bool
recurse(struct lock_object *lo, enum lock_how how)
{
	if (!lock_owned(lo))
		return (false);
	if (how == LOCK_SHARED)
		panic("%s \"%s\": shared by its owner", lo->lo_class->lc_name,
		    lo->lo_name);
	if ((lo->lo_flags & LO_RECURSABLE) == 0)
		panic("%s \"%s\": taken again by its owner",
		    lo->lo_class->lc_name, lo->lo_name);
	lo->lo_depth++;
	return (true);
}

static void
taken(struct lock_object *lo, enum lock_how how, const void *pc)
{
	if (how == LOCK_SHARED)
		curthread->td_rdlocks++;
	witness_lock(lo, pc);
	FAIL_POINT(FAIL_LOCK_HELD, lo);
}

/* It would be freed, or another CPU's: only then is there more to do than spin. */
static void
spin_while_owner_runs(const struct lock_object *lo)
{
	for (;;) {
		uintptr_t v = word(lo) & ~(uintptr_t)LK_WAITERS;
		const struct thread *owner = (const struct thread *)v;

		if (v == 0 || (v & LK_SHARED) != 0 || SCHEDULER_STOPPED())
			return;
		/* It may be gone.  Its memory is mapped, and a guess enough. */
		if (__atomic_load_n(&owner->td_oncpu, __ATOMIC_RELAXED) ==
		    NOCPU)
			return;
		cpu_spinwait();
	}
}

void
lock_take(struct lock_object *lo, enum lock_how how, const void *pc)
{
	if (SCHEDULER_STOPPED() || recurse(lo, how))
		return;
	witness_checkorder(lo, how);
	while (!try_take(lo, how)) {
		spin_while_owner_runs(lo);
		if (SCHEDULER_STOPPED())
			return;
		if (try_take(lo, how) || wait_for(lo, how))
			break;
	}
	taken(lo, how, pc);
}

bool
lock_try(struct lock_object *lo, enum lock_how how, const void *pc)
{
	if (SCHEDULER_STOPPED())
		return (true);
	if (lock_owned(lo)) {
		if (how == LOCK_SHARED || (lo->lo_flags & LO_RECURSABLE) == 0)
			return (false);
		lo->lo_depth++;
		return (true);
	}
	if (!try_take(lo, how))
		return (false);
	taken(lo, how, pc);
	return (true);
}

void
lock_release(struct lock_object *lo, enum lock_how how)
{
	if (SCHEDULER_STOPPED())
		return;
	lock_assert(lo, how == LOCK_EXCL ? LA_XLOCKED : LA_SLOCKED);
	if (how == LOCK_EXCL && lo->lo_depth > 0) {
		lo->lo_depth--;
		return;
	}
	witness_unlock(lo);
	if (how == LOCK_SHARED)
		curthread->td_rdlocks--;
	if (try_release(lo, how))
		return;
	mtx_lock_spin(&sched_lock);
	release_locked(lo, how);
	mtx_unlock_spin(&sched_lock);
}

/* This thread owns it now.  Those that have waited until others do lend to it. */
static void
lend_to_me(const struct lock_object *lo)
{
	mtx_lock_spin(&sched_lock);
	turnstile_wait_for(sleepq_lookup(channel(lo)), curthread);
	mtx_unlock_spin(&sched_lock);
}

bool
lock_try_upgrade(struct lock_object *lo)
{
	uintptr_t old;

	if (SCHEDULER_STOPPED())
		return (true);
	lock_assert(lo, LA_SLOCKED);
	do {
		old = word(lo);
		if ((old & ~(uintptr_t)LK_WAITERS) != (LK_SHARED | LK_ONE))
			return (false);
	} while (!swap(lo, old, (uintptr_t)curthread | (old & LK_WAITERS)));
	curthread->td_rdlocks--;
	if ((old & LK_WAITERS) != 0)
		lend_to_me(lo);
	return (true);
}

void
lock_downgrade(struct lock_object *lo)
{
	if (SCHEDULER_STOPPED())
		return;
	lock_assert(lo, LA_XLOCKED | LA_NOTRECURSED);
	curthread->td_rdlocks++;
	if (swap(lo, (uintptr_t)curthread, LK_SHARED | LK_ONE))
		return;
	mtx_lock_spin(&sched_lock);
	(void)pass_on(lo, word(lo), 1);
	mtx_unlock_spin(&sched_lock);
}

enum lock_how
lock_sleep_unlock(struct lock_object *lo)
{
	enum lock_how how = lock_held(lo);

	lock_assert(lo, LA_LOCKED | LA_NOTRECURSED);
	witness_unlock(lo);
	if (how == LOCK_SHARED)
		curthread->td_rdlocks--;
	release_locked(lo, how);
	return (how);
}

void
lock_sleep_lock(struct lock_object *lo, enum lock_how how)
{
	lock_take(lo, how, __builtin_return_address(0));
}
