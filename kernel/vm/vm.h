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

#endif
