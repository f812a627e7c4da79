/*
 * The VM system's limits.
 */
#ifndef KERNEL_VM_VM_PARAM_H
#define KERNEL_VM_VM_PARAM_H

#include "kernel/sys/param.h"
#include "kernel/vm/vm.h"

/* Ranges of physical memory that firmware may report. */
#define VM_PHYSSEG_MAX 32

/* Blocks of the page allocator: 2^0 to 2^12 pages, 4 KB to 16 MB. */
#define VM_NFREEORDER 13

#endif
