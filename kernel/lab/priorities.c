/*
 * Threads of all classes, from the shell: "turns N ROUNDS" has those that never
 * sleep take turns, "lend" has one lend its class, "preempt" wakes a better one.
 */
#include "kernel/machine/pcpu.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/systm.h"

static const uint8_t priorities[PRI_NCLASSES] = { PVM, PRI_MIN_TIMESHARE,
	PRI_MIN_IDLE };

static struct mtx done_mtx = MTX_DEF_INITIALIZER("priorities done");
static uint64_t nrunning; /* (done_mtx) */

static void
set_own_class(enum pri_class c)
{
	mtx_lock_spin(&sched_lock);
	sched_prio(curthread, priorities[c]);
	mtx_unlock_spin(&sched_lock);
	kern_yield();
}

static void
start(void (*func)(void *), uintptr_t arg, const char *name)
{
	mtx_lock(&done_mtx);
	nrunning++;
	mtx_unlock(&done_mtx);
	(void)kproc_kthread_add(func, (void *)arg, NULL, NULL, "priorities",
	    "%s %ju", name, (uintmax_t)arg);
}

static void
finish(void)
{
	mtx_lock(&done_mtx);
	if (--nrunning == 0)
		wakeup(&nrunning);
	mtx_unlock(&done_mtx);
}

static void
wait_for_all(void)
{
	mtx_lock(&done_mtx);
	while (nrunning > 0)
		(void)msleep(&nrunning, &done_mtx, 0, "prio", 0);
	mtx_unlock(&done_mtx);
}

/* ---- Turns ---- */

static uint64_t rounds;		     /* of a thread that is idle */
static uint64_t turns[PRI_NCLASSES]; /* atomic */
static uint64_t idle_left;	     /* atomic: threads that want more turns */

/* Until all idle threads have had their rounds, none of the others ends. */
static void
take_turns(void *arg)
{
	enum pri_class c = (enum pri_class)((uintptr_t)arg % PRI_NCLASSES);
	uint64_t n = 0;

	set_own_class(c);
	while (__atomic_load_n(&idle_left, __ATOMIC_RELAXED) > 0) {
		__atomic_fetch_add(&turns[c], 1, __ATOMIC_RELAXED);
		if (c == PRI_IDLE && ++n == rounds)
			__atomic_fetch_sub(&idle_left, 1, __ATOMIC_RELAXED);
		kern_yield();
	}
	finish();
}

static void
sh_turns(const char *args)
{
	uint64_t n = strtouq(args, &args);

	while (*args == ' ')
		args++;
	rounds = strtouq(args, &args);
	memset(turns, 0, sizeof(turns));
	idle_left = n;
	for (uintptr_t i = 0; i < n * PRI_NCLASSES; i++)
		start(take_turns, i, "turns");
	wait_for_all();
	printf("turns: kernel %ju, timeshare %ju, idle %ju\n",
	    (uintmax_t)turns[PRI_KERN], (uintmax_t)turns[PRI_TIMESHARE],
	    (uintmax_t)turns[PRI_IDLE]);
}
COMMAND(turns, "turns", CMD_SHELL, sh_turns,
    "N ROUNDS: N busy threads of each class, until each has had ROUNDS turns");

/* ---- Lending ---- */

static struct mtx lent_mtx = MTX_DEF_INITIALIZER("priorities lent");
static struct thread *volatile lender;
static volatile bool owned;

static void
lend(void *arg)
{
	(void)arg;
	set_own_class(PRI_KERN);
	lender = curthread;
	mtx_lock(&lent_mtx);
	mtx_unlock(&lent_mtx);
	finish();
}

static enum pri_class
own_class(void)
{
	enum pri_class c;

	mtx_lock_spin(&sched_lock);
	c = curthread->td_class;
	mtx_unlock_spin(&sched_lock);
	return (c);
}

/* Owns the lock until the other sleeps for it. */
static void
be_lent(void *arg)
{
	enum pri_class before, meanwhile;

	(void)arg;
	set_own_class(PRI_IDLE);
	mtx_lock(&lent_mtx);
	before = own_class();
	owned = true;
	while (lender == NULL ||
	    lender->td_wchan != &lent_mtx.lock_object.lo_word)
		kern_yield();
	meanwhile = own_class();
	mtx_unlock(&lent_mtx);
	printf("lend: class %d, then %d, and %d after\n", before, meanwhile,
	    own_class());
	finish();
}

static void
sh_lend(const char *args)
{
	(void)args;
	lender = NULL;
	owned = false;
	start(be_lent, 0, "borrower");
	while (!owned)
		kern_yield();
	start(lend, 0, "lender");
	wait_for_all();
}
COMMAND(lend, "lend", CMD_SHELL, sh_lend,
    "a thread lends its class to another that owns a lock");

/* ---- Preemption ---- */

static const char preempted; /* to be slept on */
static volatile bool asleep, awake;

static void
be_woken(void *arg)
{
	(void)sched_bind((int)(uintptr_t)arg);
	set_own_class(PRI_KERN);
	asleep = true;
	(void)tsleep(&preempted, 0, "woken", 0);
	awake = true;
	finish();
}

/* Has it run on this CPU when wakeup() is over? */
static void
sh_preempt(const char *args)
{
	int cpu = curcpu;

	(void)args;
	(void)sched_bind(cpu);
	asleep = awake = false;
	start(be_woken, (uintptr_t)cpu, "woken");
	while (!asleep)
		kern_yield();
	wakeup(&preempted);
	printf("preempt: %s\n", awake ? "at once" : "later");
	wait_for_all();
	sched_unbind();
}
COMMAND(preempt, "preempt", CMD_SHELL, sh_preempt,
    "wake a thread of a better class on the same CPU");
