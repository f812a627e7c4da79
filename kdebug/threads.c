/*
 * The list of threads, and each thread's registers.  A kernel that has no list
 * has the threads of cputhreads.c.
 *
 * allproc -> struct proc -> p_list -> ...         (zombproc likewise, if any)
 *               p_threads -> struct thread -> td_plist -> ...
 *
 * A thread's registers are in one of three places: dumppcb if it is the one
 * that dumped, stoppcbs if its CPU was stopped, the pcb on its own stack if it
 * was switched out.  A thread on a CPU that was not stopped has none, unless a
 * hypervisor knows them: its pcb tells of the last time that it was switched
 * out.
 */
#include <string.h>

#include "kdebug/kdebug_int.h"

/* MAXCOMLEN + 1, of p_comm and td_name. */
#define NAME_LEN 20

/*
 * Numbers that FreeBSD gives: threads' begin where those of processes end.
 * Source: PID_MAX in sys/sys/proc.h, TID_MIN in sys/kern/kern_thread.c.
 */
#define PID_MAX 99999
#define TID_MIN (PID_MAX + 1)
#define TID_MAX INT32_MAX

/* td_oncpu of a thread on no CPU, in its older form of one byte. */
#define NOCPU_BYTE 255

struct thread_walk {
	struct kdebug *thw_kdb;
	struct addrset thw_procs; /* seen */
	struct addrset thw_tds;	  /* seen */
	uint32_t thw_dumptid;	  /* 0: none */
	kvaddr_t thw_dumppcb_va;  /* 0: unknown */
	size_t thw_nunstopped;	  /* threads on CPUs that were not stopped */
};

/* Facts that the threads of a process share. */
struct proc {
	kvaddr_t pr_va;
	int pr_pid;
	const char *pr_comm;
	bool pr_exited;
};

static kvaddr_t
field(const struct thread_walk *wk, kvaddr_t va, enum layout_const which)
{
	return (va + wk->thw_kdb->kdb_layout.kl_const[which]);
}

static bool
has_field(const struct thread_walk *wk, enum layout_const which)
{
	return (wk->thw_kdb->kdb_layout.kl_const[which] != LAYOUT_NONE);
}

/* Mark an element of a list as seen.  false: the list must end here. */
static bool
enter(struct thread_walk *wk, struct addrset *seen, kvaddr_t va,
    const char *list)
{
	if (seen->as_count >= THREADS_MAX) {
		kdb_note(wk->thw_kdb, "%s: ended after %d elements", list,
		    THREADS_MAX);
		return (false);
	}
	switch (addrset_add(seen, va)) {
	case ADDRSET_ADDED:
		return (true);
	case ADDRSET_SEEN:
		kdb_note(wk->thw_kdb, "%s: runs in a circle at %#jx", list,
		    (uintmax_t)va);
		return (false);
	case ADDRSET_NOMEM:
		break;
	}
	kdb_note(wk->thw_kdb, "%s: out of memory", list);
	return (false);
}

static const char *
read_name(struct kdebug *kdb, kvaddr_t va)
{
	char name[NAME_LEN];
	const char *text;

	text = arena_text(&kdb->kdb_arena, name,
	    mem_string(kdb, va, name, sizeof(name)));
	return (text != NULL ? text : "");
}

/* The CPU that struct thread names; -1: none. */
static int
read_oncpu(const struct thread_walk *wk, kvaddr_t td_va)
{
	struct kdebug *kdb = wk->thw_kdb;
	uint32_t oncpu;

	if (!has_field(wk, LO_TD_ONCPU) ||
	    !mem_u32(kdb, field(wk, td_va, LO_TD_ONCPU), &oncpu))
		return (-1);
	if (oncpu < kdb->kdb_cpus.cp_max)
		return ((int)oncpu);
	if (oncpu == UINT32_MAX)
		return (-1);

	/* No CPU by that number: the field has one byte in this kernel. */
	oncpu = kdb->kdb_core->kc_order == ORDER_LITTLE ? oncpu & 0xff :
							  oncpu >> 24;
	return (oncpu == NOCPU_BYTE || oncpu >= kdb->kdb_cpus.cp_max ?
		-1 :
		(int)oncpu);
}

/*
 * Read t's registers from the pcb at va.  false: the pcb is all zeros, because
 * it was never filled in.
 */
static bool
read_regs(struct kdebug *kdb, struct kdebug_thread *t, kvaddr_t va)
{
	enum pcb_state state = threadlist_regs(kdb, t, va);

	if (state == PCB_MISSING && kdb->kdb_arch != NULL)
		kdb_note(kdb,
		    "thread %d: no registers: its pcb at %#jx is not in the dump",
		    t->kt_tid, (uintmax_t)va);
	return (state != PCB_EMPTY);
}

