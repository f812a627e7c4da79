/*
 * A disk, or the image of one: bytes at places, and how many there are.
 */
#ifndef DISK_DISK_H
#define DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk {
	int dk_fd;
	uint64_t dk_len;	/* bytes */
	uint32_t dk_sector_len; /* bytes; 0: nobody says, as of an image */
};

/*
 * flags as for open(2).  false: errno tells why; ENODEV: it is neither a
 * regular file nor a disk.
 */
bool disk_open(struct disk *dk, const char *path, int flags);
void disk_close(struct disk *dk);

/*
 * All len bytes at off, or false: errno tells why, and is ENXIO if the disk
 * ends before them.  On FreeBSD's devices both must be multiples of the sector.
 */
bool disk_read(const struct disk *dk, uint64_t off, void *buf, size_t len);
bool disk_write(const struct disk *dk, uint64_t off, const void *buf,
    size_t len);

#endif
