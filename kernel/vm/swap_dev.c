/*
 * Devices for swap: their blocks, and requests to them.
 *
 *	block	0	1000	1500		3000
 *		| device a |		| device b |
 *
 * Numbers are given to devices as they come, first fit.  Devices take turns, a
 * run each, so that they work at the same time.  They are in a table of fixed
 * length: a dying kernel looks for what its dump overwrites, whatever a thread
 * that was stopped was doing to it.
 *
 * A device is in the table before anybody looks if its disk holds a dump.  So a
 * dump that is written later finds the device, and one that was written before is
 * seen.
 *
 * A block that could not be written is bad: it stays taken, so that the next try
 * is somewhere else.
 *
 * Lock: vm_mtx.  A device stays while blocks of it are used, so a request for
 * one, whose page is busy, needs no lock.
 */
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"

struct swdevt swap_devices[SWAP_MAXDEV];

static unsigned int next_turn; /* whose turn it is to give blocks; vm_mtx */

/* ---- Blocks ---- */

struct swdevt *
swap_dev_of(swblk_t blk)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		struct swdevt *sw = &swap_devices[i];

		if (blk >= sw->sw_first && blk < sw->sw_end)
			return (sw);
	}
	return (NULL);
}

struct swdevt *
swap_dev_find(const char *name)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		struct swdevt *sw = &swap_devices[i];

		if (sw->sw_disk != NULL && strcmp(sw->sw_name, name) == 0)
			return (sw);
	}
	return (NULL);
}

/* A dump sets sw_lost without the lock. */
static bool
is_lost(const struct swdevt *sw)
{
	return (__atomic_load_n(&sw->sw_lost, __ATOMIC_RELAXED));
}

static bool
takes_pages(const struct swdevt *sw)
{
	return (sw->sw_disk != NULL && !sw->sw_closing && !is_lost(sw));
}

/* From one device; BLIST_NONE: it has no run of n blocks. */
static uint32_t
alloc_from(struct swdevt *sw, unsigned int n)
{
	uint32_t blkno;

	if (!takes_pages(sw))
		return (BLIST_NONE);
	blkno = blist_alloc(sw->sw_blist, n);
	if (blkno != BLIST_NONE)
		sw->sw_used += n;
	return (blkno);
}

/* The device after the one that gave a run is the first to be asked next time. */
static swblk_t
alloc_run(unsigned int n)
{
	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		unsigned int turn = (next_turn + i) % SWAP_MAXDEV;
		uint32_t blkno = alloc_from(&swap_devices[turn], n);

		if (blkno == BLIST_NONE)
			continue;
		next_turn = turn + 1;
		return (swap_devices[turn].sw_first + blkno);
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
	uint32_t total = swap_dev_avail();

	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		if (takes_pages(&swap_devices[i]))
			total += swap_devices[i].sw_used;
	}
	return (total);
}

uint32_t
swap_dev_avail(void)
{
	uint32_t avail = 0;

	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		if (takes_pages(&swap_devices[i]))
			avail += blist_avail(swap_devices[i].sw_blist);
	}
	return (avail);
}

bool
swap_dev_has_room(void)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	return (swap_dev_avail() > 0);
}

/* ---- Requests ---- */

int
swap_dev_start(struct bio *bp, swblk_t blk)
{
	const struct swdevt *sw;

	mtx_lock(&vm_mtx);
	sw = swap_dev_of(blk);
	bp->bio_disk = sw->sw_disk;
	bp->bio_offset = sw->sw_offset + ptoa(blk - sw->sw_first);
	bp->bio_void = &sw->sw_lost;
	mtx_unlock(&vm_mtx);
	return (bio_start(bp));
}

int
swap_dev_io(enum bio_cmd cmd, swblk_t blk, vm_page_t *ma, unsigned int n)
{
	vm_paddr_t pas[VM_PAGER_MAXPAGES];
	struct bio bio = {
		.bio_cmd = cmd,
		.bio_bcount = (uint32_t)ptoa(n),
		.bio_ma = pas,
	};
	int error;

	for (unsigned int i = 0; i < n; i++)
		pas[i] = VM_PAGE_TO_PHYS(ma[i]);
	error = swap_dev_start(&bio, blk);
	return (error == 0 ? bio_wait(&bio) : error);
}

/* ---- Devices ---- */

