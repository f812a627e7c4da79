/*
 * A disk, or the image of one: bytes at places, and how many there are.
 */
#ifndef DISK_DISK_H
#define DISK_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_MAX_SECTOR_LEN 16384

/*
 * The lengths of sectors, in bytes, that are tried where nothing tells which it
 * is: an image does not.
 */
#define DISK_NSECTOR_LENS	  4
#define DISK_USUAL_MAX_SECTOR_LEN 4096
extern const uint32_t disk_sector_lens[DISK_NSECTOR_LENS];

struct disk {
	int dk_fd;
	uint64_t dk_len;	/* bytes */
	uint32_t dk_sector_len; /* bytes; 0: any bytes can be read */
};

/*
 * flags as for open(2).  false: errno tells why; ENODEV: it is neither a
 * regular file nor a disk.
 */
bool disk_open(struct disk *dk, const char *path, int flags);
void disk_close(struct disk *dk);

/*
 * All len bytes at off, or false: errno tells why, and is ENXIO if the disk
 * ends before them.
 */
bool disk_read(const struct disk *dk, uint64_t off, void *buf, size_t len);
bool disk_write(const struct disk *dk, uint64_t off, const void *buf,
    size_t len);

/*
 * A text about errno, which one of these functions has set.  It is valid until the
 * next strerror(3).
 */
const char *disk_error(void);

/* Wait until all that was written is on the disk. */
bool disk_flush(const struct disk *dk);

/*
 * The host may remember bytes that another machine has changed on the disk:
 * let it forget them, as far as it can.
 */
void disk_forget(const struct disk *dk, uint64_t off, uint64_t len);

/* The first byte from off on that is in no hole of an image; or dk_len. */
uint64_t disk_next_data(const struct disk *dk, uint64_t off);

/* The first byte after off that is in a hole; or dk_len. */
uint64_t disk_next_hole(const struct disk *dk, uint64_t off);

/*
 * How many bytes from off on, up to len, are all in a hole of an image, and so
 * zeros that need not be read, or all in none; *hole tells which.
 */
uint64_t disk_run_len(const struct disk *dk, uint64_t off, uint64_t len,
    bool *hole);

#endif
