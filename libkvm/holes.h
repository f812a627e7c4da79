/*
 * How much of a file is there.  A file of a few kilobytes can say that it is
 * terabytes long, because of a hole, which costs nothing on the disk and reads
 * as zeros.
 */
#ifndef LIBKVM_HOLES_H
#define LIBKVM_HOLES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Bytes of the file behind fd that are in no hole.  All of it, where the file
 * system does not tell; 0 if fd is no plain file.  Leaves fd's offset at 0.
 */
uint64_t holes_data_len(int fd);

/*
 * The length in bytes up to which a file may be all hole, where few files are
 * read: HOLES_LEN_MAX.  Where a dump decides how many are, each gets less.
 */
#define HOLES_LEN_MAX (UINT64_C(64) << 20)

/*
 * Is the file longer than len_max bytes, and so much of a hole that it is not
 * worth reading?  An honest ELF file has hardly any.  false for whatever is no
 * plain file.  Leaves fd's offset at 0.
 */
bool holes_is_hollow(int fd, uint64_t len_max);

#endif
