/*
 * Types that every room of the kernel shares.
 */
#ifndef KERNEL_SYS_TYPES_H
#define KERNEL_SYS_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/vm/vm.h"

typedef uint64_t register_t;

#endif
