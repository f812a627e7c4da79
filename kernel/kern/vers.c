/*
 * The version that kernel and dump are paired by, together with the build-id.
 *
 * osreldate tells debuggers the layout of our exported symbols: that of FreeBSD
 * 13.1, where stoppcbs is an array.
 */
#include "kernel/sys/version.h"

#include "kernel/machine/param.h"
#include "kernel/sys/param.h"

const char ostype[] = "vmcore";
const char osrelease[] = KERNEL_VERSION;
const char version[] =
    "vmcore kernel " KERNEL_VERSION " (GENERIC) " MACHINE_ARCH "\n";
const int osreldate = __FreeBSD_version;
const char machine_arch[] = MACHINE_ARCH;
char hostname[64] = "vmcore";
