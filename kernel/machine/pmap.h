/* See kernel/amd64/pmap.h. */
#ifndef KERNEL_MACHINE_PMAP_H
#define KERNEL_MACHINE_PMAP_H

#include "kernel/amd64/pmap.h"

#endif
