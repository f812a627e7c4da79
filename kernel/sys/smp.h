/*
 * The other CPUs: how many, and how to stop them.
 */
#ifndef KERNEL_SYS_SMP_H
#define KERNEL_SYS_SMP_H

#include "kernel/sys/param.h"

/* A set of CPUs in the form debuggers know: bit c of an array of long. */
typedef struct {
	long __bits[1];
} cpuset_t;
static_assert(MAXCPU <= 64, "one word is enough");

extern int mp_ncpus;
extern int mp_maxid;
extern const int mp_maxcpus;
extern bool smp_started;
extern volatile cpuset_t stopped_cpus;

static inline bool
cpu_is_stopped(int cpu)
{
	return ((stopped_cpus.__bits[0] >> cpu & 1) != 0);
}

#define CPU_FOREACH(i) for ((i) = 0; (i) <= mp_maxid; (i)++)

/*
 * Stop all CPUs but this one by NMI, their contexts in stoppcbs, and let them
 * run again; in between the scheduler is stopped, and locks do nothing.  A CPU
 * that does not answer in time is reported and left.  If two CPUs call it, one
 * stops the other, which continues when it is restarted.  false: the others
 * were stopped by this CPU before.
 */
bool stop_cpus_hard(void);
void restart_cpus(void);

/* Tell CPU cpu that there is something to run. */
void ipi_preempt(int cpu);

/*
 * For loops that wait with interrupts off: answers CPUs that wait for this one,
 * for example to invalidate translations.
 */
void cpu_spinwait(void);

#endif
