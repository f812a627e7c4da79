/* See kernel/amd64/pcb.h. */
#ifndef KERNEL_MACHINE_PCB_H
#define KERNEL_MACHINE_PCB_H

#include "kernel/amd64/pcb.h"

#endif
