/*
 * The queue of requests of a disk, for its driver and those who watch it; its
 * users have sys/bio.h.
 */
#ifndef KERNEL_DEV_DISK_QUEUE_H
#define KERNEL_DEV_DISK_QUEUE_H

struct disk;

void disk_queue_init(struct disk *dk);

/*
 * The device may have finished requests.  From its interrupt, or instead of
 * it: arg is the disk.
 */
void disk_queue_intr(void *arg);

/*
 * Call this every second, in an interrupt: finds requests whose interrupt got
 * lost, sends them once more if a dump took the disk, and resets a disk that
 * has not answered for DISK_TIMEOUT calls.
 */
void disk_queue_watch(struct disk *dk);

/* Seconds.  Disks that try a bad sector again take many. */
#define DISK_TIMEOUT 60

#endif
