/*
 * The local APIC: its clock, and interrupts that it sends.
 */
#ifndef KERNEL_AMD64_LAPIC_H
#define KERNEL_AMD64_LAPIC_H

#include "kernel/sys/types.h"

struct trapframe;

void lapic_init(void);
void lapic_start_timer(void);
uint32_t lapic_id(void);
void lapic_ipi(uint32_t apic_id, uint8_t vector);
void lapic_nmi(uint32_t apic_id);
void lapic_startup(uint32_t apic_id, vm_paddr_t trampoline_pa);
void lapic_handle_timer(struct trapframe *frame);
void lapic_handle_intr(struct trapframe *frame);
void lapic_handle_spurious(struct trapframe *frame);

#endif
