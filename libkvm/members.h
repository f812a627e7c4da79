/*
 * Members of the kernel's structures, found by a helper process (helper.h).
 */
#ifndef LIBKVM_MEMBERS_H
#define LIBKVM_MEMBERS_H

#include "libkvm/exec.h"

/*
 * See kvm_members_find().  If the search had to be given up, none was found and
 * why[len], which the caller has made empty, says why.
 */
size_t members_find(struct exec *ex, struct kvm_member *list, size_t n,
    char *why, size_t len);

#endif