/* The thread that dumped. */
static void
read_dumper(const struct thread_walk *wk, struct kdebug_thread *t)
{
	struct kdebug *kdb = wk->thw_kdb;

	t->kt_dumped = true;
	t->kt_state = threadlist_dumper_state(kdb);
	(void)read_regs(kdb, t, wk->thw_dumppcb_va);
}

/*
 * A CPU that did not save its registers was not stopped either.  One whose
 * registers the hypervisor gives was stopped by the hypervisor.
 */
static void
read_running(struct thread_walk *wk, struct kdebug_thread *t)
{
	struct kdebug *kdb = wk->thw_kdb;
	unsigned int cpu = (unsigned int)t->kt_cpu;
	bool stopped;

	if (cpus_stopped(kdb, cpu))
		stopped = read_regs(kdb, t, cpus_stoppcb(kdb, cpu));
	else
		stopped = cpus_vcpu_regs(kdb, cpu, &t->kt_regs);
	t->kt_state = KDEBUG_RUNNING;
	t->kt_unstopped = !stopped;
	if (t->kt_unstopped)
		wk->thw_nunstopped++;
}

static void
read_context(struct thread_walk *wk, struct kdebug_thread *t)
{
	struct kdebug *kdb = wk->thw_kdb;
	kvaddr_t pcb_va = 0;

	t->kt_cpu = cpus_of_thread(kdb, t->kt_td, read_oncpu(wk, t->kt_td));
	if (wk->thw_dumptid != 0 && (uint32_t)t->kt_tid == wk->thw_dumptid) {
		read_dumper(wk, t);
	} else if (t->kt_cpu >= 0) {
		read_running(wk, t);
	} else {
		t->kt_state = KDEBUG_STOPPED;
		(void)mem_word(kdb, field(wk, t->kt_td, LO_TD_PCB), &pcb_va);
		(void)read_regs(kdb, t, pcb_va);
	}
}

/* A thread on no CPU: the kernel's state of it, or of its zombie process. */
static void
read_run(struct kdebug *kdb, const struct proc *pr, struct kdebug_thread *t)
{
	if (t->kt_state != KDEBUG_STOPPED)
		t->kt_run = KDEBUG_RUN_RUNNING;
	else if (pr->pr_exited)
		t->kt_run = KDEBUG_RUN_EXITED;
	else
		t->kt_run = runstate_of(kdb, t->kt_td);
	t->kt_wmesg = runstate_wmesg(kdb, t->kt_td, t->kt_run);
}

/* Add the thread at td_va.  false: it cannot be read, or there is no memory. */
static bool
read_thread(struct thread_walk *wk, const struct proc *pr, kvaddr_t td_va)
{
	struct kdebug *kdb = wk->thw_kdb;
	struct kdebug_thread t = {
		.kt_pid = pr->pr_pid,
		.kt_comm = pr->pr_comm,
		.kt_name = pr->pr_comm,
		.kt_proc = pr->pr_va,
		.kt_td = td_va,
	};
	uint32_t tid;

	if (!mem_u32(kdb, field(wk, td_va, LO_TD_TID), &tid) || tid < TID_MIN ||
	    tid > TID_MAX) {
		kdb_note(kdb, "thread list of pid %d: broken at %#jx",
		    pr->pr_pid, (uintmax_t)td_va);
		return (false);
	}
	t.kt_tid = (int)tid;
	if (has_field(wk, LO_TD_NAME))
		t.kt_name = read_name(kdb, field(wk, td_va, LO_TD_NAME));
	read_context(wk, &t);
	read_run(kdb, pr, &t);
	return (threadlist_add(kdb, &t));
}

static void
walk_threads(struct thread_walk *wk, const struct proc *pr)
{
	struct kdebug *kdb = wk->thw_kdb;
	kvaddr_t link_va = field(wk, pr->pr_va, LO_P_THREADS);
	kvaddr_t td_va;

	for (;;) {
		if (!mem_word(kdb, link_va, &td_va)) {
			kdb_note(kdb, "thread list of pid %d: broken at %#jx",
			    pr->pr_pid, (uintmax_t)link_va);
			return;
		}
		if (td_va == 0 ||
		    !enter(wk, &wk->thw_tds, td_va, "thread list") ||
		    !read_thread(wk, pr, td_va))
			return;
		link_va = field(wk, td_va, LO_TD_PLIST);
	}
}

