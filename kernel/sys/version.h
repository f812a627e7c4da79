/*
 * The kernel's name, release and version, for people and for debuggers.
 */
#ifndef KERNEL_SYS_VERSION_H
#define KERNEL_SYS_VERSION_H

extern const char version[]; /* ends in a newline */
extern const char ostype[];
extern const char osrelease[];
extern const int osreldate;
extern const char machine_arch[];
extern char hostname[64];

#endif
