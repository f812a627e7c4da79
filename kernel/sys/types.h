/*
 * Types that every room of the kernel shares.
 */
#ifndef KERNEL_SYS_TYPES_H
#define KERNEL_SYS_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t vm_paddr_t;   /* an address on the memory bus */
typedef uintptr_t vm_offset_t; /* a virtual address of this kernel */
typedef size_t vm_size_t;
typedef uint64_t vm_pindex_t; /* a count or number of pages */

#endif
