/*
 * One-page slabs through the direct map: the machine's uma_machdep.c.
 */
#ifndef KERNEL_VM_UMA_MACHDEP_H
#define KERNEL_VM_UMA_MACHDEP_H

#include "kernel/vm/uma.h"

void *uma_small_alloc(uma_zone_t zone, vm_size_t size, uint8_t *pflag,
    int wait);
void uma_small_free(void *mem, vm_size_t size, uint8_t pflag);

#endif