/* The first number from which on n are free; SWAPBLK_NONE: there are none. */
static swblk_t
find_numbers(uint32_t n)
{
	uint64_t first = 0;
	bool moved;

	do {
		moved = false;
		for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
			const struct swdevt *sw = &swap_devices[i];

			if (first < sw->sw_end && first + n > sw->sw_first) {
				first = sw->sw_end;
				moved = true;
			}
		}
	} while (moved);
	return (first + n < SWAPBLK_NONE ? (swblk_t)first : SWAPBLK_NONE);
}

static struct swdevt *
find_slot(void)
{
	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		if (swap_devices[i].sw_disk == NULL)
			return (&swap_devices[i]);
	}
	return (NULL);
}

/*
 * A dump may come at any point and looks for its disk, so that is what appears last
 * and goes first.
 */
static void
set_disk(struct swdevt *sw, struct disk *dk)
{
	__atomic_store_n(&sw->sw_disk, dk, __ATOMIC_RELEASE);
}

/* Is a part of len bytes of dk from offset on a device's? */
static bool
overlaps(const struct swdevt *sw, const struct disk *dk, uint64_t offset,
    uint64_t len)
{
	if (__atomic_load_n(&sw->sw_disk, __ATOMIC_ACQUIRE) != dk)
		return (false);
	return (sw->sw_offset < offset + len &&
	    offset < sw->sw_offset + ptoa(sw->sw_end - sw->sw_first));
}

/* By its name, or by what else a device is on. */
static bool
is_there(const struct swdevt *new, const struct disk *dk, uint32_t nblocks)
{
	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		if (overlaps(&swap_devices[i], dk, new->sw_offset,
			ptoa(nblocks)))
			return (true);
	}
	return (swap_dev_find(new->sw_name) != NULL);
}

/* A copy of new, which has no disk yet, is in the table then. */
static int
insert(struct swdevt *new, struct disk *dk, uint32_t nblocks,
    struct swdevt **out)
{
	struct swdevt *sw = find_slot();

	if (is_there(new, dk, nblocks))
		return (EBUSY);
	new->sw_first = find_numbers(nblocks);
	if (sw == NULL || new->sw_first == SWAPBLK_NONE)
		return (EFBIG);
	new->sw_end = new->sw_first + nblocks;
	*sw = *new;
	set_disk(sw, dk);
	*out = sw;
	return (0);
}

/* Give blocks of it from now on, unless a dump has come since it is in the table. */
static int
open_device(struct swdevt *sw)
{
	bool lost;

	mtx_lock(&vm_mtx);
	lost = is_lost(sw);
	sw->sw_closing = lost;
	mtx_unlock(&vm_mtx);
	return (lost ? EEXIST : 0);
}

int
swap_dev_add(const char *name, struct disk *dk, uint64_t offset, uint64_t len,
    swap_dev_look_t *look)
{
	struct swdevt new = { .sw_offset = offset, .sw_closing = true }, *sw;
	uint32_t nblocks;
	int error;

	if (atop(len) <= SWAP_RESERVED)
		return (ENOSPC);
	if (atop(len) >= SWAPBLK_NONE)
		return (EFBIG);
	nblocks = (uint32_t)atop(len);
	(void)snprintf(new.sw_name, sizeof(new.sw_name), "%s", name);
	new.sw_blist = blist_create(nblocks);
	blist_free(new.sw_blist, SWAP_RESERVED, nblocks - SWAP_RESERVED);
	mtx_lock(&vm_mtx);
	error = insert(&new, dk, nblocks, &sw);
	mtx_unlock(&vm_mtx);
	if (error != 0) {
		blist_destroy(new.sw_blist);
		return (error);
	}
	error = look(dk, offset, len);
	if (error == 0)
		error = open_device(sw);
	if (error != 0)
		swap_dev_destroy(sw);
	return (error);
}

void
swap_dev_destroy(struct swdevt *sw)
{
	blist_t blist = sw->sw_blist;

	mtx_lock(&vm_mtx);
	set_disk(sw, NULL);
	*sw = (struct swdevt){ 0 };
	mtx_unlock(&vm_mtx);
	blist_destroy(blist);
}

/* Without the lock, which a thread that is stopped may hold. */
void
swap_dev_overwritten(const struct disk *dk, uint64_t offset, uint64_t len)
{
	for (unsigned int i = 0; i < SWAP_MAXDEV; i++) {
		struct swdevt *sw = &swap_devices[i];

		if (overlaps(sw, dk, offset, len))
			__atomic_store_n(&sw->sw_lost, true, __ATOMIC_RELAXED);
	}
}
