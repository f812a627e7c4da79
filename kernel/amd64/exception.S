/*
 * Where traps and interrupts come in: each builds a struct trapframe and calls
 * C with its address.  At every such call the frame lies at %rsp, which is what
 * debuggers that know the names here rely on (Xname, calltrap, nmi_calltrap,
 * mchk_calltrap, fork_trampoline), and what the CFI says to the others.  It is
 * in .eh_frame: LLDB goes through a trap by nothing else, and of .debug_frame
 * clang does not say which frames are a trap's.
 */
#define LOCORE
#include "kernel/amd64/asmacros.h"
#include "kernel/amd64/frame.h"
#include "kernel/amd64/pcb.h"
#include "kernel/amd64/segments.h"

	.cfi_sections .eh_frame

/* Unwinding out of a frame at %rsp + \off. */
.macro	FRAME_CFI off
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa %rsp, \off
	.cfi_offset %rip, TF_RIP
	.cfi_offset %rsp, TF_RSP
.endm

/* From where on the registers are in the frame. */
.macro	REGS_CFI
	.cfi_offset %rdi, TF_RDI
	.cfi_offset %rsi, TF_RSI
	.cfi_offset %rdx, TF_RDX
	.cfi_offset %rcx, TF_RCX
	.cfi_offset %r8, TF_R8
	.cfi_offset %r9, TF_R9
	.cfi_offset %rax, TF_RAX
	.cfi_offset %rbx, TF_RBX
	.cfi_offset %rbp, TF_RBP
	.cfi_offset %r10, TF_R10
	.cfi_offset %r11, TF_R11
	.cfi_offset %r12, TF_R12
	.cfi_offset %r13, TF_R13
	.cfi_offset %r14, TF_R14
	.cfi_offset %r15, TF_R15
.endm

.macro	SAVED_CFI
	FRAME_CFI 0
	REGS_CFI
.endm

.macro	SAVE_REGS
	movq	%rdi, TF_RDI(%rsp)
	movq	%rsi, TF_RSI(%rsp)
	movq	%rdx, TF_RDX(%rsp)
	movq	%rcx, TF_RCX(%rsp)
	movq	%r8, TF_R8(%rsp)
	movq	%r9, TF_R9(%rsp)
	movq	%rax, TF_RAX(%rsp)
	movq	%rbx, TF_RBX(%rsp)
	movq	%rbp, TF_RBP(%rsp)
	movq	%r10, TF_R10(%rsp)
	movq	%r11, TF_R11(%rsp)
	movq	%r12, TF_R12(%rsp)
	movq	%r13, TF_R13(%rsp)
	movq	%r14, TF_R14(%rsp)
	movq	%r15, TF_R15(%rsp)
	movl	$0, TF_FLAGS(%rsp)
	cld
.endm

/* An entry for a trap without an error code, and one for those with it. */
.macro	TRAP_NOERR name, trapno, to
ENTRY(X\name)
	FRAME_CFI -TF_RIP
	subq	$TF_RIP, %rsp
	.cfi_def_cfa_offset 0
	movl	$\trapno, TF_TRAPNO(%rsp)
	movq	$0, TF_ADDR(%rsp)
	movq	$0, TF_ERR(%rsp)
	jmp	\to
	.cfi_endproc
END(X\name)
.endm

.macro	TRAP_ERR name, trapno, to
ENTRY(X\name)
	FRAME_CFI -TF_ERR
	subq	$TF_ERR, %rsp
	.cfi_def_cfa_offset 0
	movl	$\trapno, TF_TRAPNO(%rsp)
	movq	$0, TF_ADDR(%rsp)
	jmp	\to
	.cfi_endproc
END(X\name)
.endm

	.text

	TRAP_NOERR div, T_DE, alltraps
	TRAP_NOERR dbg, T_DB, alltraps
	TRAP_NOERR bpt, T_BP, alltraps
	TRAP_NOERR ofl, T_OF, alltraps
	TRAP_NOERR bnd, T_BR, alltraps
	TRAP_NOERR ill, T_UD, alltraps
	TRAP_NOERR dna, T_NM, alltraps
	TRAP_ERR tss, T_TS, alltraps
	TRAP_ERR missing, T_NP, alltraps
	TRAP_ERR stk, T_SS, alltraps
	TRAP_ERR prot, T_GP, alltraps
	TRAP_ERR page, T_PF, alltraps
	TRAP_NOERR fpu, T_MF, alltraps
	TRAP_ERR align, T_AC, alltraps
	TRAP_NOERR xmm, T_XM, alltraps

