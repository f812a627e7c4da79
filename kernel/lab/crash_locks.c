/*
 * Crashes that the witness of locks makes of mistakes which would do harm only
 * now and then: "crash reversal" and its like.
 */
#include "kernel/lab/crash.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sx.h"
#include "kernel/sys/systm.h"

static struct mtx first_lock = MTX_INITIALIZER("first");
static struct mtx second_lock = MTX_INITIALIZER("second");
static struct mtx third_lock = MTX_INITIALIZER("third");
static struct mtx mutex = MTX_DEF_INITIALIZER("mutex");
static struct sx sx = SX_INITIALIZER("sx");

static __noinline void
take_both(struct mtx *one, struct mtx *other)
{
	mtx_lock_spin(one);
	mtx_lock_spin(other);
	mtx_unlock_spin(other);
	mtx_unlock_spin(one);
}

/* Not one function: each is to be in its stack. */
static __noinline void
earlier_order(void)
{
	take_both(&first_lock, &second_lock);
	take_both(&second_lock, &third_lock);
}

void
crash_reversal(void)
{
	earlier_order();
	take_both(&third_lock, &first_lock);
}

void
crash_spinsleep(void)
{
	mtx_lock_spin(&first_lock);
	pause("crash", 1);
}

void
crash_critsleep(void)
{
	critical_enter();
	pause("crash", 1);
}

static void
sleep_at_once(const void *arg)
{
	(void)arg;
	pause("crash", 1);
}

void
crash_intrsleep(void)
{
	fail_set(FAIL_TICK, sleep_at_once);
	pause("crash", 10 * hz);
}

static void
lock_at_once(const void *arg)
{
	(void)arg;
	fail_set(FAIL_NMI, NULL); /* by NMIs a panic stops the other CPUs */
	mtx_lock_spin(&first_lock);
}

void
crash_nmilock(void)
{
	fail_set(FAIL_NMI, lock_at_once);
	raise_nmi();
}

void
crash_spinblock(void)
{
	mtx_lock_spin(&first_lock);
	mtx_lock(&mutex);
}

void
crash_mtxsleep(void)
{
	mtx_lock(&mutex);
	pause("crash", 1);
}

void
crash_mtxsx(void)
{
	mtx_lock(&mutex);
	sx_slock(&sx);
}
