/*
 * Block devices: the list of them, the polled calls, and whole requests.
 *
 * Lock: none.  Disks are attached by one thread during the boot; the polled
 * calls are for a machine that is stopped, and disk_queue.c has the lock of the
 * queue.
 */
#include "kernel/dev/disk.h"

#include "kernel/dev/disk_queue.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

static struct disk *disks; /* in the order in which they were attached */

void
disk_attach(struct disk *dk)
{
	struct disk **end = &disks;

	while (*end != NULL)
		end = &(*end)->bd_next;
	disk_queue_init(dk);
	dk->bd_next = NULL;
	*end = dk;
}

struct disk *
disk_first(void)
{
	return (disks);
}

struct disk *
disk_find(const char *name)
{
	struct disk *dk = disks;

	while (dk != NULL && strcmp(dk->bd_name, name) != 0)
		dk = dk->bd_next;
	return (dk);
}

int
disk_reset(struct disk *dk)
{
	int error;

	dk->bd_mode = DISK_UNKNOWN;
	error = dk->bd_driver->dv_reset(dk);
	dk->bd_mode = error == 0 ? DISK_POLLED : DISK_UNKNOWN;
	return (error);
}

int
disk_submit(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off)
{
	if (tag >= DISK_DEPTH || nsegs > DISK_MAXSEG ||
	    off % dk->bd_sector_len != 0)
		return (EINVAL);
	return (dk->bd_driver->dv_submit(dk, tag, cmd, segs, nsegs, off));
}

int
disk_wait(struct disk *dk, unsigned int *tag)
{
	return (dk->bd_driver->dv_wait(dk, tag));
}

/* The machine is stopped: the queue may have left the device in any state. */
static int
rw_polled(struct disk *dk, const struct bio *bp)
{
	struct disk_seg segs[BIO_MAXPAGES];
	unsigned int n = bio_segs(bp, segs), tag;
	int error = 0;

	if (bp->bio_cmd == BIO_FLUSH && !dk->bd_flush)
		return (0);
	if (dk->bd_mode != DISK_POLLED)
		error = disk_reset(dk);
	if (error == 0)
		error =
		    disk_submit(dk, 0, bp->bio_cmd, segs, n, bp->bio_offset);
	if (error == 0)
		error = disk_wait(dk, &tag);
	return (error);
}

int
disk_rw(struct disk *dk, enum bio_cmd cmd, void *buf, size_t len, uint64_t off)
{
	vm_offset_t va = trunc_page((vm_offset_t)buf);
	vm_paddr_t ma[BIO_MAXPAGES];
	struct bio bio = {
		.bio_disk = dk,
		.bio_cmd = cmd,
		.bio_offset = off,
		.bio_bcount = (uint32_t)len,
		.bio_ma = ma,
		.bio_ma_offset = (uint32_t)((vm_offset_t)buf - va),
	};
	int error;

	if (len > ptoa(BIO_MAXPAGES) - bio.bio_ma_offset)
		return (EINVAL);
	for (vm_pindex_t i = 0; ptoa(i) < bio.bio_ma_offset + len; i++)
		ma[i] = pmap_kextract(va + ptoa(i));
	if (SCHEDULER_STOPPED())
		return (rw_polled(dk, &bio));
	error = bio_start(&bio);
	return (error == 0 ? bio_wait(&bio) : error);
}
