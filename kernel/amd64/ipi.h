/*
 * Interrupts from CPU to CPU, beside what all machines have (sys/smp.h).
 */
#ifndef KERNEL_AMD64_IPI_H
#define KERNEL_AMD64_IPI_H

#include <stdbool.h>

struct trapframe;

void ipi_preempt_handler(struct trapframe *frame);
void ipi_invltlb_handler(struct trapframe *frame);

/* An NMI for stopping this CPU?  Then it stopped, and may go on. */
bool ipi_nmi_handler(void);

#endif
