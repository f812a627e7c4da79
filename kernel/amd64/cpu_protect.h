/*
 * What a CPU can refuse the kernel, or programs, beyond page tables' rights.
 */
#ifndef KERNEL_AMD64_CPU_PROTECT_H
#define KERNEL_AMD64_CPU_PROTECT_H

/* On this CPU: turn on all that it has. */
void cpu_protect(void);

/*
 * Around an access to user memory on purpose.  In a critical section, since the
 * flag that allows it belongs to the CPU and is not switched.
 */
void user_access_begin(void);
void user_access_end(void);

#endif
