/*
 * Critical sections: between critical_enter() and critical_exit() the thread
 * stays on its CPU and no other thread runs there.  They nest.  Sleeping inside
 * is a bug.  Interrupts come: what an interrupt handler touches needs a mutex.
 *
 *	void critical_enter(void);
 *	void critical_exit(void);
 *
 * The same for a few instructions that enter no other, take no lock and call
 * nothing: a flag, not a count, because an addition waits for the one before it.
 * If critical_exit_leaf() returns true, another thread waits for this CPU, and
 * the caller must call critical_yield() then.  So the caller needs no stack frame
 * for a call in its middle that hardly ever happens.
 *
 *	void critical_enter_leaf(void);
 *	bool critical_exit_leaf(void);
 *	void critical_yield(void);
 *
 * The CPU that this thread runs on; means something in a critical section.
 *
 *	unsigned int critical_cpu(void);
 *
 * All are in line.  What they do is the machine's, so the build says where they are:
 * in amd64/critical.h for the kernel, in tests/vm/sim_inline.h for a host.
 */
#ifndef KERNEL_SYS_CRITICAL_H
#define KERNEL_SYS_CRITICAL_H

#include CRITICAL_INLINE

#endif
