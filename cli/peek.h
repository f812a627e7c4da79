/*
 * What a core file says about itself, without the kernel that it came from:
 * enough for info and for the message buffer of a minidump.
 */
#ifndef CLI_PEEK_H
#define CLI_PEEK_H

#include "libkvm/kvm_core.h"

struct peek {
	int pk_fd;
	struct minidump_hdr pk_hdr;
	struct kvm_core pk_core; /* kc_minidump: NULL or &pk_hdr */
};

/* Is the file called path one that libkvm has to unpack before it opens it? */
bool peek_is_packed(const char *path);

/*
 * Is the file called path an ELF program, as a kernel is, and no core?  false
 * also if it cannot be read.
 */
bool peek_is_program(const char *path);

/*
 * Look at the file called path.  Returns EX_OK, and peek is for peek_close();
 * or another exit status after a message.
 */
int peek_open(const char *path, struct peek *peek);

/* Read up to len bytes at off.  Returns how many, -1 with errno. */
ssize_t peek_read(const struct peek *peek, uint64_t off, void *buf, size_t len);

void peek_close(struct peek *peek);

#endif
