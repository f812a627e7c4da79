/*
 * The words for a file that is not a core or a kernel: its kind, if it is
 * known by one, and what to do with it.
 */
#ifndef LIBKVM_REFUSE_H
#define LIBKVM_REFUSE_H

#include <stdint.h>

/*
 * Why the file called path, of which fd holds len bytes, is not a core; not a
 * kernel.  Returns a text that lives until the next strerror(3).  If the file
 * cannot be read, the text says why, and so does errno.  NULL, of a core: it is
 * nothing that is known.
 */
const char *refuse_core(int fd, uint64_t len, const char *path);
const char *refuse_kernel(int fd);

#endif
