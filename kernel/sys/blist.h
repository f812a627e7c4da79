/*
 * Blocks of a device, by the run.
 *
 * A bit for each block, and for each 64 of them the longest free run, in a tree
 * that finds one of a given length in a few steps.  1.14 bits a block.
 *
 * A run that is allocated lies in a group of 64 blocks.  Runs are looked for
 * from where the last one was found, so that what is allocated in a row is in a
 * row on the device.  The callers lock.
 *
 * kernel/kern/subr_blist.c
 */
#ifndef KERNEL_SYS_BLIST_H
#define KERNEL_SYS_BLIST_H

#include "kernel/sys/param.h"

typedef struct blist *blist_t;

#define BLIST_MAX_ALLOC 64
#define BLIST_NONE	UINT32_MAX

/* Blocks 0 to nblocks - 1, all taken: free those that may be used.  May sleep. */
blist_t blist_create(uint32_t nblocks);
void blist_destroy(blist_t bl);

/* The first of count blocks, 1 to BLIST_MAX_ALLOC; BLIST_NONE: no such run. */
uint32_t blist_alloc(blist_t bl, unsigned int count);

/* Free blocks that are taken. */
void blist_free(blist_t bl, uint32_t blkno, uint32_t count);

/* How many blocks are free. */
uint32_t blist_avail(const struct blist *bl);

#endif
