/*
 * What a trap leaves on the stack.  Debuggers know this layout: it is
 * FreeBSD/amd64's.  exception.S builds it.
 */
#ifndef KERNEL_AMD64_FRAME_H
#define KERNEL_AMD64_FRAME_H

#define TF_RDI	  0
#define TF_RSI	  8
#define TF_RDX	  16
#define TF_RCX	  24
#define TF_R8	  32
#define TF_R9	  40
#define TF_RAX	  48
#define TF_RBX	  56
#define TF_RBP	  64
#define TF_R10	  72
#define TF_R11	  80
#define TF_R12	  88
#define TF_R13	  96
#define TF_R14	  104
#define TF_R15	  112
#define TF_TRAPNO 120
#define TF_ADDR	  128
#define TF_FLAGS  136
#define TF_ERR	  144
#define TF_RIP	  152
#define TF_CS	  160
#define TF_RFLAGS 168
#define TF_RSP	  176
#define TF_SS	  184
#define TF_SIZE	  192

#ifndef LOCORE
#include "kernel/amd64/types.h"
#include "kernel/sys/param.h"

struct trapframe {
	register_t tf_rdi;
	register_t tf_rsi;
	register_t tf_rdx;
	register_t tf_rcx;
	register_t tf_r8;
	register_t tf_r9;
	register_t tf_rax;
	register_t tf_rbx;
	register_t tf_rbp;
	register_t tf_r10;
	register_t tf_r11;
	register_t tf_r12;
	register_t tf_r13;
	register_t tf_r14;
	register_t tf_r15;
	uint32_t tf_trapno;
	uint16_t tf_fs;
	uint16_t tf_gs;
	register_t tf_addr; /* of a page fault: the address */
	uint32_t tf_flags;
	uint16_t tf_es;
	uint16_t tf_ds;
	/* From here on the hardware's. */
	register_t tf_err;
	register_t tf_rip;
	register_t tf_cs;
	register_t tf_rflags;
	register_t tf_rsp;
	register_t tf_ss;
};
static_assert(offsetof(struct trapframe, tf_r15) == TF_R15, "FreeBSD's");
static_assert(offsetof(struct trapframe, tf_trapno) == TF_TRAPNO, "FreeBSD's");
static_assert(offsetof(struct trapframe, tf_err) == TF_ERR, "FreeBSD's");
static_assert(offsetof(struct trapframe, tf_rsp) == TF_RSP, "FreeBSD's");
static_assert(sizeof(struct trapframe) == TF_SIZE, "FreeBSD's");
static_assert(TF_SIZE % 16 == 0, "the stack stays aligned for calls");
#endif

#endif
