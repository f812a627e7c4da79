/*
 * Opening files whose names come out of a dump or of a kernel's file.
 */
#ifndef LIBKVM_PLAINFILE_H
#define LIBKVM_PLAINFILE_H

/*
 * Open the plain file at path for reading.  -1: there is none.  Nothing else is
 * opened, not even for a moment: a FIFO or a device would notice.
 */
int plainfile_open(const char *path);

#endif
