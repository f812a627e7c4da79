/*
 * Progress of long work, on the standard error.  If that is a terminal, work
 * that takes longer than a second shows a bar.  SIGUSR1, and SIGINFO (Ctrl-T)
 * where it exists, print a line, as in dd(1).
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "libkvm/kvm_core.h"

/* Bytes of a name that are shown, with a NUL: a bar fits into 80 columns. */
#define PROGRESS_NAME_MAX 31

struct progress {
	const char *pr_verb;		 /* "unpacking" */
	char pr_what[PROGRESS_NAME_MAX]; /* the end of a path, escaped */
	bool pr_terminal;
	bool pr_shown;		 /* there is a bar to take away */
	struct timespec pr_next; /* when it is to be drawn again */

	/* For the signal handler. */
	volatile sig_atomic_t pr_percent;
	volatile sig_atomic_t pr_total; /* MB */
};

/*
 * Start to answer those signals, with the command's name, for how long it has
 * been running and, between progress_start() and progress_end(), the progress.
 * command is borrowed for the life of the program.
 */
void progress_signals(const char *command);

/*
 * verb is the caller's until progress_end(); of what, a path, the last part is
 * shown.
 */
void progress_start(struct progress *pr, const char *verb, const char *what);

/* done of total bytes.  As kpr_report of a kvm_progress; arg is pr. */
void progress_report(void *arg, uint64_t done, uint64_t total);

/* Take the bar away. */
void progress_end(struct progress *pr);

#endif
