/*
 * A progress bar on the standard error, for work that takes longer than a
 * second.  Nothing is shown unless that is a terminal.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <time.h>

#include "libkvm/kvm_core.h"

struct progress {
	const char *pr_verb; /* "unpacking" */
	const char *pr_what; /* a path; its last part is shown */
	bool pr_terminal;
	bool pr_shown;		 /* there is a bar to take away */
	struct timespec pr_next; /* when it is to be drawn again */
};

/* Both strings are the caller's until progress_end(). */
void progress_start(struct progress *pr, const char *verb, const char *what);

/* done of total bytes.  As kp_report of a kvm_progress; arg is pr. */
void progress_report(void *arg, uint64_t done, uint64_t total);

/* Take the bar away. */
void progress_end(struct progress *pr);

#endif
