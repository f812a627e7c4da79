/*
 * Contexts: saved as FreeBSD/amd64 saves them, so that debuggers find the
 * registers of threads that do not run.
 */
#define LOCORE
#include "kernel/amd64/asmacros.h"
#include "kernel/amd64/pcb.h"

	.cfi_sections .eh_frame
	.text

/* Fill the pcb at %rdi with the caller's registers, ours at its call. */
.macro	SAVE_PCB
	movq	(%rsp), %rax
	movq	%rax, PCB_RIP(%rdi)
	movq	%r15, PCB_R15(%rdi)
	movq	%r14, PCB_R14(%rdi)
	movq	%r13, PCB_R13(%rdi)
	movq	%r12, PCB_R12(%rdi)
	movq	%rbp, PCB_RBP(%rdi)
	movq	%rsp, PCB_RSP(%rdi)
	movq	%rbx, PCB_RBX(%rdi)
.endm

/* Back to the registers of the pcb at \pcb; a return goes on there. */
.macro	LOAD_PCB pcb
	movq	PCB_R15(\pcb), %r15
	movq	PCB_R14(\pcb), %r14
	movq	PCB_R13(\pcb), %r13
	movq	PCB_R12(\pcb), %r12
	movq	PCB_RBP(\pcb), %rbp
	movq	PCB_RBX(\pcb), %rbx
	movq	PCB_RSP(\pcb), %rsp
	movq	PCB_RIP(\pcb), %rax
	movq	%rax, (%rsp)
.endm

/* void cpu_switch(struct pcb *from, const struct pcb *to) */
ENTRY(cpu_switch)
	.cfi_startproc
	SAVE_PCB
	LOAD_PCB %rsi
	ret
	.cfi_endproc
END(cpu_switch)

/* void savectx(struct pcb *pcb) */
ENTRY(savectx)
	.cfi_startproc
	SAVE_PCB
	ret
	.cfi_endproc
END(savectx)

/* int setctx(struct pcb *pcb) */
ENTRY(setctx)
	.cfi_startproc
	SAVE_PCB
	xorl	%eax, %eax
	ret
	.cfi_endproc
END(setctx)

/* void resumectx(const struct pcb *pcb) */
ENTRY(resumectx)
	.cfi_startproc
	LOAD_PCB %rdi
	movl	$1, %eax
	ret
	.cfi_endproc
END(resumectx)

/*
 * int copy_onfault(void *dst, const void *src, size_t len,
 *     register_t *onfault)
 *
 * Copy what may not be there: 1 if a fault came, which trap() turned into a
 * jump to the address that we leave in *onfault.
 */
ENTRY(copy_onfault)
	.cfi_startproc
	leaq	1f(%rip), %rax
	movq	%rax, (%rcx)
	movq	%rdx, %rcx
	rep
	movsb
	xorl	%eax, %eax
	ret
1:	movl	$1, %eax
	ret
	.cfi_endproc
END(copy_onfault)

	.section .note.GNU-stack, "", @progbits
