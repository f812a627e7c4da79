/*
 * Critical sections in line: see sys/critical.h.
 */
#ifndef KERNEL_AMD64_CRITICAL_H
#define KERNEL_AMD64_CRITICAL_H

#include "kernel/amd64/pcpu.h"
#include "kernel/sys/systm.h"

/* Let go of the CPU, unless this thread is in another critical section. */
void critical_yield(void);

/* What is written inside stays inside: the compiler moves no access past this. */
static inline void
critical_barrier(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void
critical_enter(void)
{
	curthread->td_critnest++;
	critical_barrier();
}

static inline void
critical_exit(void)
{
	struct thread *td = curthread;

	KASSERT(td->td_critnest > 0, ("%s: not inside", __func__));
	critical_barrier();
	td->td_critnest--;
	if (__predict_false(td->td_needresched))
		critical_yield();
}

static inline void
critical_enter_leaf(void)
{
	curthread->td_critleaf = true;
	critical_barrier();
}

static inline bool
critical_exit_leaf(void)
{
	struct thread *td = curthread;

	critical_barrier();
	td->td_critleaf = false;
	return (td->td_needresched);
}

static inline unsigned int
critical_cpu(void)
{
	return ((unsigned int)curcpu);
}

#endif
