/*
 * struct kinfo_proc, filled in from the structures of the dumped kernel.
 */
#ifndef LIBKVM_KINFO_H
#define LIBKVM_KINFO_H

#include "libkvm/kvm.h"

#ifdef __FreeBSD__
#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#else
#include "libkvm/kvm_proc.h"
#endif

/*
 * Fill in an entry from the struct proc at proc and the struct thread at td, or
 * none if that is 0.  Fields that are not known or cannot be read are 0.
 */
void kinfo_fill(kvm_t *kd, kvaddr_t proc, kvaddr_t td, struct kinfo_proc *kp);

#endif
