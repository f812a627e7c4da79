/*
 * Where an ELF file's debug information is, when it was split off into a file
 * of its own: FreeBSD puts kernel.debug into /usr/lib/debug/boot/kernel, or
 * beside the kernel, where it was called kernel.symbols once.  Others put it
 * where its build id says, or on a debuginfod server.
 */
#ifndef LIBKVM_DEBUGLINK_H
#define LIBKVM_DEBUGLINK_H

#include <stddef.h>
#include <stdint.h>

/* The link of a file to its split-off debug information. */
struct debuglink {
	const char *dl_path;	    /* of the file itself */
	const char *dl_name;	    /* its .gnu_debuglink; NULL: it has none */
	uint32_t dl_crc;	    /* of the other file; with dl_name */
	const uint8_t *dl_build_id; /* NULL: it has none */
	size_t dl_build_id_len;	    /* bytes */
};

/*
 * Open the other half: beside the file, in the debug directory of the system
 * that the file belongs to, in that of this one, or, where DEBUGINFOD_URLS is
 * set, from a server.  It must have the same build id or, where one of the two
 * has none, the checksum that the link asks for: that of another build would
 * give wrong lines.  Returns a descriptor and *path, for the caller to close()
 * and free(); -1: not found.
 */
int debuglink_open(const struct debuglink *dl, char **path);

#endif
