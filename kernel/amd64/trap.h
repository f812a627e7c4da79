/*
 * Traps, and the table that sends them to their handlers.
 */
#ifndef KERNEL_AMD64_TRAP_H
#define KERNEL_AMD64_TRAP_H

struct trapframe;

void idt_init(void);
void idt_load(void);
void idt_forget(void); /* the next trap resets the machine */
void trap(struct trapframe *frame);

#endif
