/*
 * A simulated machine under kernel/vm: memory, page tables, CPUs, locks and a
 * set of pages to dump, in this process.
 *
 * Memory is a shared file.  The direct map is a mapping of all of it, and a
 * page of KVA is one more mapping of one page, so that two ways lead to the
 * same bytes and an unmapped address faults.
 *
 * A thread of the host is a thread of the machine.  It gets a CPU when it
 * enters a critical section, another one each time, and others that want the
 * same CPU wait: threads migrate more often than on any real machine.
 */
#ifndef TESTS_VM_SIM_H
#define TESTS_VM_SIM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/sys/lock.h"
#include "kernel/vm/vm.h"

struct sim_config {
	/* Pairs of addresses up to one whose end is 0. */
	const vm_paddr_t *ram;
	vm_size_t kva_size;
	int ncpus;
	bool pinned; /* threads keep the CPU that sim_pin gave them */
};

/* A machine with a 32 MB segment after one of 640 KB, and two CPUs. */
extern const struct sim_config sim_small;

/* Boot: everything up to kmeminit.  Afterwards sim_halt. */
void sim_boot(const struct sim_config *config);
void sim_halt(void);

/* With pinned: this thread is alone on that CPU. */
void sim_pin(unsigned int cpu);

/* Part of sim_boot(): threads can sleep. */
void sim_threads_boot(void);

/* So many ticks of the clock pass, and callouts that are due are called. */
void sim_tick(int n);

/* A thread of this process that runs func(arg); join it with sim_join(). */
struct simthread;
struct simthread *sim_start(void (*func)(void *arg), void *arg);
void sim_join(struct simthread *t);

/* As the kernel knows it. */
struct thread *sim_thread(struct simthread *t);

/* Does it sleep, on whatever?  And: return when it does. */
bool sim_thread_asleep(const struct thread *td);
bool sim_asleep(struct simthread *t);
void sim_wait_asleep(struct simthread *t);

/*
 * Is the page in the dump's set, and how many pages are; is it there as bulk; is
 * it kept out.
 */
bool sim_dumped(vm_paddr_t pa);
bool sim_bulk(vm_paddr_t pa);
bool sim_never_dumped(vm_paddr_t pa);
size_t sim_ndumped(void);

/* From now on this thread is off its CPU, say, and nobody spins for it. */
void sim_set_running(bool running);

/* From now on this thread is in an interrupt, say, as the witness sees it. */
void sim_pretend(enum witness_place place);

/* The console: stderr. */
int sim_printf(const char *fmt, ...)
    __attribute__((__format__(__printf__, 1, 2)));

/* The next number of a sequence that a seed gives: 24 bits. */
uint32_t sim_random(uint32_t *seed);

/*
 * Run func(arg), which is to panic; what it said, or NULL.  The machine is of
 * no use afterwards but to be halted.
 */
const char *sim_expect_panic(void (*func)(void *arg), void *arg);

#endif
