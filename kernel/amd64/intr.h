/*
 * Interrupts of devices.
 */
#ifndef KERNEL_AMD64_INTR_H
#define KERNEL_AMD64_INTR_H

#include <stdint.h>

/*
 * A message-signaled interrupt (MSI, MSI-X): the device interrupts a CPU by
 * writing this value to this address.
 */
struct intr_msg {
	uint64_t imsg_pa;
	uint32_t imsg_data;
};

/*
 * Call func(arg) for each interrupt that a device raises by *msg, which is
 * filled in: 0, or ENOSPC if all vectors are taken.  Each device gets the CPU
 * after the one that the last device got.  func runs there with interrupts off;
 * it may take spin mutexes and wake threads, and may not sleep.  Interrupts may
 * be spurious, and come at once after the device was told the message.  name
 * and arg must live for ever.
 */
int intr_setup(const char *name, void (*func)(void *arg), void *arg,
    struct intr_msg *msg);

/* Call the function of a vector.  From the interrupt. */
void intr_dispatch(unsigned int vector);

#endif
