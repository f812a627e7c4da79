/*
 * Time by the processor's cycle counter, which runs at one rate on all CPUs:
 * AMD64 APM vol. 2, "Time-Stamp Counter".
 *
 * Counters of CPUs may differ a little.  What was told last is kept, so that no
 * reader sees time go back.
 */
#include "kernel/amd64/cpufunc.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/systm.h"
#include "kernel/sys/time.h"

#define MEASURE_USEC 10000 /* how long it is measured */
#define MEASURES     3

static uint64_t start;	/* the counter when it was measured */
static uint64_t scale;	/* 2^64 / cycles in a second */
static sbintime_t last; /* atomic; the latest time that was told */

static sbintime_t
tsc_time(void)
{
	uint64_t cycles = rdtsc();

	/* This CPU's counter may be behind the other's. */
	cycles = cycles > start ? cycles - start : 0;
	return ((sbintime_t)((unsigned __int128)cycles * scale >> 32));
}

sbintime_t
sbinuptime(void)
{
	sbintime_t now = tsc_time();
	sbintime_t told = __atomic_load_n(&last, __ATOMIC_RELAXED);

	while (now > told) {
		if (__atomic_compare_exchange_n(&last, &told, now, false,
			__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return (now);
	}
	return (told);
}

static uint64_t
measure(void)
{
	uint64_t before = rdtsc();

	DELAY(MEASURE_USEC);
	return (rdtsc() - before);
}

/* The shortest counts: an emulator may be held up while it measures. */
static void
tsc_init(const void *arg)
{
	uint64_t cycles = UINT64_MAX;

	(void)arg;
	for (int i = 0; i < MEASURES; i++) {
		uint64_t once = measure();

		if (once > 0 && once < cycles)
			cycles = once;
	}
	scale = UINT64_MAX / (cycles * (1000000 / MEASURE_USEC));
	start = rdtsc();
}
SYSINIT(tsc, SI_SUB_CLOCKS, SI_ORDER_MIDDLE, tsc_init, NULL);

static void
sh_uptime(const char *args)
{
	struct timespec ts;

	(void)args;
	nanouptime(&ts);
	printf("up %jd.%09ld s, %d ticks\n", (intmax_t)ts.tv_sec, ts.tv_nsec,
	    ticks);
}
COMMAND(uptime, "uptime", CMD_SHELL | CMD_DDB, sh_uptime,
    "the time since the start, by both clocks");
