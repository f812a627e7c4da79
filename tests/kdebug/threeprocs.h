/*
 * A kernel whose threads are of all kinds, and where these are.
 */
#ifndef TESTS_KDEBUG_THREEPROCS_H
#define TESTS_KDEBUG_THREEPROCS_H

#include "tests/kdebug/kernel.h"

/* The processes, threads and pcbs of a test, n from 0. */
#define HEAP	UINT64_C(0xfffff80004000000)
#define PROC(n) (HEAP + 0x1000 * (kvaddr_t)(n))
#define TD(n)	(HEAP + 0x100000 + 0x1000 * (kvaddr_t)(n))
#define PCB(n)	(HEAP + 0x200000 + 0x1000 * (kvaddr_t)(n))

/*
 * Three processes: sysctl, which dumped from CPU 2; a daemon with two threads,
 * one on CPU 1; the idle process, whose thread claims the CPU that dumped and
 * so was not stopped.
 */
void three_procs(struct kernel *k);

#endif
