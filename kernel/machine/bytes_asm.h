/* See kernel/amd64/bytes_asm.h. */
#ifndef KERNEL_MACHINE_BYTES_ASM_H
#define KERNEL_MACHINE_BYTES_ASM_H

#include "kernel/amd64/bytes_asm.h"

#endif
