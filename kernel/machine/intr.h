/* See kernel/amd64/intr.h. */
#ifndef KERNEL_MACHINE_INTR_H
#define KERNEL_MACHINE_INTR_H

#include "kernel/amd64/intr.h"

#endif
