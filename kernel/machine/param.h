/* See kernel/amd64/param.h. */
#ifndef KERNEL_MACHINE_PARAM_H
#define KERNEL_MACHINE_PARAM_H

#include "kernel/amd64/param.h"

#endif
