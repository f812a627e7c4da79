/*
 * For those who time the kernel.
 */
#ifndef KERNEL_LAB_BENCH_H
#define KERNEL_LAB_BENCH_H

#include <stdint.h>

/* The rate of rdtsc(), measured: this takes 50 ms. */
uint64_t cycles_per_ms(void);

#endif
