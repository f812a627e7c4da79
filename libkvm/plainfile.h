/*
 * Opening files whose names come out of a dump or of a kernel's file.
 */
#ifndef LIBKVM_PLAINFILE_H
#define LIBKVM_PLAINFILE_H

#include <sys/stat.h>

/*
 * Fill in st, if there is a plain file at path.  -1: there is none, and errno is
 * ENOENT; or errno says why the system does not tell.
 */
int plainfile_look(const char *path, struct stat *st);

/*
 * Open the plain file at path for reading.  -1: as plainfile_look().  Nothing
 * else is opened, not even for a moment: a FIFO or a device would notice.
 */
int plainfile_open(const char *path);

#endif
