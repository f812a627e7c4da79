/* See kernel/amd64/cpufunc.h. */
#ifndef KERNEL_MACHINE_CPUFUNC_H
#define KERNEL_MACHINE_CPUFUNC_H

#include "kernel/amd64/cpufunc.h"

#endif
