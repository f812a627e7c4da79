/*
 * Devices for swap: their blocks, and requests to them.
 *
 *	block	0	1000	1500		3000
 *		| device a |		| device b |
 *
 * Numbers are given to devices as they come, first fit.  Devices take turns, a
 * run each, so that they work at the same time.
 *
 * A block that could not be written is bad: it stays taken, so that the next try
 * is somewhere else.
 *
 * Lock: vm_mtx.  A device stays while blocks of it are used, so a request for
 * one, whose page is busy, needs no lock.
 */
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"

static MALLOC_DEFINE(M_SWAPDEV, "swapdev", "devices for swap");

struct swdev_list swap_devices = TAILQ_HEAD_INITIALIZER(swap_devices);

/* ---- Blocks ---- */

struct swdevt *
swap_dev_of(swblk_t blk)
{
	struct swdevt *sw;

	mtx_assert(&vm_mtx, MA_OWNED);
	TAILQ_FOREACH(sw, &swap_devices, sw_list) {
		if (blk >= sw->sw_first && blk < sw->sw_end)
			return (sw);
	}
	return (NULL);
}

struct swdevt *
swap_dev_find(const char *name)
{
	struct swdevt *sw;

	mtx_assert(&vm_mtx, MA_OWNED);
	TAILQ_FOREACH(sw, &swap_devices, sw_list) {
		if (strcmp(sw->sw_name, name) == 0)
			return (sw);
	}
	return (NULL);
}

/* From one device; BLIST_NONE: it has no run of n blocks. */
static uint32_t
alloc_from(struct swdevt *sw, unsigned int n)
{
	uint32_t blkno;

	if (sw->sw_closing || sw->sw_lost)
		return (BLIST_NONE);
	blkno = blist_alloc(sw->sw_blist, n);
	if (blkno != BLIST_NONE)
		sw->sw_used += n;
	return (blkno);
}

/* The device that was asked is the last to be asked next time. */
static swblk_t
alloc_run(unsigned int n)
{
	struct swdevt *sw, *next;
	uint32_t blkno;

	TAILQ_FOREACH_SAFE(sw, &swap_devices, sw_list, next) {
		blkno = alloc_from(sw, n);
		if (blkno == BLIST_NONE)
			continue;
		TAILQ_REMOVE(&swap_devices, sw, sw_list);
		TAILQ_INSERT_TAIL(&swap_devices, sw, sw_list);
		return (sw->sw_first + blkno);
	}
	return (SWAPBLK_NONE);
}

swblk_t
swap_dev_alloc(unsigned int *n)
{
	swblk_t blk;

	mtx_assert(&vm_mtx, MA_OWNED);
	for (; *n > 0; *n /= 2) {
		blk = alloc_run(*n);
		if (blk != SWAPBLK_NONE)
			return (blk);
	}
	return (SWAPBLK_NONE);
}

void
swap_dev_free(swblk_t blk)
{
	struct swdevt *sw = swap_dev_of(blk);

	KASSERT(sw != NULL && sw->sw_used > 0,
	    ("%s: block %u is on no device", __func__, blk));
	sw->sw_used--;
	blist_free(sw->sw_blist, blk - sw->sw_first, 1);
}

void
swap_dev_bad(swblk_t blk)
{
	struct swdevt *sw = swap_dev_of(blk);

	KASSERT(sw != NULL && sw->sw_used > 0,
	    ("%s: block %u is on no device", __func__, blk));
	sw->sw_used--;
	sw->sw_bad++;
}

uint32_t
swap_dev_total(void)
{
	struct swdevt *sw;
	uint32_t total = 0;

	TAILQ_FOREACH(sw, &swap_devices, sw_list) {
		if (!sw->sw_closing && !sw->sw_lost)
			total += blist_avail(sw->sw_blist) + sw->sw_used;
	}
	return (total);
}

uint32_t
swap_dev_avail(void)
{
	struct swdevt *sw;
	uint32_t avail = 0;

	TAILQ_FOREACH(sw, &swap_devices, sw_list) {
		if (!sw->sw_closing && !sw->sw_lost)
			avail += blist_avail(sw->sw_blist);
	}
	return (avail);
}

