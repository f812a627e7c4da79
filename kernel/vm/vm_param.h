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

/* What the calls of maps and faults return; Mach's numbers. */
#define KERN_SUCCESS		0
#define KERN_INVALID_ADDRESS	1
#define KERN_PROTECTION_FAILURE 2
#define KERN_NO_SPACE		3
#define KERN_INVALID_ARGUMENT	4
#define KERN_FAILURE		5 /* a pager has no data, or cannot read it */
#define KERN_RESOURCE_SHORTAGE	6
#define KERN_OUT_OF_BOUNDS	9 /* past the end of an object */

#endif
