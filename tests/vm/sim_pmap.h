/*
 * The page tables of the simulated machine: sim_pmap.c has the host keep them,
 * mmu.c keeps them as the machine does, with the kernel's own code.  A program is
 * linked with one of these.
 */
#ifndef TESTS_VM_SIM_PMAP_H
#define TESTS_VM_SIM_PMAP_H

#include "kernel/vm/vm.h"

/*
 * Make page tables, over memory that is the file fd and in the direct map.
 * Returns where kva_size bytes of KVA begin.
 */
vm_offset_t sim_pmap_boot(int fd, vm_size_t kva_size);
void sim_pmap_halt(void);

#endif
