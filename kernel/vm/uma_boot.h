/*
 * UMA's start, before there is an allocator of pages.
 *
 * Until uma_startup2() one-page slabs come out of the memory that uma_startup()
 * was given; running out is a panic.
 */
#ifndef KERNEL_VM_UMA_BOOT_H
#define KERNEL_VM_UMA_BOOT_H

#include "kernel/vm/vm.h"

extern unsigned int uma_boot_pages; /* vm.boot_pages */

/* Bytes that uma_startup() wants. */
vm_size_t uma_boot_size(void);

void uma_startup(void *mem, vm_size_t size);

/* Pages can be allocated: what boot memory is left goes to the free lists. */
void uma_startup2(void);

#endif
