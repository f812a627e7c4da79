/*
 * Callouts: a wheel of lists, one for each of the next WHEEL_SIZE ticks.
 *
 * A callout is in the list that its tick selects.  A tick looks at one list: at
 * what is due, and at what is due a whole number of turns later.
 */
#include "kernel/sys/callout.h"

#include "kernel/sys/clock.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/param.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

#define WHEEL_SIZE 256 /* a power of two */

static struct mtx callout_lock = MTX_INITIALIZER("callout");

static struct callout_list wheel[WHEEL_SIZE]; /* (callout_lock), as all here */
static struct callout_list expired;	      /* due, not called yet */
static int next_tick;			      /* the first not looked at */
static const struct callout *running;	      /* its handler is being called */

static void
callouts_init(const void *arg)
{
	(void)arg;
	for (size_t i = 0; i < WHEEL_SIZE; i++)
		TAILQ_INIT(&wheel[i]);
	TAILQ_INIT(&expired);
}
SYSINIT(callouts, SI_SUB_CLOCKS, SI_ORDER_SECOND, callouts_init, NULL);

static void
wheel_insert(struct callout_list *list, struct callout *c)
{
	TAILQ_INSERT_TAIL(list, c, call_links);
	c->call_list = list;
}

static bool
wheel_remove(struct callout *c)
{
	if (c->call_list == NULL)
		return (false);
	TAILQ_REMOVE(c->call_list, c, call_links);
	c->call_list = NULL;
	return (true);
}

void
callout_reset(struct callout *c, int to_ticks, void (*func)(void *arg),
    void *arg)
{
	mtx_lock_spin(&callout_lock);
	(void)wheel_remove(c);
	c->call_time = (int)((unsigned int)ticks +
	    (to_ticks > 0 ? (unsigned int)to_ticks : 1));
	c->call_func = func;
	c->call_arg = arg;
	wheel_insert(&wheel[(unsigned int)c->call_time % WHEEL_SIZE], c);
	mtx_unlock_spin(&callout_lock);
}

bool
callout_stop(struct callout *c)
{
	bool stopped;

	mtx_lock_spin(&callout_lock);
	stopped = wheel_remove(c);
	mtx_unlock_spin(&callout_lock);
	return (stopped);
}

void
callout_drain(struct callout *c)
{
	(void)callout_stop(c);
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) == c)
		cpu_spinwait();
}

/* Move what is due from the list of tick now to the expired ones. */
static void
expire(int now)
{
	struct callout_list *list = &wheel[(unsigned int)now % WHEEL_SIZE];
	struct callout *c, *next;

	TAILQ_FOREACH_SAFE(c, list, call_links, next) {
		if (c->call_time - now <= 0) {
			(void)wheel_remove(c);
			wheel_insert(&expired, c);
		}
	}
}

/* The lock is let go for each handler: it may take locks and use callouts. */
static void
run_expired(void)
{
	struct callout *c;

	while ((c = TAILQ_FIRST(&expired)) != NULL) {
		void (*func)(void *arg) = c->call_func;
		void *arg = c->call_arg;

		(void)wheel_remove(c);
		running = c;
		mtx_unlock_spin(&callout_lock);
		func(arg);
		mtx_lock_spin(&callout_lock);
		__atomic_store_n(&running, NULL, __ATOMIC_RELEASE);
	}
}

void
callout_process(void)
{
	mtx_lock_spin(&callout_lock);
	for (; next_tick - ticks <= 0; next_tick++)
		expire(next_tick);
	run_expired();
	mtx_unlock_spin(&callout_lock);
}