ENTRY(alltraps)
	FRAME_CFI 0
	SAVE_REGS
	movq	%cr2, %rax
	movq	%rax, TF_ADDR(%rsp)
	jmp	calltrap
	.cfi_endproc
END(alltraps)

ENTRY(calltrap)
	SAVED_CFI
	movq	%rsp, %rdi
	call	trap
	jmp	doreti
	.cfi_endproc
END(calltrap)

/* Back to what was interrupted. */
ENTRY(doreti)
	SAVED_CFI
	movq	TF_RDI(%rsp), %rdi
	movq	TF_RSI(%rsp), %rsi
	movq	TF_RDX(%rsp), %rdx
	movq	TF_RCX(%rsp), %rcx
	movq	TF_R8(%rsp), %r8
	movq	TF_R9(%rsp), %r9
	movq	TF_RAX(%rsp), %rax
	movq	TF_RBX(%rsp), %rbx
	movq	TF_RBP(%rsp), %rbp
	movq	TF_R10(%rsp), %r10
	movq	TF_R11(%rsp), %r11
	movq	TF_R12(%rsp), %r12
	movq	TF_R13(%rsp), %r13
	movq	TF_R14(%rsp), %r14
	movq	TF_R15(%rsp), %r15
	addq	$TF_RIP, %rsp
	.cfi_def_cfa_offset -TF_RIP
	iretq
	.cfi_endproc
END(doreti)

/* Traps with a stack of their own, which may come at any instruction. */
	TRAP_ERR dblfault, T_DF, dblfault_calltrap
	TRAP_NOERR nmi, T_NMI, nmi_calltrap
	TRAP_NOERR mchk, T_MC, mchk_calltrap

ENTRY(dblfault_calltrap)
	FRAME_CFI 0
	SAVE_REGS
	movq	%cr2, %rax
	movq	%rax, TF_ADDR(%rsp)
	jmp	calltrap
	.cfi_endproc
END(dblfault_calltrap)

ENTRY(nmi_calltrap)
	FRAME_CFI 0
	SAVE_REGS
	REGS_CFI
	movq	%rsp, %rdi
	call	trap
	jmp	doreti
	.cfi_endproc
END(nmi_calltrap)

ENTRY(mchk_calltrap)
	FRAME_CFI 0
	SAVE_REGS
	REGS_CFI
	movq	%rsp, %rdi
	call	trap
	jmp	doreti
	.cfi_endproc
END(mchk_calltrap)

/*
 * Interrupts: the handler is called from the entry itself.  One description
 * for all of it: LLDB looks for a function's at its first instruction only.
 */
.macro	INTR name, handler
ENTRY(X\name)
	FRAME_CFI -TF_RIP
	subq	$TF_RIP, %rsp
	.cfi_def_cfa_offset 0
	movl	$0, TF_TRAPNO(%rsp)
	movq	$0, TF_ADDR(%rsp)
	movq	$0, TF_ERR(%rsp)
	SAVE_REGS
	REGS_CFI
	movq	%rsp, %rdi
	call	\handler
	jmp	doreti
	.cfi_endproc
END(X\name)
.endm

	INTR timerint, lapic_handle_timer
	INTR preempt, ipi_preempt_handler
	INTR invltlb, ipi_invltlb_handler
	INTR apic_isr1, lapic_handle_intr
	INTR spuriousint, lapic_handle_spurious

/* A vector that nothing should use. */
	TRAP_NOERR rsvd, NIDT, alltraps

/*
 * A new thread's first instructions: cpu_switch() returned here, the function
 * in %r12, its argument in %rbx.  The trap frame above ends backtraces: its
 * program counter is 0.  A thread does not come back from fork_exit().
 */
ENTRY(fork_trampoline)
	OUTERMOST_CFI
	movq	%r12, %rdi
	movq	%rbx, %rsi
	movq	%rsp, %rdx
	call	fork_exit
	ud2
	.cfi_endproc
END(fork_trampoline)

	.section .note.GNU-stack, "", @progbits
