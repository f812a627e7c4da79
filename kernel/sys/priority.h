/*
 * Priorities of threads, by class.
 *
 * There is a run queue for each class, and threads of one class take turns.  A
 * class that has to wait for a better one gets a share all the same; see
 * sched_runq.c.
 */
#ifndef KERNEL_SYS_PRIORITY_H
#define KERNEL_SYS_PRIORITY_H

/* The best first. */
enum pri_class {
	PRI_KERN,      /* daemons, and threads that were woken as if in one */
	PRI_TIMESHARE, /* all others */
	PRI_IDLE,      /* what can wait until there is nothing else to do */
	PRI_NCLASSES
};

#endif
