/*
 * The calls that lead to where we are, by frame pointers, as far as they stay
 * on the thread's own stack.
 */
#include "kernel/amd64/pcpu.h"
#include "kernel/sys/stack.h"

void
stack_save(struct stack *st)
{
	const struct thread *td = curthread;
	const uintptr_t *frame = __builtin_frame_address(0);
	uintptr_t low = td->td_kstack;
	uintptr_t high = low + ptoa((uint64_t)td->td_kstack_pages);

	st->depth = 0;
	while (st->depth < STACK_MAX && (uintptr_t)frame >= low &&
	    (uintptr_t)frame < high - 2 * sizeof(*frame) && frame[1] != 0) {
		st->pcs[st->depth++] = frame[1];
		low = (uintptr_t)frame + sizeof(*frame);
		frame = (const uintptr_t *)frame[0];
	}
}
