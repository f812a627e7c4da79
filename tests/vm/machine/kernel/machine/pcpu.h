/*
 * The simulated machine's kernel/machine/pcpu.h: which thread this is.
 */
#ifndef TESTS_VM_MACHINE_PCPU_H
#define TESTS_VM_MACHINE_PCPU_H

#include "kernel/sys/proc.h"

extern _Thread_local struct thread *sim_td; /* NULL: it has none yet */

/* Give this thread of the host a thread of the machine, until it ends. */
struct thread *sim_thread_begin(void);

static inline struct thread *
get_curthread(void)
{
	return (sim_td != NULL ? sim_td : sim_thread_begin());
}
#define curthread get_curthread()

#endif
