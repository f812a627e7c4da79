/*
 * Files that may be compressed: opened as what they hold.
 */
#ifndef LIBKVM_UNPACK_H
#define LIBKVM_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libkvm/kvm_core.h"

/*
 * Open path for reading: as it is, or, when it is compressed with gzip or zstd,
 * an unlinked temporary file with what it holds.  Zeros become holes there.
 *
 * Returns a descriptor, or -1 with a text in why[len].  A compressed file that
 * ends too early yields what there is of it, as a file cut short would.
 */
int unpack_open(const char *path, const struct kvm_progress *progress,
    char *why, size_t len);

/* Is the file called path compressed?  false also if it cannot be read. */
bool unpack_is_packed(const char *path);

/* The i-th kind of compression that is understood; NULL: there are no more. */
const char *unpack_name(size_t i);

/* What the names of such files end in, ".gz" say; NULL as above. */
const char *unpack_suffix(size_t i);

#endif
