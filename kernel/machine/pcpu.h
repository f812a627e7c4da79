/* See kernel/amd64/pcpu.h. */
#ifndef KERNEL_MACHINE_PCPU_H
#define KERNEL_MACHINE_PCPU_H

#include "kernel/amd64/pcpu.h"

#endif
