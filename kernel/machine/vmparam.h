/* See kernel/amd64/vmparam.h. */
#ifndef KERNEL_MACHINE_VMPARAM_H
#define KERNEL_MACHINE_VMPARAM_H

#include "kernel/amd64/vmparam.h"

#endif
