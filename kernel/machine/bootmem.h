/* See kernel/amd64/bootmem.h. */
#ifndef KERNEL_MACHINE_BOOTMEM_H
#define KERNEL_MACHINE_BOOTMEM_H

#include "kernel/amd64/bootmem.h"

#endif
