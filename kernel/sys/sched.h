/*
 * The scheduler: threads of a class take turns, and a better class comes first;
 * see priority.h.
 *
 * sched_lock guards it, the sleep queues and the lists of processes.  It is
 * held over a switch: the thread that is switched to releases it.
 */
#ifndef KERNEL_SYS_SCHED_H
#define KERNEL_SYS_SCHED_H

#include "kernel/sys/mutex.h"
#include "kernel/sys/proc.h"

extern struct mtx sched_lock;

/* Make a thread ready.  Locked. */
void sched_add(struct thread *td);

/* Run td as one of that class from now on, if it is ready.  Locked. */
void sched_set_class(struct thread *td, enum pri_class c);

/* Give td a priority of priority.h.  Locked. */
void sched_prio(struct thread *td, uint8_t pri);

/*
 * td has priority pri, or its own if pri is 0, until it next sleeps or lets
 * another thread run.  Locked.
 */
void sched_borrow(struct thread *td, uint8_t pri);

/* Run something else.  Locked; the caller has set its thread's state. */
void mi_switch(void);

/* Let another thread run; returns when it is our turn again. */
void kern_yield(void);

/*
 * Run on that CPU alone, from the return on.  false: it does not run threads,
 * and nothing has changed.
 */
bool sched_bind(int cpu);
/* Run on any, again. */
void sched_unbind(void);

/* From the clock of each CPU, in its interrupt. */
void sched_clock(void);

/* At the end of an interrupt: switch if the time is up and it is safe. */
void sched_preempt(void);

/* The loop of an idle CPU. */
void sched_idletd(void *arg) __dead2;

/* The first code of each thread, on fork_trampoline's stack. */
void fork_exit(void (*func)(void *), void *arg, struct trapframe *frame);

#endif
