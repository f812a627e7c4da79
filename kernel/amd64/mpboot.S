/*
 * Where the other CPUs start: in real mode, at a page below 1 MB to which
 * start_all_aps() copies this code.  Through protected mode they go straight to
 * 64-bit mode, over page tables that map this page at its own address and the
 * kernel where it is, to ap_start, which calls init_secondary() on a stack of
 * their own.
 *
 * AMD64 APM vol. 2, "Long-Mode Initialization Example".
 */
#define LOCORE
#include "kernel/amd64/asmacros.h"

	.section .rodata
	.globl	mptramp_start, mptramp_end, mptramp_pml4, mptramp_stack
	.p2align 4
	.code16
mptramp_start:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	xorl	%ebx, %ebx
	movw	%ax, %bx
	shll	$4, %ebx		/* where we are */

	/* The far jump and the table's base need it. */
	leal	(tramp_64 - mptramp_start)(%ebx), %eax
	movl	%eax, (tramp_jump - mptramp_start)
	leal	(tramp_gdt - mptramp_start)(%ebx), %eax
	movl	%eax, (tramp_gdtr - mptramp_start + 2)
	lgdtl	(tramp_gdtr - mptramp_start)

	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	(mptramp_pml4 - mptramp_start), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER */
	rdmsr
	orl	$0x900, %eax		/* LME, NXE */
	wrmsr
	movl	%cr0, %eax
	andl	$0x9fffffff, %eax	/* caches on */
	orl	$0x80010001, %eax	/* PG, WP, PE */
	movl	%eax, %cr0
	ljmpl	*(tramp_jump - mptramp_start)

	.code64
tramp_64:
	movw	$0x28, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movq	mptramp_stack(%rip), %rsp
	xorl	%ebp, %ebp
	pushq	$0			/* the end of all backtraces */
	pushq	$0
	movabsq	$ap_start, %rax
	jmp	*%rax

	.p2align 3
tramp_gdt:
	.quad	0, 0, 0, 0
	.quad	0x00af9b000000ffff	/* 0x20: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x28: data */
tramp_gdtr:
	.word	. - tramp_gdt - 1
	.long	0
	.p2align 3
tramp_jump:
	.long	0
	.word	0x20
	.p2align 3
mptramp_pml4:
	.quad	0
mptramp_stack:
	.quad	0
mptramp_end:

	.text
	.cfi_sections .eh_frame

/* The first instruction that is not a copy: the outermost frame of a CPU. */
ENTRY(ap_start)
	OUTERMOST_CFI
	call	init_secondary
1:	hlt
	jmp	1b
	.cfi_endproc
END(ap_start)
	.section .note.GNU-stack, "", @progbits
