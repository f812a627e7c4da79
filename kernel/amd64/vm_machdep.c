/*
 * A new thread's stack.
 *
 * It holds, from its top down: the pcb, the trap frame that fork_trampoline
 * returns through (all zeros, which ends backtraces), and one word for
 * cpu_switch() to return by.
 */
#include "kernel/amd64/frame.h"
#include "kernel/amd64/pcb.h"
#include "kernel/amd64/segments.h"
#include "kernel/sys/proc.h"

/* %r12 and %rbx carry the function and its argument: see exception.S. */
void fork_trampoline(void);

void
cpu_fork(struct thread *td, void (*func)(void *), void *arg)
{
	vm_offset_t top = td->td_kstack + ptoa((uint64_t)td->td_kstack_pages);

	td->td_pcb = (struct pcb *)(top - sizeof(struct pcb));
	td->td_frame = (struct trapframe *)(void *)td->td_pcb - 1;
	*td->td_frame = (struct trapframe){ .tf_cs = KCSEL, .tf_ss = KDSEL };
	*td->td_pcb = (struct pcb){
		.pcb_r12 = (vm_offset_t)func,
		.pcb_rbx = (vm_offset_t)arg,
		.pcb_rsp = (vm_offset_t)td->td_frame - sizeof(register_t),
		.pcb_rip = (vm_offset_t)fork_trampoline,
	};
}
