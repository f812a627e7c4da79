/*
 * Ways to misuse memory, for memguard and red zones to find: "crash overrun",
 * "crash stale" and "crash redzone" in the shell.
 */
#include "kernel/lab/crash.h"
#include "kernel/sys/malloc.h"

#define LEN 96 /* a multiple of what memguard aligns to */

static MALLOC_DEFINE(M_CRASH, "crash", "misused on purpose");

static volatile uint8_t *
misused(void)
{
	return (malloc(LEN, M_CRASH, M_WAITOK));
}

void
crash_overrun(void)
{
	misused()[LEN] = 1;
}

void
crash_stale(void)
{
	volatile uint8_t *p = misused();

	free((void *)(uintptr_t)p, M_CRASH);
	p[LEN / 2] = 1;
}

void
crash_redzone(void)
{
	volatile uint8_t *p = misused();

	p[LEN] = 1;
	free((void *)(uintptr_t)p, M_CRASH);
}
