/*
 * Partition tables: where on a disk a swap partition lies.
 */
#ifndef KERNEL_KERN_KERN_GPT_H
#define KERNEL_KERN_KERN_GPT_H

#include "kernel/sys/types.h"

struct disk;

/*
 * Is there a partition table or its copy, be it damaged or not?  One caller at
 * a time.
 */
bool gpt_present(struct disk *dk);

/* Is there an MBR with partitions?  One caller at a time. */
bool mbr_present(struct disk *dk);

/*
 * The bytes from *start on, *len of them, are partition number, from 1, which
 * is freebsd-swap and may be written to.  NULL, or why not.  One caller at
 * a time.
 */
const char *gpt_find_swap(struct disk *dk, unsigned int number, uint64_t *start,
    uint64_t *len);

#endif
