/*
 * Threads that sleep until they are woken, by the thousand: "sleepers N" in the
 * shell starts them, times wakeups among them, and wakes them in each way that
 * there is.
 */
#include "kernel/sys/sleepqueue.h"

#include "kernel/lab/bench.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/machine/pcpu.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/systm.h"

#define NCHANS	 16
#define WAKEUPS	 1000 /* that are timed together */
#define TIMEOUTS 300  /* more than callouts have lists */

/* What the first half of the sleepers sleeps on; see channel(). */
static const char channels[NCHANS];

static struct thread **sleepers;
static uint64_t nsleepers;
static uint64_t nwoken, ninterrupted, nearly; /* atomic */
static uint64_t last_woken;

static MALLOC_DEFINE(M_SLEEPERS, "sleepers", "their threads");

static uint64_t
count_of(const uint64_t *count)
{
	return (__atomic_load_n(count, __ATOMIC_ACQUIRE));
}

static void
count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELEASE);
}

/* The second half has an address each. */
static const void *
channel(uint64_t i)
{
	if (i < nsleepers / 2)
		return (&channels[i % NCHANS]);
	return (&sleepers[i]);
}

static void
sleeper(void *arg)
{
	uint64_t i = (uintptr_t)arg;
	bool woken = tsleep(channel(i), PCATCH, "sleeper", 0) == 0;

	if (woken)
		__atomic_store_n(&last_woken, i, __ATOMIC_RELAXED);
	count(woken ? &nwoken : &ninterrupted);
}

/* Sleep for so many ticks. */
static void
napper(void *arg)
{
	int timo = (int)(intptr_t)arg, start = ticks;
	int error = tsleep(&channels[0], 0, "napper", timo);

	if (error != EWOULDBLOCK || ticks - start < timo)
		count(&nearly);
	count(&nwoken);
}

static void
wait_until(const uint64_t *counter, uint64_t n)
{
	while (count_of(counter) != n)
		pause("sleepers", 1);
}

static void
start_sleepers(uint64_t n)
{
	struct proc *p = NULL;

	for (uint64_t i = 0; i < n; i++) {
		(void)kproc_kthread_add(sleeper, (void *)(uintptr_t)i, p,
		    &sleepers[i], "sleepers", "sleeper %ju", (uintmax_t)i);
		p = sleepers[0]->td_proc;
		while (__atomic_load_n(&sleepers[i]->td_wchan,
			   __ATOMIC_RELAXED) != channel(i))
			kern_yield();
	}
}

/* A wakeup that finds nobody, in nanoseconds; each of another address. */
static uint64_t
time_wakeup(void)
{
	static const char nobody_sleeps_here[WAKEUPS];
	uint64_t start = rdtsc();

	for (int i = 0; i < WAKEUPS; i++)
		wakeup(&nobody_sleeps_here[i]);
	return ((rdtsc() - start) * (1000000 / WAKEUPS) / cycles_per_ms());
}

/* One is woken, one interrupted, and then the others. */
static void
end_sleepers(uint64_t n)
{
	wakeup_one(channel(1));
	wait_until(&nwoken, 1);
	printf("sleepers: woke %ju of %ju, number %ju\n",
	    (uintmax_t)count_of(&nwoken), (uintmax_t)n, (uintmax_t)last_woken);
	sleepq_abort(sleepers[n - 1], EINTR);
	wait_until(&ninterrupted, 1);
	for (uint64_t i = 0; i < n; i++)
		wakeup(channel(i));
	wait_until(&nwoken, n - 1);
	printf("sleepers: %ju woken, %ju interrupted\n",
	    (uintmax_t)count_of(&nwoken), (uintmax_t)count_of(&ninterrupted));
}

static void
run_nappers(void)
{
	nwoken = nearly = 0;
	for (intptr_t i = TIMEOUTS; i > 0; i--)
		(void)kproc_kthread_add(napper, (void *)i, NULL, NULL, "napper",
		    "napper %jd", (intmax_t)i);
	wait_until(&nwoken, TIMEOUTS);
	printf("sleepers: %d timed out, %ju too early\n", TIMEOUTS,
	    (uintmax_t)count_of(&nearly));
}

/* An interrupt before the sleep: the next one with PCATCH has it. */
static void
interrupt_self(void)
{
	int errors[3];

	sleepq_abort(curthread, EINTR);
	errors[0] = tsleep(&errors, 0, "not this", 1);
	errors[1] = tsleep(&errors, PCATCH, "but this", 0);
	errors[2] = tsleep(&errors, PCATCH, "once", 1);
	printf("sleepers: interrupted before: %d %d %d\n", errors[0], errors[1],
	    errors[2]);
}

static void
sh_sleepers(const char *args)
{
	const char *end;
	uint64_t n = strtouq(args, &end);

	if (n <= NCHANS) {
		printf("sleepers: give a number above %d\n", NCHANS);
		return;
	}
	sleepers = malloc(n * sizeof(struct thread *), M_SLEEPERS, M_WAITOK);
	nsleepers = n;
	nwoken = ninterrupted = 0;
	start_sleepers(n);
	printf("sleepers: %ju asleep, a wakeup takes %ju ns\n", (uintmax_t)n,
	    (uintmax_t)time_wakeup());
	end_sleepers(n);
	free(sleepers, M_SLEEPERS);
	run_nappers();
	interrupt_self();
}
COMMAND(sleepers, "sleepers", CMD_SHELL, sh_sleepers,
    "N: time wakeups while so many threads sleep");
