/*
 * Types that the whole VM system shares.
 */
#ifndef KERNEL_VM_VM_H
#define KERNEL_VM_VM_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t vm_paddr_t;   /* an address on the memory bus */
typedef uintptr_t vm_offset_t; /* a virtual address of this kernel */
typedef size_t vm_size_t;
typedef uint64_t vm_pindex_t; /* a count or number of pages */

typedef struct vm_page *vm_page_t;

#endif
