/*
 * All that kdebug/ tells of a kernel, for kernels that may be anything.
 */
#ifndef TESTS_FUZZ_LOOK_H
#define TESTS_FUZZ_LOOK_H

#include "libkvm/kvm_core.h"

/* Ask for all of it.  Text that is not escaped and wrong numbers abort. */
void look(kvm_t *kd);

#endif
