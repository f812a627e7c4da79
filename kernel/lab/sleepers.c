/*
 * Threads that sleep until they are woken, by the thousand: "sleepers N" in the
 * shell starts them, times wakeups among them, and ends them.
 */
#include "kernel/lab/bench.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"

#define NCHANS	16
#define WAKEUPS 1000 /* that are timed together */

/* What is slept on: sleeper i has channels[i % NCHANS]. */
static const char channels[NCHANS];

static struct thread **sleepers;
static uint64_t nawake; /* atomic: sleepers that were woken */

static MALLOC_DEFINE(M_SLEEPERS, "sleepers", "their threads");

static const void *
channel(uint64_t i)
{
	return (&channels[i % NCHANS]);
}

static void
sleeper(void *arg)
{
	tsleep(channel((uint64_t)(uintptr_t)arg), "sleeper", 0);
	__atomic_fetch_add(&nawake, 1, __ATOMIC_RELAXED);
}

static uint64_t
awake(void)
{
	return (__atomic_load_n(&nawake, __ATOMIC_RELAXED));
}

static void
start_sleepers(uint64_t n)
{
	struct proc *p = NULL;

	for (uint64_t i = 0; i < n; i++) {
		(void)kproc_kthread_add(sleeper, (void *)(uintptr_t)i, p,
		    &sleepers[i], "sleepers", "sleeper %ju", (uintmax_t)i);
		p = sleepers[0]->td_proc;
	}
	for (uint64_t i = 0; i < n; i++) {
		while (__atomic_load_n(&sleepers[i]->td_wchan,
			   __ATOMIC_RELAXED) != channel(i))
			pause("asleep", 1);
	}
}

/* A wakeup that finds nobody, in nanoseconds. */
static uint64_t
time_wakeup(void)
{
	static const char nobody_sleeps_here;
	uint64_t start = rdtsc();

	for (int i = 0; i < WAKEUPS; i++)
		wakeup(&nobody_sleeps_here);
	return ((rdtsc() - start) * (1000000 / WAKEUPS) / cycles_per_ms());
}

static void
sh_sleepers(const char *args)
{
	const char *end;
	uint64_t n = strtouq(args, &end);

	if (n == 0)
		return;
	sleepers = malloc(n * sizeof(struct thread *), M_SLEEPERS, M_WAITOK);
	nawake = 0;
	start_sleepers(n);
	printf("sleepers: %ju asleep, a wakeup takes %ju ns\n", (uintmax_t)n,
	    (uintmax_t)time_wakeup());
	for (uint64_t i = 0; i < NCHANS; i++)
		wakeup(channel(i));
	while (awake() != n)
		pause("awake", 1);
	free(sleepers, M_SLEEPERS);
}
COMMAND(sleepers, "sleepers", CMD_SHELL, sh_sleepers,
    "N: time wakeups while so many threads sleep");
