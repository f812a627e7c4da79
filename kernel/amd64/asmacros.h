/*
 * What the assembly files share.
 */
#ifndef KERNEL_AMD64_ASMACROS_H
#define KERNEL_AMD64_ASMACROS_H

/* A function that debuggers can name and step through. */
#define ENTRY(name) \
	.globl name; \
	.p2align 4, 0x90; \
	.type name, @function; \
	name:

#define END(name) .size name, . - name

/* From here to .cfi_endproc there is no caller: debuggers stop. */
#define OUTERMOST_CFI \
	.cfi_startproc simple; \
	.cfi_def_cfa %rsp, 0; \
	.cfi_undefined %rip;

#endif
