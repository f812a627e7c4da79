/*
 * Block devices, polled: what a driver offers, and how the rest of the kernel
 * reads and writes disks.
 *
 * Nothing here allocates, and only disk_rw() takes a lock: a dying kernel
 * writes its dump through these calls.
 */
#ifndef KERNEL_DEV_DISK_H
#define KERNEL_DEV_DISK_H

#include "kernel/sys/mutex.h"
#include "kernel/sys/param.h"

/* The most that any driver takes: requests in flight, and pieces of each. */
#define DISK_DEPTH  4
#define DISK_MAXSEG 62

/* A piece of memory, contiguous at dks_pa. */
struct disk_seg {
	vm_paddr_t dks_pa;
	uint32_t dks_len; /* bytes */
};

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH };

struct disk;

/* The driver's part of disk_reset(), disk_submit() and disk_wait(). */
struct disk_driver {
	int (*dv_reset)(struct disk *dk);
	int (*dv_submit)(struct disk *dk, unsigned int tag, enum disk_op op,
	    const struct disk_seg *segs, unsigned int nsegs, uint64_t off);
	int (*dv_wait)(struct disk *dk, unsigned int *tag);
};

/* Part of the driver's own structure, which is never freed. */
struct disk {
	char bd_name[8]; /* "vtbd0" */
	const struct disk_driver *bd_driver;
	uint32_t bd_sector_len; /* bytes: a power of two, 512 to a page */
	uint64_t bd_media_len;	/* bytes, a multiple of bd_sector_len */
	bool bd_readonly;
	bool bd_flush;	      /* it has a cache to flush */
	struct mtx bd_mtx;    /* for disk_rw(), from submit to wait */
	struct disk *bd_next; /* attached after this one */
};

/* Called by a driver, which has filled in all but bd_mtx and bd_next. */
void disk_attach(struct disk *dk);

/* By name; NULL: no such disk. */
struct disk *disk_find(const char *name);

/* The disk that was attached first; NULL: there is none. */
struct disk *disk_first(void);

/* Bring the device from any state to one without requests in flight. */
int disk_reset(struct disk *dk);

/*
 * Start a request at off.  off and the length of all pieces are multiples of a
 * sector; tag, less than DISK_DEPTH, names no other request in flight.  0 or
 * EINVAL.
 */
int disk_submit(struct disk *dk, unsigned int tag, enum disk_op op,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off);

/* Wait for any request: its tag and 0, or EIO; ETIMEDOUT, and any tag. */
int disk_wait(struct disk *dk, unsigned int *tag);

/*
 * One request from start to end, for a buffer of the kernel's map.  Calls are
 * serialized, except in a dump, which has the device for itself.
 */
int disk_rw(struct disk *dk, enum disk_op op, void *buf, size_t len,
    uint64_t off);

#endif
