/*
 * Virtio block devices, polled.
 */
#ifndef KERNEL_DEV_VIRTIO_BLK_H
#define KERNEL_DEV_VIRTIO_BLK_H

#include "kernel/sys/param.h"

struct vtblk;

#define VTBLK_SECTOR 512

/* Requests in flight, and pieces of each. */
#define VTBLK_DEPTH  4
#define VTBLK_MAXSEG 62

/* A piece of memory, contiguous at vs_pa. */
struct vtblk_seg {
	vm_paddr_t vs_pa;
	uint32_t vs_len; /* bytes */
};

enum vtblk_op { VTBLK_READ, VTBLK_WRITE, VTBLK_FLUSH };

/* "vtbd0" and so on; NULL: no such disk. */
struct vtblk *vtblk_find(const char *name);
struct vtblk *vtblk_get(unsigned int unit);

const char *vtblk_name(const struct vtblk *vb);
uint64_t vtblk_media_len(const struct vtblk *vb); /* bytes */
bool vtblk_readonly(const struct vtblk *vb);

/* Bring the device to a state without requests, whatever it was in. */
int vtblk_reset(struct vtblk *vb);

/*
 * Start a request at off, a multiple of a sector; tag, less than VTBLK_DEPTH,
 * names no other one in flight.  0 or EINVAL.
 */
int vtblk_submit(struct vtblk *vb, unsigned int tag, enum vtblk_op op,
    const struct vtblk_seg *segs, unsigned int nsegs, uint64_t off);

/* Wait for any request: its tag and 0, or EIO; ETIMEDOUT, and any tag. */
int vtblk_wait(struct vtblk *vb, unsigned int *tag);

/*
 * One request from start to end, for a buffer of the kernel's map.  Of those
 * who call it one waits for the other; a dump, which has the device for itself,
 * does not.
 */
int vtblk_rw(struct vtblk *vb, enum vtblk_op op, void *buf, size_t len,
    uint64_t off);

#endif
