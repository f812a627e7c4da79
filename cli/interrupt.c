/*
 * Signals that wait until the program has cleaned up: see interrupt.h.
 */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>

static const int held[] = { SIGHUP, SIGINT, SIGTERM };
#define NHELD (sizeof(held) / sizeof(held[0]))

static struct sigaction before[NHELD];
static bool holding;
static volatile sig_atomic_t came;

static void
note(int sig)
{
	came = sig;
}

void
interrupt_hold(void)
{
	struct sigaction act = { .sa_handler = note };

	(void)sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < NHELD; i++) {
		(void)sigaction(held[i], NULL, &before[i]);
		/* A signal that nohup(1) ignores stays ignored. */
		if (before[i].sa_handler != SIG_IGN)
			(void)sigaction(held[i], &act, NULL);
	}
	holding = true;
}

bool
interrupt_came(void)
{
	return (came != 0);
}

void
interrupt_release(void)
{
	if (!holding)
		return;
	for (size_t i = 0; i < NHELD; i++)
		(void)sigaction(held[i], &before[i], NULL);
	holding = false;
	if (came != 0) {
		(void)fflush(stdout);
		(void)raise(came);
	}
}
