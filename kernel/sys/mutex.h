/*
 * Spin mutexes: declared in vm/vm_floor.h, which vm/ shares with its host.
 *
 * A holder runs with interrupts off, so a mutex may be taken anywhere but in
 * an NMI.  Once the scheduler is stopped nobody holds anything and all calls
 * return at once: a lock in the hands of a stopped thread cannot block a dump.
 */
#ifndef KERNEL_SYS_MUTEX_H
#define KERNEL_SYS_MUTEX_H

#include "kernel/vm/vm_floor.h"

/* A mutex that is ready without mtx_init(). */
#define MTX_INITIALIZER(name)                                                  \
	{                                                                      \
		(name), 0                                                      \
	}

/* For one that the scheduler hands from thread to thread in a switch. */
void mtx_handoff(struct mtx *m, const void *owner);

#endif
