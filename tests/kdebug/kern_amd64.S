/*
 * A kernel whose functions keep no frame pointer, so that only its unwind
 * tables lead from one to the next:  outer -> middle -> leaf.  The tables are in
 * .eh_frame, or in .debug_frame; the code is in the first section, or in a later
 * one.
 */
#ifdef DEBUG_FRAME
	.cfi_sections .debug_frame
#endif
#ifdef LATE
	.section .text.late, "ax", @progbits
#else
	.text
#endif
	.globl	outer
	.type	outer, @function
outer:
	.cfi_startproc
	subq	$0x28, %rsp
	.cfi_adjust_cfa_offset 0x28
	call	middle
outer_back:
	addq	$0x28, %rsp
	.cfi_adjust_cfa_offset -0x28
	ret
	.cfi_endproc
	.size	outer, . - outer

	.globl	middle
	.type	middle, @function
middle:
	.cfi_startproc
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	xorl	%ebp, %ebp
	call	leaf
middle_back:
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	ret
	.cfi_endproc
	.size	middle, . - middle

	.globl	leaf
	.type	leaf, @function
leaf:
	.cfi_startproc
	nop
leaf_pc:
	ret
	.cfi_endproc
	.size	leaf, . - leaf

/* Its CFA is 16 bytes above rbx. */
	.globl	odd
	.type	odd, @function
odd:
	.cfi_startproc
	.cfi_def_cfa rbx, 16
	nop
odd_pc:
	ret
	.cfi_endproc
	.size	odd, . - odd

/* The first function: it has no caller. */
	.globl	first
	.type	first, @function
first:
	.cfi_startproc
	.cfi_undefined rip
	nop
first_pc:
	ret
	.cfi_endproc
	.size	first, . - first

	.section .note.GNU-stack, "", @progbits
