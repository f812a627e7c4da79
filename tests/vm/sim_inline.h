/*
 * The floor's shortest calls, in line: what a kernel does in an instruction or
 * two should not cost a call in a benchmark.
 */
#ifndef TESTS_VM_SIM_INLINE_H
#define TESTS_VM_SIM_INLINE_H

#include <stdbool.h>

struct sim_thread {
	unsigned int st_cpu;
	int st_critnest;
	volatile bool st_critleaf;
	volatile bool st_needresched; /* it has got a CPU */
};

extern _Thread_local struct sim_thread sim_curthread;
extern bool sim_pinned;

/* Unless threads are pinned: get a CPU, and let go of it. */
void sim_cpu_get(void);
void sim_cpu_put(void);

static inline void
critical_enter(void)
{
	if (sim_curthread.st_critnest++ == 0 && !sim_pinned)
		sim_cpu_get();
}

static inline void
critical_exit(void)
{
	if (--sim_curthread.st_critnest == 0 && !sim_pinned)
		sim_cpu_put();
}

/* The compiler moves no access past this. */
static inline void
critical_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void
critical_enter_leaf(void)
{
	sim_curthread.st_critleaf = true;
	if (!sim_pinned)
		critical_enter();
	critical_barrier();
}

static inline bool
critical_exit_leaf(void)
{
	critical_barrier();
	sim_curthread.st_critleaf = false;
	return (sim_curthread.st_needresched);
}

static inline void
critical_yield(void)
{
	critical_exit();
}

static inline unsigned int
critical_cpu(void)
{
	return (sim_curthread.st_cpu);
}

#endif
