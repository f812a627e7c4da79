/*
 * An MMU in software, under the kernel's own pmap: page walks through the tables
 * that it made, and a TLB for each CPU of the simulated machine.
 *
 * It is stricter than a machine.  A translation is kept until a CPU is told to
 * forget it, or until another needs its place; with PCIDs, if a test gives the
 * CPUs some, also while another address space is loaded.  An access through one that the
 * page tables do not say any more panics: wrong page, rights that were taken
 * away, a dirty bit that would be lost.  So does an order to forget that comes
 * after the page, or the page table, has been freed.
 */
#ifndef TESTS_VM_MMU_H
#define TESTS_VM_MMU_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel/vm/vm.h"

#define MMU_READ    0x0
#define MMU_WRITE   0x1
#define MMU_EXECUTE 0x2
#define MMU_USER    0x4 /* by a program, not by the kernel */

/*
 * A CPU accesses va in the address space that it has loaded: the byte there, in
 * this process.  NULL: a page fault.
 */
void *mmu_access(unsigned int cpu, vm_offset_t va, unsigned int access);

/*
 * The same by the caller's own CPU, which then copies len bytes there or from
 * there, all in one page: with MMU_WRITE from buf.  It is for threads.  As with an
 * instruction, a change of the page tables comes before or after that.
 */
bool mmu_copy(vm_offset_t va, unsigned int access, void *buf, size_t len);

/* Have the CPUs PCIDs?  Before they are powered on; they have none by themselves. */
void mmu_set_pcid(bool has);

/* Does the CPU know where va is, without a walk? */
bool mmu_knows(unsigned int cpu, vm_offset_t va);

/* What has happened since mmu_count() was last called. */
struct mmu_counts {
	unsigned int mc_orders; /* to forget something */
	unsigned int mc_told;	/* other CPUs that got one */
	unsigned int mc_all;	/* orders to forget everything */
	unsigned int mc_walks;
	unsigned int mc_kept; /* CR3 was loaded, and nothing was forgotten */
};
struct mmu_counts mmu_count(void);

/* Call func in the next order, before any CPU has forgotten anything. */
void mmu_before_order(void (*func)(void));

#endif
