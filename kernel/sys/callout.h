/*
 * Functions that the clock calls later: callout(9).
 *
 * The handler runs in the clock's interrupt on CPU 0.  It may take spin mutexes
 * and start its callout again, and may not sleep.
 */
#ifndef KERNEL_SYS_CALLOUT_H
#define KERNEL_SYS_CALLOUT_H

#include <stdbool.h>

#include "kernel/sys/queue.h"

struct callout;
TAILQ_HEAD(callout_list, callout);

/* All zeros: not pending. */
struct callout {
	TAILQ_ENTRY(callout) call_links;
	struct callout_list
	    *call_list; /* the list it is in; NULL: not pending */
	int call_time;	/* the tick it is due at */
	void (*call_func)(void *arg);
	void *call_arg;
};

/* Call func(arg) after to_ticks ticks, at least one; not at an earlier time. */
void callout_reset(struct callout *c, int to_ticks, void (*func)(void *arg),
    void *arg);

/* Forget it.  false: it was not pending; its handler may be running. */
bool callout_stop(struct callout *c);

/* Forget it, and return when its handler no longer runs. */
void callout_drain(struct callout *c);

/* Run what is due.  From the clock of CPU 0. */
void callout_process(void);

#endif
