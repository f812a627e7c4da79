/*
 * Memory before the VM system is started, and what the loader says about it.
 */
#ifndef KERNEL_AMD64_BOOTMEM_H
#define KERNEL_AMD64_BOOTMEM_H

#include "kernel/amd64/pvh.h"

extern struct bootinfo bootinfo;

extern uint64_t realmem; /* bytes of dump_avail */

/* Memory that was taken from phys_avail before the VM system was there. */
extern struct physrange boot_taken;

/*
 * Take npages of zeroed memory for good, before the VM system is there: its
 * address in the direct map.  panics if there is none.
 */
void *boot_alloc(uint64_t npages);

#endif
