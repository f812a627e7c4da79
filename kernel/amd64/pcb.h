/*
 * The saved context of a thread that does not run.  Debuggers know where its
 * registers are: FreeBSD/amd64's layout.  swtch.S fills it.
 */
#ifndef KERNEL_AMD64_PCB_H
#define KERNEL_AMD64_PCB_H

#define PCB_R15 0
#define PCB_R14 8
#define PCB_R13 16
#define PCB_R12 24
#define PCB_RBP 32
#define PCB_RSP 40
#define PCB_RBX 48
#define PCB_RIP 56

#ifndef LOCORE
#include "kernel/amd64/types.h"
#include "kernel/sys/param.h"

struct pcb {
	register_t pcb_r15;
	register_t pcb_r14;
	register_t pcb_r13;
	register_t pcb_r12;
	register_t pcb_rbp;
	register_t pcb_rsp; /* points at the return address, pcb_rip */
	register_t pcb_rbx;
	register_t pcb_rip;
	register_t pcb_onfault; /* where a page fault goes on; 0: panics */
	register_t pcb_pad[3];	/* keeps stacks 16-byte aligned below it */
};
static_assert(offsetof(struct pcb, pcb_rsp) == PCB_RSP, "FreeBSD's layout");
static_assert(offsetof(struct pcb, pcb_rip) == PCB_RIP, "FreeBSD's layout");
static_assert(sizeof(struct pcb) % 16 == 0, "the stack below is aligned");

/* Contexts of the thread that dumps, and of the CPUs that were stopped. */
extern struct pcb dumppcb;
extern struct pcb stoppcbs[MAXCPU];

/* Fill pcb with the caller's context, for a debugger. */
void savectx(struct pcb *pcb);

/*
 * The same, for resumectx(): returns 0 first, and 1 when resumectx() comes
 * back, which must be before the caller returns.
 */
int setctx(struct pcb *pcb) __attribute__((returns_twice));
void resumectx(const struct pcb *pcb) __dead2;

/* Save the context in from, go on with the one in to. */
void cpu_switch(struct pcb *from, const struct pcb *to);

/* See swtch.S; safe_copy() is its caller. */
int copy_onfault(void *dst, const void *src, size_t len, register_t *onfault);
#endif

#endif