/* List the processes after the head that the symbol names. */
static void
walk_procs(struct thread_walk *wk, const char *symbol, kvaddr_t head_va)
{
	struct kdebug *kdb = wk->thw_kdb;
	kvaddr_t link_va = head_va;
	struct proc pr;
	uint32_t pid;

	for (;;) {
		if (!mem_word(kdb, link_va, &pr.pr_va)) {
			kdb_note(kdb, "%s: broken at %#jx", symbol,
			    (uintmax_t)link_va);
			return;
		}
		if (pr.pr_va == 0 ||
		    !enter(wk, &wk->thw_procs, pr.pr_va, symbol))
			return;
		if (!mem_u32(kdb, field(wk, pr.pr_va, LO_P_PID), &pid) ||
		    pid > PID_MAX) {
			kdb_note(kdb, "%s: broken at %#jx", symbol,
			    (uintmax_t)pr.pr_va);
			return;
		}
		pr.pr_pid = (int)pid;
		pr.pr_comm = read_name(kdb, field(wk, pr.pr_va, LO_P_COMM));
		pr.pr_exited = runstate_exited(kdb, pr.pr_va);
		walk_threads(wk, &pr);
		link_va = field(wk, pr.pr_va, LO_P_LIST);
	}
}

/*
 * Does the kernel export what the lists cannot be walked without?  The first
 * that is missing is named: with another kernel's file all are.
 */
static bool
can_walk(const struct thread_walk *wk)
{
	static const enum layout_const needed[] = {
		LO_P_PID,
		LO_P_COMM,
		LO_P_LIST,
		LO_P_THREADS,
		LO_TD_TID,
		LO_TD_PCB,
		LO_TD_PLIST,
	};

	for (size_t i = 0; i < NITEMS(needed); i++) {
		if (!has_field(wk, needed[i])) {
			kdb_note(wk->thw_kdb,
			    "no threads: the kernel does not export %s",
			    layout_name(needed[i]));
			return (false);
		}
	}
	return (true);
}

static void
note_unstopped(const struct thread_walk *wk)
{
	if (wk->thw_nunstopped == 1)
		kdb_note(wk->thw_kdb,
		    "no registers of 1 thread: its CPU was not stopped");
	else if (wk->thw_nunstopped != 0)
		kdb_note(wk->thw_kdb,
		    "no registers of %zu threads: their CPUs were not stopped",
		    wk->thw_nunstopped);
}

/* Walk the kernel's lists, which begin at allproc. */
static void
walk_lists(struct kdebug *kdb, kvaddr_t allproc)
{
	struct thread_walk wk = { .thw_kdb = kdb };
	kvaddr_t zombproc, va;

	if (!can_walk(&wk))
		return;
	cpus_load(kdb);
	runstate_load(kdb);
	(void)layout_symbol(kdb, "dumppcb", &wk.thw_dumppcb_va);
	if (layout_symbol(kdb, "dumptid", &va) &&
	    !mem_u32(kdb, va, &wk.thw_dumptid))
		kdb_note(kdb, "dumptid: not in the dump");

	walk_procs(&wk, "allproc", allproc);
	if (layout_symbol(kdb, "zombproc", &zombproc))
		walk_procs(&wk, "zombproc", zombproc);
	note_unstopped(&wk);
	addrset_fini(&wk.thw_procs);
	addrset_fini(&wk.thw_tds);
}

static void
threads_load(struct kdebug *kdb)
{
	kvaddr_t allproc;

	if (!cputhreads_all(kdb) && layout_symbol(kdb, "allproc", &allproc))
		walk_lists(kdb, allproc);
	else
		cputhreads_load(kdb);
}

size_t
kdebug_threads(struct kdebug *kdb, const struct kdebug_thread **threads)
{
	struct threads *ts = &kdb->kdb_threads;

	if (!ts->ts_done && kdb->kdb_core != NULL)
		threads_load(kdb);
	ts->ts_done = true;
	*threads = ts->ts_list;
	return (ts->ts_count);
}

const struct kdebug_thread *
kdebug_dumper(struct kdebug *kdb)
{
	const struct kdebug_thread *threads;
	size_t n = kdebug_threads(kdb, &threads);

	for (size_t i = 0; i < n; i++) {
		if (threads[i].kt_dumped)
			return (&threads[i]);
	}
	return (NULL);
}

const char *
kdebug_state_name(enum kdebug_state state)
{
	switch (state) {
	case KDEBUG_CRASHED:
		return ("crashed");
	case KDEBUG_RUNNING:
		return ("running");
	case KDEBUG_STOPPED:
		break;
	}
	return ("stopped");
}
