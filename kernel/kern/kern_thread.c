/*
 * Processes and threads: created, listed, freed.
 */
#include "kernel/machine/frame.h"
#include "kernel/machine/pcb.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/sleepqueue.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_kern.h"

#define TID_MIN 100001

struct proclist allproc = LIST_HEAD_INITIALIZER(allproc);
int nprocs = 1;

struct proc proc0 = {
	.p_threads = { &thread0, &thread0.td_plist.tqe_next },
	.p_refs = 1,
	.p_comm = "kernel",
};
struct thread thread0 = {
	.td_proc = &proc0,
	.td_plist = { NULL, &proc0.p_threads.tqh_first },
	.td_tid = TID_MIN - 1,
	.td_name = "swapper",
	.td_state = TDS_RUNNING,
	.td_class = PRI_TIMESHARE,
	.td_base_pri = PRI_MIN_TIMESHARE,
	.td_priority = PRI_MIN_TIMESHARE,
};

static MALLOC_DEFINE(M_PROC, "proc", "processes and threads");

/* The process of the CPUs' idle threads. */
static struct proc idleproc = { .p_comm = "idle" };

static int last_tid = TID_MIN - 1; /* (s) */
static int last_pid;		   /* (s) */
static TAILQ_HEAD(, thread) dead = TAILQ_HEAD_INITIALIZER(dead); /* (s) */

static struct thread *
thread_create(void (*func)(void *), void *arg)
{
	struct thread *td = malloc(sizeof(*td), M_PROC, M_WAITOK | M_ZERO);

	td->td_kstack =
	    (vm_offset_t)kmem_malloc_guarded(KSTACK_SIZE, M_WAITOK | M_ZERO);
	td->td_kstack_pages = KSTACK_PAGES;
	td->td_sleepqueue = sleepq_alloc();
	td->td_oncpu = NOCPU;
	td->td_lastcpu = NOCPU;
	td->td_boundcpu = NOCPU;
	td->td_class = PRI_TIMESHARE;
	td->td_base_pri = td->td_priority = PRI_MIN_TIMESHARE;
	/* It comes up holding sched_lock. */
	td->td_md_spinlock_count = 1;
	td->td_critnest = 1;
	witness_adopt(&td->td_locks, &sched_lock.lock_object, NULL);
	cpu_fork(td, func, arg);
	return (td);
}

/* Add td to the lists; if p is NULL, newp becomes its process.  Locked. */
static void
thread_link(struct thread *td, struct proc *p, struct proc *newp)
{
	if (p == NULL) {
		p = newp;
		p->p_pid = ++last_pid;
		TAILQ_INIT(&p->p_threads);
		LIST_INSERT_HEAD(&allproc, p, p_list);
		nprocs++;
	}
	td->td_tid = ++last_tid;
	td->td_proc = p;
	p->p_refs++;
	TAILQ_INSERT_TAIL(&p->p_threads, td, td_plist);
}

int
kproc_kthread_add(void (*func)(void *), void *arg, struct proc *p,
    struct thread **tdp, const char *comm, const char *fmt, ...)
{
	struct thread *td = thread_create(func, arg);
	struct proc *newp = NULL;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(td->td_name, sizeof(td->td_name), fmt, ap);
	va_end(ap);
	if (p == NULL) {
		newp = malloc(sizeof(*newp), M_PROC, M_WAITOK | M_ZERO);
		strlcpy(newp->p_comm, comm, sizeof(newp->p_comm));
	}

	mtx_lock_spin(&sched_lock);
	thread_link(td, p, newp);
	sched_add(td);
	mtx_unlock_spin(&sched_lock);
	if (tdp != NULL)
		*tdp = td;
	return (0);
}

void
kthread_create_idle(struct pcpu *pc)
{
	struct thread *td = thread_create(sched_idletd, pc);

	snprintf(td->td_name, sizeof(td->td_name), "idle: cpu%d", pc->pc_cpuid);
	td->td_idle = true;
	td->td_class = PRI_IDLE;
	td->td_base_pri = td->td_priority = PRI_MIN_IDLE;
	mtx_lock_spin(&sched_lock);
	thread_link(td, idleproc.p_refs == 0 ? NULL : &idleproc, &idleproc);
	td->td_state = TDS_RUNQ;
	mtx_unlock_spin(&sched_lock);
	pc->pc_idlethread = td;
}

/* Leave the lists; the reaper frees the thread, whose stack is still in use. */
void
kthread_exit(void)
{
	struct thread *td = curthread;

	mtx_lock_spin(&sched_lock);
	td->td_state = TDS_DEAD;
	TAILQ_REMOVE(&td->td_proc->p_threads, td, td_plist);
	TAILQ_INSERT_TAIL(&dead, td, td_runq);
	mi_switch();
	panic("%s: %s came back", __func__, td->td_name);
}

static void
thread_free(struct thread *td)
{
	struct proc *p = td->td_proc;
	bool last;

	mtx_lock_spin(&sched_lock);
	last = --p->p_refs == 0;
	if (last) {
		LIST_REMOVE(p, p_list);
		nprocs--;
	}
	mtx_unlock_spin(&sched_lock);
	if (last)
		free(p, M_PROC);
	callout_drain(&td->td_slpcallout);
	sleepq_free(td->td_sleepqueue);
	kmem_free_guarded((void *)td->td_kstack, KSTACK_SIZE);
	free(td, M_PROC);
}

static void
thread_reaper(void *arg)
{
	(void)arg;
	for (;;) {
		struct thread *td;

		mtx_lock_spin(&sched_lock);
		td = TAILQ_FIRST(&dead);
		if (td != NULL)
			TAILQ_REMOVE(&dead, td, td_runq);
		mtx_unlock_spin(&sched_lock);
		if (td != NULL)
			thread_free(td);
		else
			pause("reaper", hz / 10);
	}
}

struct thread *
tdfind(int tid)
{
	struct thread *td;
	struct proc *p;

	LIST_FOREACH(p, &allproc, p_list) {
		TAILQ_FOREACH(td, &p->p_threads, td_plist) {
			if (td->td_tid == tid)
				return (td);
		}
	}
	return (NULL);
}

static void
threads_init(const void *arg)
{
	(void)arg;
	LIST_INSERT_HEAD(&allproc, &proc0, p_list);
	thread0.td_oncpu = 0;
	thread0.td_boundcpu = NOCPU;
	thread0.td_sleepqueue = sleepq_alloc();
	kthread_create_idle(cpuid_to_pcpu[0]);
	kproc_kthread_add(thread_reaper, NULL, &proc0, NULL, NULL, "reaper");
}
SYSINIT(threads, SI_SUB_KTHREAD, SI_ORDER_FIRST, threads_init, NULL);
