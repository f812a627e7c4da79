/* See kernel/amd64/frame.h. */
#ifndef KERNEL_MACHINE_FRAME_H
#define KERNEL_MACHINE_FRAME_H

#include "kernel/amd64/frame.h"

#endif
