/*
 * The scheduler: one run queue for all CPUs, and one for each CPU of the threads
 * that are bound to it; sched_runq.c says which of them is next.  A thread that
 * becomes ready goes to an idle CPU, or takes one from a thread of a worse class.
 *
 * A switch happens with sched_lock held and exactly one mutex deep.  The lock
 * is handed to the thread that comes up, which lets go of it, in mi_switch()
 * where it once went to sleep, or in fork_exit() if it is new.
 */
#include "kernel/sys/sched.h"

#include "kernel/machine/cpufunc.h"
#include "kernel/machine/pcb.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/runq.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"

/* How many ticks a thread may run while others wait. */
#define QUANTUM 2

struct mtx sched_lock = MTX_INITIALIZER("sched lock");

static struct runq runq;		/* (s) */
static struct runq bound[MAXCPU];	/* (s) */
static struct runq_share share[MAXCPU]; /* (s) */
static uint64_t switches;		/* (s) */

static void
runqs_init(const void *arg)
{
	(void)arg;
	runq_init(&runq);
	for (size_t i = 0; i < nitems(bound); i++)
		runq_init(&bound[i]);
}
SYSINIT(runqs, SI_SUB_CPU, SI_ORDER_SECOND, runqs_init, NULL);

/* Is there a thread for this CPU?  Without the lock: soon. */
static bool
is_runnable(void)
{
	return (!runq_is_empty(&bound[curcpu]) || !runq_is_empty(&runq));
}

/* A CPU that is idle, NOCPU if none is. */
static int
find_idle_cpu(void)
{
	int cpu;

	CPU_FOREACH(cpu) {
		const struct pcpu *pc = cpuid_to_pcpu[cpu];

		if (pc != NULL && pc->pc_idle && cpu != curcpu)
			return (cpu);
	}
	return (NOCPU);
}

/* The CPU that runs the thread of the worst class, if worse than td's. */
static int
find_worse_cpu(const struct thread *td)
{
	enum pri_class worst = td->td_class;
	int cpu, found = NOCPU;

	CPU_FOREACH(cpu) {
		const struct pcpu *pc = cpuid_to_pcpu[cpu];

		if (pc == NULL || !pc->pc_started ||
		    pc->pc_curthread->td_class <= worst)
			continue;
		worst = pc->pc_curthread->td_class;
		found = cpu;
	}
	return (found);
}

/* This CPU interrupts itself, for when interrupts are enabled again. */
static bool
can_interrupt_self(void)
{
	return (smp_started && curthread->td_intr_nesting_level == 0);
}

/* A thread is ready that a CPU may run: have it look. */
static void
notify(int cpu, const struct thread *td)
{
	struct thread *running = cpuid_to_pcpu[cpu]->pc_curthread;
	bool better = td->td_class < running->td_class;

	if (better)
		running->td_needresched = true;
	if (cpu != curcpu || (better && can_interrupt_self()))
		ipi_preempt(cpu);
}

static void
make_ready(struct thread *td)
{
	int cpu = td->td_boundcpu;

	runq_add(cpu != NOCPU ? &bound[cpu] : &runq, td);
	if (cpu == NOCPU)
		cpu = find_idle_cpu();
	if (cpu == NOCPU)
		cpu = find_worse_cpu(td);
	if (cpu != NOCPU)
		notify(cpu, td);
}

void
sched_add(struct thread *td)
{
	mtx_assert(&sched_lock, MA_OWNED);
	td->td_state = TDS_RUNQ;
	if (!td->td_idle)
		make_ready(td);
}

void
sched_set_class(struct thread *td, enum pri_class c)
{
	bool ready = td->td_rq != NULL;

	if (td->td_class == c)
		return;
	if (ready)
		runq_remove(td);
	td->td_class = c;
	if (ready)
		make_ready(td);
}

static struct thread *
sched_choose(void)
{
	struct thread *td = runq_choose(&bound[curcpu], &runq, &share[curcpu]);

	return (td != NULL ? td : get_pcpu()->pc_idlethread);
}

void
mi_switch(void)
{
	struct thread *td = curthread;
	struct thread *next;

	mtx_assert(&sched_lock, MA_OWNED);
	KASSERT(td->td_md_spinlock_count == 1,
	    ("%s: %s holds %d mutexes", __func__, td->td_name,
		td->td_md_spinlock_count));
	next = sched_choose();
	td->td_needresched = false;
	if (next != td) {
		td->td_lastcpu = td->td_oncpu;
		td->td_oncpu = NOCPU;
		next->td_oncpu = curcpu;
		next->td_state = TDS_RUNNING;
		get_pcpu()->pc_curthread = next;
		get_pcpu()->pc_idle = false;
		switches++;
		mtx_handoff(&sched_lock, next);
		cpu_switch(td->td_pcb, next->td_pcb);
	} else
		td->td_state = TDS_RUNNING;
}

void
kern_yield(void)
{
	mtx_lock_spin(&sched_lock);
	sched_borrow(curthread, 0);
	sched_add(curthread);
	mi_switch();
	mtx_unlock_spin(&sched_lock);
}

bool
sched_bind(int cpu)
{
	const struct pcpu *pc = cpuid_to_pcpu[cpu];

	if (pc == NULL || !pc->pc_started)
		return (false);
	mtx_lock_spin(&sched_lock);
	curthread->td_boundcpu = cpu;
	if (cpu != curcpu) {
		sched_add(curthread);
		mi_switch();
	}
	mtx_unlock_spin(&sched_lock);
	return (true);
}

void
sched_unbind(void)
{
	mtx_lock_spin(&sched_lock);
	curthread->td_boundcpu = NOCPU;
	mtx_unlock_spin(&sched_lock);
}

void
sched_clock(void)
{
	struct thread *td = curthread;

	if ((td->td_idle || ticks % QUANTUM == 0) && is_runnable())
		td->td_needresched = true;
}

void
sched_preempt(void)
{
	struct thread *td = curthread;

	if (td->td_needresched && td->td_critnest == 0 && !td->td_critleaf &&
	    !SCHEDULER_STOPPED())
		kern_yield();
}

void
sched_idletd(void *arg)
{
	struct pcpu *pc = arg;

	for (;;) {
		disable_intr();
		pc->pc_idle = true;
		if (!is_runnable())
			idle_halt();
		pc->pc_idle = false;
		enable_intr();
		if (is_runnable())
			kern_yield();
	}
}

void
fork_exit(void (*func)(void *), void *arg, struct trapframe *frame)
{
	struct thread *td = curthread;

	(void)frame;
	/* sched_lock came with the switch; interrupts start enabled. */
	td->td_md_saved_flags = PSL_I;
	mtx_unlock_spin(&sched_lock);
	func(arg);
	kthread_exit();
}
