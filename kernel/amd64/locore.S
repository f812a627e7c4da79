/*
 * The first instructions.
 *
 * A PVH loader enters in 32-bit protected mode without paging, EBX the physical
 * address of its start info (struct hvm_start_info).  From here the kernel goes
 * to 64-bit mode over page tables that map the first gigabyte twice, at 0 and
 * at KERNBASE, and calls init_amd64().  pmap_bootstrap() makes better tables.
 *
 * Facts: Xen's public/arch-x86/hvm/start_info.h, docs/misc/pvh.pandoc.
 */
#define LOCORE
#include "kernel/amd64/asmacros.h"
#include "kernel/amd64/vmparam.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define PTE_V  0x001
#define PTE_RW 0x002
#define PTE_PS 0x080

#define PA(sym) (sym - KERNBASE)

	.cfi_sections .eh_frame

	.section .note.Xen, "a", @note
	.p2align 2
	.long	2f - 1f
	.long	4f - 3f
	.long	XEN_ELFNOTE_PHYS32_ENTRY
1:	.asciz	"Xen"
2:	.p2align 2
3:	.quad	PA(btext)
4:	.p2align 2

	.section .text.boot, "ax", @progbits
	.code32
	.globl	btext
	.type	btext, @function
btext:
	cld
	movl	%ebx, %esi

	/* The loader need not have cleared what the file does not hold. */
	movl	$PA(__bss_start), %edi
	movl	$PA(_ebss), %ecx
	subl	%edi, %ecx
	shrl	$2, %ecx
	xorl	%eax, %eax
	rep
	stosl

	/* Long mode, NX; paging; write protection also for us. */
	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	$PA(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER */
	rdmsr
	orl	$0x900, %eax		/* LME, NXE */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80010000, %eax	/* PG, WP */
	movl	%eax, %cr0

	lgdt	PA(boot_gdtr)
	ljmp	$0x20, $PA(1f)
	.code64
1:	movw	$0x28, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movabsq	$2f, %rax
	jmp	*%rax
	OUTERMOST_CFI
2:	movq	thread0_stack_top_va(%rip), %rsp
	xorl	%ebp, %ebp
	pushq	$0			/* the end of all backtraces */
	pushq	$0
	movl	%esi, %edi
	call	init_amd64
3:	hlt
	jmp	3b
	.cfi_endproc
END(btext)

	.section .data.boot, "aw", @progbits
	.p2align 12
boot_pml4:
	.quad	PA(boot_pdpt_low) + PTE_V + PTE_RW
	.fill	510, 8, 0
	.quad	PA(boot_pdpt_high) + PTE_V + PTE_RW
	.globl	boot_pdpt_low
boot_pdpt_low:
	.quad	PA(boot_pd) + PTE_V + PTE_RW
	.fill	511, 8, 0
boot_pdpt_high:
	.fill	510, 8, 0
	.quad	PA(boot_pd) + PTE_V + PTE_RW
	.quad	0
boot_pd:
	i = 0
	.rept	512
	.quad	i * 0x200000 + PTE_V + PTE_RW + PTE_PS
	i = i + 1
	.endr

	/* The selectors of amd64/segments.h. */
	.p2align 3
	.globl	boot_gdt
boot_gdt:
	.quad	0, 0, 0, 0
	.quad	0x00af9b000000ffff	/* 0x20: 64-bit code */
	.quad	0x00cf93000000ffff	/* 0x28: data */
boot_gdt_end:
	.globl	boot_gdtr
boot_gdtr:
	.word	boot_gdt_end - boot_gdt - 1
	.quad	PA(boot_gdt)
thread0_stack_top_va:
	.quad	thread0_stack_top
	.section .note.GNU-stack, "", @progbits
