/*
 * The kernel's structures, from the debug information of its file or of the
 * split-off file beside it.  members.c calls this in a process of its own: a
 * hostile file can make libdw abort.
 */
#ifndef LIBKVM_TYPES_H
#define LIBKVM_TYPES_H

#include "libkvm/exec.h"

struct types;

/* ex must outlive the result.  NULL: there is no memory. */
struct types *types_open(struct exec *ex);
void types_close(struct types *ty);

/* debugsections_unreadable()'s answer about the file, and the split-off one. */
const char *types_unreadable(const struct types *ty);

/* debugsections_elsewhere()'s answer: no structure is found then. */
bool types_elsewhere(const struct types *ty);

/* See kvm_members_find(). */
size_t types_find(struct types *ty, struct kvm_member *list, size_t n);

#endif
