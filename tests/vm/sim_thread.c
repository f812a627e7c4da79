/*
 * Threads of the simulated machine: of kernel/sys, what the kernel's own locks,
 * sleep queues and callouts stand on.
 *
 *	clock.h		hz, ticks: time passes when a test says so
 *	kdb.h		kdb_stuck()
 *	proc.h		curthread, by machine/kernel/machine/pcpu.h
 *	sched.h		sched_lock, sched_add(), sched_set_class(), mi_switch()
 *
 * A thread of the host has a struct thread from a pool, which it gives back when
 * it ends.  The pool stays: who spins for a lock may look at its former owner.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/vm/sim.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/kdb.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sleepqueue.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

#define POOL_SIZE 64

struct simthread {
	struct thread simt_thread;
	struct sleepqueue simt_queue;
	sem_t simt_ready;	/* posted for each sched_add() */
	bool simt_used;		/* (pool_mutex) */
	pthread_t simt_pthread; /* of sim_start(), as what follows */
	void (*simt_func)(void *arg);
	void *simt_arg;
};

static struct simthread pool[POOL_SIZE];
static pthread_mutex_t pool_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t pool_once = PTHREAD_ONCE_INIT;
static pthread_key_t pool_key; /* what sim_thread_begin() got this thread */

_Thread_local struct thread *sim_td;
struct mtx sched_lock = MTX_INITIALIZER("sched lock");
int hz = 100;
volatile int ticks;

static void
pool_put(void *arg)
{
	struct simthread *t = arg;

	pthread_mutex_lock(&pool_mutex);
	t->simt_used = false;
	pthread_mutex_unlock(&pool_mutex);
}

static void
pool_init(void)
{
	pthread_key_create(&pool_key, pool_put);
	for (int i = 0; i < POOL_SIZE; i++) {
		pool[i].simt_thread.td_tid = i + 1;
		sem_init(&pool[i].simt_ready, 0, 0);
	}
}

static struct simthread *
pool_get(void)
{
	struct simthread *t = pool;

	pthread_mutex_lock(&pool_mutex);
	while (t < pool + POOL_SIZE && t->simt_used)
		t++;
	if (t == pool + POOL_SIZE) {
		(void)fprintf(stderr, "more than %d threads\n", POOL_SIZE);
		abort();
	}
	t->simt_used = true;
	pthread_mutex_unlock(&pool_mutex);
	return (t);
}

/* Threads that spin for a lock look at whether its owner runs, not where. */
static void
set_oncpu(struct thread *td, int cpu)
{
	__atomic_store_n(&td->td_oncpu, cpu, __ATOMIC_RELAXED);
}

static void
pool_use(struct simthread *t)
{
	t->simt_thread.td_state = TDS_RUNNING;
	t->simt_thread.td_interrupt = 0;
	t->simt_thread.td_locks.ll_count = 0;
	t->simt_thread.td_rdlocks = 0;
	t->simt_thread.td_class = PRI_TIMESHARE;
	t->simt_thread.td_base_pri = PRI_MIN_TIMESHARE;
	t->simt_thread.td_priority = PRI_MIN_TIMESHARE;
	LIST_INIT(&t->simt_thread.td_contested);
	set_oncpu(&t->simt_thread, 0);
	sim_td = &t->simt_thread;
}

void
sim_set_running(bool running)
{
	set_oncpu(curthread, running ? 0 : NOCPU);
}

struct thread *
sim_thread_begin(void)
{
	struct simthread *t;

	pthread_once(&pool_once, pool_init);
	t = pool_get();
	pool_use(t);
	pthread_setspecific(pool_key, t);
	return (sim_td);
}

static void *
thread_main(void *arg)
{
	struct simthread *t = arg;

	pool_use(t);
	t->simt_func(t->simt_arg);
	return (NULL);
}

struct simthread *
sim_start(void (*func)(void *arg), void *arg)
{
	struct simthread *t;

	pthread_once(&pool_once, pool_init);
	t = pool_get();
	t->simt_func = func;
	t->simt_arg = arg;
	if (pthread_create(&t->simt_pthread, NULL, thread_main, t) != 0)
		abort();
	return (t);
}

void
sim_join(struct simthread *t)
{
	pthread_join(t->simt_pthread, NULL);
	pool_put(t);
}

struct thread *
sim_thread(struct simthread *t)
{
	return (&t->simt_thread);
}

bool
sim_thread_asleep(const struct thread *td)
{
	bool asleep;

	mtx_lock_spin(&sched_lock);
	asleep = td->td_wchan != NULL;
	mtx_unlock_spin(&sched_lock);
	return (asleep);
}

bool
sim_asleep(struct simthread *t)
{
	return (sim_thread_asleep(&t->simt_thread));
}

void
sim_wait_asleep(struct simthread *t)
{
	while (!sim_asleep(t))
		cpu_spinwait();
}

/*
 * Callouts and the threads' sleep queues, of which a machine that is switched
 * off leaves nothing.
 */
void
sim_threads_boot(void)
{
	SET_DECLARE(sysinit_set, const struct sysinit);
	const struct sysinit *const *si;

	(void)curthread;
	for (int i = 0; i < POOL_SIZE; i++) {
		sleepq_init(&pool[i].simt_queue);
		pool[i].simt_thread.td_sleepqueue = &pool[i].simt_queue;
	}
	SET_FOREACH(si, sysinit_set)
	{
		if ((*si)->subsystem == SI_SUB_CLOCKS)
			(*si)->func((*si)->udata);
	}
}

/*
 * The scheduler: each thread that is ready runs, on whichever CPU it finds when
 * it enters a critical section.
 */

void
sched_add(struct thread *td)
{
	mtx_assert(&sched_lock, MA_OWNED);
	td->td_state = TDS_RUNNING;
	sem_post(&((struct simthread *)td)->simt_ready);
}

void
sched_set_class(struct thread *td, enum pri_class c)
{
	td->td_class = c;
}

void
mi_switch(void)
{
	struct simthread *t = (struct simthread *)curthread;

	set_oncpu(&t->simt_thread, NOCPU);
	mtx_unlock_spin(&sched_lock);
	while (sem_wait(&t->simt_ready) != 0)
		continue;
	set_oncpu(&t->simt_thread, 0);
	mtx_lock_spin(&sched_lock);
}

void
sim_tick(int n)
{
	while (n-- > 0) {
		ticks++;
		callout_process();
	}
}

void
kdb_stuck(const char *what)
{
	(void)what;
}
