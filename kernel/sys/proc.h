/*
 * Processes and threads.  All processes here are the kernel's own: there is no
 * user land yet, and a process is a name for a group of threads.
 *
 * Locks: (s) sched_lock, (c) constant after creation, (t) the thread itself.
 */
#ifndef KERNEL_SYS_PROC_H
#define KERNEL_SYS_PROC_H

#include "kernel/sys/callout.h"
#include "kernel/sys/lock.h"
#include "kernel/sys/param.h"
#include "kernel/sys/priority.h"
#include "kernel/sys/queue.h"

struct pcb;
struct runq;
struct sleepqueue;
struct trapframe;

enum td_state {
	TDS_INACTIVE, /* made, not yet started */
	TDS_RUNQ,
	TDS_RUNNING,
	TDS_SLEEPING,
	TDS_DEAD /* its stack waits for the reaper */
};

#define NOCPU (-1) /* td_oncpu: on none; td_boundcpu: on any */

struct thread {
	struct proc *td_proc;	      /* (c) */
	TAILQ_ENTRY(thread) td_plist; /* (s) of its process */
	TAILQ_ENTRY(thread) td_runq;  /* (s) run queue or sleep queue */
	int td_tid;		      /* (c) */
	char td_name[MAXCOMLEN + 1];  /* (c) */
	enum td_state td_state;	      /* (s) */
	struct runq *td_rq;	      /* (s) that it is in, or NULL */
	uint64_t td_rqstamp;	      /* (s) since when, in threads added */
	enum pri_class td_class;      /* (s) as which it is run */
	uint8_t td_base_pri;	      /* (s) its own priority */
	uint8_t td_priority;	      /* (s) that, or one that it borrows */
	/* (s) queues that wait for it, and lend it their class */
	LIST_HEAD(, sleepqueue) td_contested;
	int td_oncpu;		      /* (s) */
	int td_lastcpu;		      /* (s) */
	int td_boundcpu;	      /* (s) where it must run, or NOCPU */
	struct pcb *td_pcb;	      /* (c) at the top of its stack */
	struct trapframe *td_frame;   /* (c) what fork_trampoline leaves by */
	vm_offset_t td_kstack;	      /* (c) lowest address; guard below */
	int td_kstack_pages;	      /* (c) */
	const void *td_wchan;	      /* (s) what it sleeps on */
	const char *td_wmesg;	      /* (s) */
	/* (s) that it brings to a sleep; NULL while it sleeps */
	struct sleepqueue *td_sleepqueue;
	struct callout td_slpcallout; /* ends a sleep for a limited time */
	int td_wakeup_tick;	      /* (s) if td_timeout */
	int td_sleeperror;	      /* (s) what its last sleep returns */
	int td_interrupt;	      /* (s) the same of its next PCATCH */
	bool td_timeout;	      /* (s) sleeps for a limited time */
	bool td_catch;		      /* (s) sleeps with PCATCH */
	bool td_idle;		      /* (c) a CPU's idle thread */
	volatile bool td_needresched; /* its time is up */
	int td_critnest;	      /* (t) critical_enter() depth */
	volatile bool td_critleaf;    /* (t) in critical_enter_leaf() */
	int td_md_spinlock_count;     /* (t) spin mutexes held */
	uintptr_t td_md_saved_flags;  /* (t) of before the first of them */
	int td_intr_nesting_level;    /* (t) */
	int td_nmi_nesting_level;     /* (t) */
	struct lock_list td_locks;    /* (t) that it holds */
	unsigned int td_rdlocks;      /* (t) that it shares */
	enum lock_how td_lockhow;     /* (s) how it wants the one it waits for */
};

struct proc {
	LIST_ENTRY(proc) p_list;	/* (s) allproc, newest first */
	TAILQ_HEAD(, thread) p_threads; /* (s) */
	int p_refs;			/* (s) its threads, dead ones too */
	int p_pid;			/* (c) */
	char p_comm[MAXCOMLEN + 1];	/* (c) */
};

LIST_HEAD(proclist, proc);

extern struct proclist allproc; /* (s) */
extern int nprocs;		/* (s) */
extern struct proc proc0;
extern struct thread thread0;

/*
 * Start a thread of process p, or of a new process if p is NULL.  It ends when
 * func returns or calls kthread_exit().  0 or ENOMEM; *tdp may be NULL.
 */
int kproc_kthread_add(void (*func)(void *), void *arg, struct proc *p,
    struct thread **tdp, const char *comm, const char *fmt, ...)
    __printflike(6, 7);
void kthread_exit(void) __dead2;

/*
 * The machine's part of making a thread: fill in td_pcb and td_frame, at the top
 * of its stack, so that it begins with func(arg) when it is switched to.
 */
void cpu_fork(struct thread *td, void (*func)(void *), void *arg);

/* Make the thread that a CPU runs when there is nothing to run. */
struct pcpu;
void kthread_create_idle(struct pcpu *pc);

/* The thread with this id, NULL if there is none.  Not a reference. */
struct thread *tdfind(int tid);

#endif
