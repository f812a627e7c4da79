/*
 * The words for a file that is not a core or a kernel: its kind, if it is
 * known by one, and what to do with it.
 */
#ifndef LIBKVM_REFUSE_H
#define LIBKVM_REFUSE_H

#include <stdint.h>

#define REFUSE_LEN 96 /* of a text that has a number in it */

/*
 * Why the file called path, of which fd holds len bytes, is not a core; not a
 * kernel.  Returns a text that lives until the next strerror(3) or is in buf.  If the file
 * cannot be read, the text says why, and so does errno.  NULL, of a core: it is
 * nothing that is known.
 */
const char *refuse_core(int fd, uint64_t len, const char *path,
    char buf[REFUSE_LEN]);
const char *refuse_kernel(int fd);

#endif
