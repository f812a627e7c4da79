/*
 * Per-CPU data, which the GS register points to.
 */
#ifndef KERNEL_AMD64_PCPU_H
#define KERNEL_AMD64_PCPU_H

#include "kernel/amd64/segments.h"
#include "kernel/sys/proc.h"

struct pcpu {
	struct thread *pc_curthread; /* first: curthread reads %gs:0 */
	struct pcpu *pc_prvspace;    /* itself */
	int pc_cpuid;		     /* 0 is the one that booted */
	uint32_t pc_apic_id;
	uint64_t pc_cr4; /* with what cpu_protect() has set */
	struct thread *pc_idlethread;
	volatile bool pc_idle; /* it waits for an interrupt */
	volatile bool pc_started;
	struct amd64tss pc_tss;
	struct user_segment_descriptor pc_gdt[NGDT];
};

extern struct pcpu *cpuid_to_pcpu[MAXCPU];

static inline struct thread *
get_curthread(void)
{
	struct thread *td;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(td));
	return (td);
}
#define curthread get_curthread()

static inline struct pcpu *
get_pcpu(void)
{
	struct pcpu *pc;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(pc));
	return (pc);
}

#define curcpu	(get_pcpu()->pc_cpuid)
#define curproc (curthread->td_proc)

/* Descriptors, task state and GS of a CPU; on the CPU itself. */
void cpu_segments_init(struct pcpu *pc);

#endif
