/*
 * What FreeBSD calls this machine.
 */
#ifndef KERNEL_AMD64_PARAM_H
#define KERNEL_AMD64_PARAM_H

#define MACHINE_ARCH "amd64"

#endif
