/*
 * Block devices: the list of them, and whole requests.
 */
#include "kernel/dev/disk.h"

#include "kernel/dev/disk_queue.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
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
	return (dk->bd_driver->dv_reset(dk));
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

int
disk_rw(struct disk *dk, enum bio_cmd cmd, void *buf, size_t len, uint64_t off)
{
	struct disk_seg segs[DISK_MAXSEG];
	unsigned int n = 0, tag;
	int error;

	if (cmd == BIO_FLUSH && !dk->bd_flush)
		return (0);
	for (size_t done = 0; done < len; n++) {
		vm_offset_t va = (vm_offset_t)buf + done;
		size_t room = PAGE_SIZE - (va & PAGE_MASK);

		if (n == DISK_MAXSEG)
			return (EINVAL);
		segs[n].dks_pa = pmap_kextract(va);
		segs[n].dks_len =
		    (uint32_t)(len - done < room ? len - done : room);
		done += segs[n].dks_len;
	}
	mtx_lock_spin(&dk->bd_mtx);
	error = disk_submit(dk, 0, cmd, segs, n, off);
	if (error == 0)
		error = disk_wait(dk, &tag);
	mtx_unlock_spin(&dk->bd_mtx);
	return (error);
}
