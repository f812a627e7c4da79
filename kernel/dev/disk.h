/*
 * Block devices: what a driver offers, and the polled calls by which a dying
 * kernel writes its dump.  Those allocate nothing and take no lock.  While the
 * machine runs, requests go through the queue of sys/bio.h.
 */
#ifndef KERNEL_DEV_DISK_H
#define KERNEL_DEV_DISK_H

#include "kernel/sys/bio.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/param.h"

/* The most that a polled driver takes: requests in flight, pieces of each. */
#define DISK_DEPTH  4
#define DISK_MAXSEG 62

/* Requests of the queue in flight; each has up to BIO_MAXPAGES pieces. */
#define DISK_QDEPTH 7

/* A piece of memory, contiguous at dks_pa. */
struct disk_seg {
	vm_paddr_t dks_pa;
	uint32_t dks_len; /* bytes */
};

struct disk;

struct disk_driver {
	/* Its part of disk_reset(), disk_submit() and disk_wait(). */
	int (*dv_reset)(struct disk *dk);
	int (*dv_submit)(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
	    const struct disk_seg *segs, unsigned int nsegs, uint64_t off);
	int (*dv_wait)(struct disk *dk, unsigned int *tag);

	/*
	 * The queue's, with bd_mtx held.  A reset brings the device from any
	 * state to one in which it is idle and interrupts; if it fails, the
	 * device no longer accesses memory.  tag is less than DISK_QDEPTH.
	 * dv_queue_next() names a tag that is done, and 0 or EIO; it need not
	 * be one that was submitted.  false: there is none.
	 */
	int (*dv_queue_reset)(struct disk *dk);
	void (*dv_queue_submit)(struct disk *dk, unsigned int tag,
	    enum bio_cmd cmd, const struct disk_seg *segs, unsigned int nsegs,
	    uint64_t off);
	bool (*dv_queue_next)(struct disk *dk, unsigned int *tag, int *error);
};

/* Which calls the device was last made ready for. */
enum disk_mode {
	DISK_UNKNOWN, /* none: reset it */
	DISK_POLLED,
	DISK_QUEUEING,
	DISK_DEAD /* none: its reset failed */
};

/* Part of the driver's own structure, which is never freed. */
struct disk {
	char bd_name[8]; /* "vtbd0" */
	const struct disk_driver *bd_driver;
	uint32_t bd_sector_len; /* bytes: a power of two, 512 to a page */
	uint64_t bd_media_len;	/* bytes, a multiple of bd_sector_len */
	bool bd_readonly;
	bool bd_flush;	      /* it has a cache to flush */
	bool bd_interrupts;   /* it calls disk_queue_intr() */
	struct disk *bd_next; /* attached after this one */

	/* The queue: disk_queue.c. */
	struct mtx bd_mtx;
	enum disk_mode bd_mode;	    /* (bd_mtx), or a machine that is stopped */
	struct bio_list bd_waiting; /* (bd_mtx) */
	struct bio *bd_inflight[DISK_QDEPTH]; /* (bd_mtx) by tag; NULL: free */
	unsigned int bd_ninflight;	      /* (bd_mtx) */
	unsigned int bd_silence; /* (bd_mtx) seconds since it did anything */
};

/* Called by a driver, which has filled in what comes before bd_next. */
void disk_attach(struct disk *dk);

/* The pieces of memory of a request; how many. */
unsigned int bio_segs(const struct bio *bp, struct disk_seg segs[BIO_MAXPAGES]);

/* By name; NULL: no such disk. */
struct disk *disk_find(const char *name);

/* The disk that was attached first; NULL: there is none. */
struct disk *disk_first(void);

/*
 * Bring the device from any state to one without requests in flight, for the
 * two calls that follow.  The machine is stopped.
 */
int disk_reset(struct disk *dk);

/*
 * Start a request at off.  off and the length of all pieces are multiples of a
 * sector; tag, less than DISK_DEPTH, names no other request in flight.  0 or
 * EINVAL.
 */
int disk_submit(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off);

/* Wait for any request: its tag and 0, or EIO; ETIMEDOUT, and any tag. */
int disk_wait(struct disk *dk, unsigned int *tag);

/*
 * One request from start to end, for a buffer of the kernel's map that touches
 * at most BIO_MAXPAGES pages.  Sleeps, or polls if the machine is stopped.  0 or
 * an error of bio_start(); ETIMEDOUT.
 */
int disk_rw(struct disk *dk, enum bio_cmd cmd, void *buf, size_t len,
    uint64_t off);

#endif
