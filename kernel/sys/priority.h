/*
 * Priorities of threads: FreeBSD's numbers, of which the lowest runs first.
 *
 * What counts is the class that a number is in.  There is a run queue for each,
 * and threads of one class take turns.  A class that has to wait for a better one
 * gets a share all the same; see sched_runq.c.
 */
#ifndef KERNEL_SYS_PRIORITY_H
#define KERNEL_SYS_PRIORITY_H

#include <stdint.h>

/* The best first. */
enum pri_class {
	PRI_KERN,      /* daemons, and threads that were woken as if in one */
	PRI_TIMESHARE, /* all others */
	PRI_IDLE,      /* what can wait until there is nothing else to do */
	PRI_NCLASSES
};

#define PRI_MIN_KERN	  80
#define PRI_MIN_TIMESHARE 120
#define PRI_MIN_IDLE	  224

/* Of PRI_KERN, by what a thread does or sleeps for. */
#define PVM    (PRI_MIN_KERN + 4)  /* pages, maps and objects */
#define PRIBIO (PRI_MIN_KERN + 12) /* a disk */

static inline enum pri_class
pri_class_of(uint8_t pri)
{
	if (pri < PRI_MIN_TIMESHARE)
		return (PRI_KERN);
	return (pri < PRI_MIN_IDLE ? PRI_TIMESHARE : PRI_IDLE);
}

#endif