/* ---- Requests ---- */

int
swap_dev_io(enum bio_cmd cmd, swblk_t blk, vm_page_t *ma, unsigned int n)
{
	vm_paddr_t pas[VM_PAGER_MAXPAGES];
	struct bio bio = {
		.bio_cmd = cmd,
		.bio_bcount = (uint32_t)ptoa(n),
		.bio_ma = pas,
	};
	struct swdevt *sw;
	bool lost;
	int error;

	for (unsigned int i = 0; i < n; i++)
		pas[i] = VM_PAGE_TO_PHYS(ma[i]);
	mtx_lock(&vm_mtx);
	sw = swap_dev_of(blk);
	bio.bio_disk = sw->sw_disk;
	bio.bio_offset = sw->sw_offset + ptoa(blk - sw->sw_first);
	lost = sw->sw_lost;
	mtx_unlock(&vm_mtx);
	error = lost ? EIO : bio_start(&bio);
	if (error == 0)
		error = bio_wait(&bio);
	return (error);
}

/* ---- Devices ---- */

/* The first number from which on n are free; SWAPBLK_NONE: there are none. */
static swblk_t
find_numbers(uint32_t n)
{
	struct swdevt *sw;
	uint64_t first = 0;
	bool moved;

	do {
		moved = false;
		TAILQ_FOREACH(sw, &swap_devices, sw_list) {
			if (first < sw->sw_end && first + n > sw->sw_first) {
				first = sw->sw_end;
				moved = true;
			}
		}
	} while (moved);
	return (first + n < SWAPBLK_NONE ? (swblk_t)first : SWAPBLK_NONE);
}

static int
insert(struct swdevt *sw, uint32_t nblocks)
{
	sw->sw_first = find_numbers(nblocks);
	if (swap_dev_find(sw->sw_name) != NULL)
		return (EBUSY);
	if (sw->sw_first == SWAPBLK_NONE)
		return (EFBIG);
	sw->sw_end = sw->sw_first + nblocks;
	TAILQ_INSERT_TAIL(&swap_devices, sw, sw_list);
	return (0);
}

static void
free_device(struct swdevt *sw)
{
	blist_destroy(sw->sw_blist);
	free(sw, M_SWAPDEV);
}

int
swap_dev_add(const char *name, struct disk *dk, uint64_t offset, uint64_t len)
{
	struct swdevt *sw;
	uint32_t nblocks;
	int error;

	if (atop(len) <= SWAP_RESERVED)
		return (ENOSPC);
	if (atop(len) >= SWAPBLK_NONE)
		return (EFBIG);
	nblocks = (uint32_t)atop(len);
	sw = malloc(sizeof(*sw), M_SWAPDEV, M_WAITOK | M_ZERO);
	(void)snprintf(sw->sw_name, sizeof(sw->sw_name), "%s", name);
	sw->sw_disk = dk;
	sw->sw_offset = offset;
	sw->sw_blist = blist_create(nblocks);
	blist_free(sw->sw_blist, SWAP_RESERVED, nblocks - SWAP_RESERVED);
	mtx_lock(&vm_mtx);
	error = insert(sw, nblocks);
	mtx_unlock(&vm_mtx);
	if (error != 0)
		free_device(sw);
	return (error);
}

void
swap_dev_destroy(struct swdevt *sw)
{
	mtx_lock(&vm_mtx);
	TAILQ_REMOVE(&swap_devices, sw, sw_list);
	mtx_unlock(&vm_mtx);
	free_device(sw);
}

/* Without the lock, which a thread that is stopped may hold. */
void
swap_dev_overwritten(const struct disk *dk, uint64_t offset, uint64_t len)
{
	struct swdevt *sw;

	TAILQ_FOREACH(sw, &swap_devices, sw_list) {
		uint64_t end = sw->sw_offset + ptoa(sw->sw_end - sw->sw_first);

		if (sw->sw_disk == dk && offset < end &&
		    sw->sw_offset < offset + len)
			sw->sw_lost = true;
	}
}
