/*
 * Threads that do nothing, from the shell: some wait for work that never comes,
 * some work without end.  They are there to be seen in a dump.
 */
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"

#define WORKERS_MAX 1000

static volatile uint64_t work_done;
static const char no_work; /* to be slept on */

/* Never inlined, so that a backtrace shows who waits, and for what. */
static __noinline void
wait_for_work(int worker)
{
	for (;;)
		tsleep(&no_work, 0, "work", worker * hz); /* 0: for ever */
}

static void
idle_worker(void *arg)
{
	wait_for_work((int)(intptr_t)arg);
}

static void
busy_worker(void *arg)
{
	for (;;)
		work_done += (uintptr_t)arg;
}

static int
start_workers(void (*func)(void *), const char *name, uint64_t n)
{
	int error = 0;

	for (uint64_t i = 0; error == 0 && i < n && i < WORKERS_MAX; i++)
		error = kproc_kthread_add(func, (void *)i, NULL, NULL, name,
		    "%s %ju", name, (uintmax_t)i);
	return (error);
}

static void
sh_workers(const char *args)
{
	uint64_t nidle = strtouq(args, &args);
	uint64_t nbusy;

	while (*args == ' ')
		args++;
	nbusy = strtouq(args, &args);
	if (start_workers(idle_worker, "idler", nidle) != 0 ||
	    start_workers(busy_worker, "worker", nbusy) != 0)
		printf("workers: no memory\n");
	else
		printf("workers: %ju sleep, %ju run\n", (uintmax_t)nidle,
		    (uintmax_t)nbusy);
}
COMMAND(workers, "workers", CMD_SHELL, sh_workers,
    "IDLE BUSY: start threads that sleep and threads that run");
