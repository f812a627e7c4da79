/*
 * The machine's word.
 */
#ifndef KERNEL_AMD64_TYPES_H
#define KERNEL_AMD64_TYPES_H

#include <stdint.h>

typedef uint64_t register_t;

#endif
