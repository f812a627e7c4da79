/*
 * Files whose zeros take no room.
 */
#ifndef LIBKVM_SPARSE_H
#define LIBKVM_SPARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Write len bytes at off, but for blocks of the file that would get nothing but
 * zeros: in a new file they are holes.  A hole at the end does not make the file
 * longer; ftruncate(2) does.  What was written is added to *written, unless that
 * is NULL.  false: errno says why; some of the bytes may be in the file.
 */
bool sparse_write(int fd, uint64_t off, const void *buf, size_t len,
    uint64_t *written);

#endif
