/*
 * Types that the whole VM system shares.
 *
 * Nothing in kernel/vm may be called from an interrupt handler: its per-CPU
 * data is guarded against preemption, not against interrupts.
 */
#ifndef KERNEL_VM_VM_H
#define KERNEL_VM_VM_H

#include "kernel/sys/types.h"

typedef struct vm_page *vm_page_t;
typedef struct pmap *pmap_t;

/* What may be done to memory; FreeBSD's bits. */
typedef uint8_t vm_prot_t;
#define VM_PROT_NONE	0x0
#define VM_PROT_READ	0x1
#define VM_PROT_WRITE	0x2
#define VM_PROT_EXECUTE 0x4
#define VM_PROT_ALL	0x7

#endif
