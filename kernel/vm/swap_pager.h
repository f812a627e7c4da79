/*
 * Swap: devices, and what is on them for which page of which object.
 *
 *	swap_pager.c	the pager: pages from swap
 *	swap_out.c	pages to swap
 *	swap_meta.c	from a page's index to its block
 *	swap_dev.c	devices, their blocks, requests to them
 *	swap_off.c	a device is emptied and taken away
 *
 * A block is a page long, and its number says which device it is on.
 *
 * Keeps true, with vm_mtx held:
 *  - a block belongs to one page of one object, or is free, or is bad;
 *  - a page that is in memory and not dirty is the same on swap, if it is there;
 *  - what is on swap of a page that is in memory and dirty is never read.
 */
#ifndef KERNEL_VM_SWAP_PAGER_H
#define KERNEL_VM_SWAP_PAGER_H

#include "kernel/sys/bio.h"
#include "kernel/sys/blist.h"
#include "kernel/vm/vm_pager.h"

typedef uint32_t swblk_t; /* a block's number */
#define SWAPBLK_NONE UINT32_MAX

/* The first blocks of a device, where labels and boot code may be. */
#define SWAP_RESERVED 2

/* ---- swap_pager.c ---- */

/*
 * For vm_object_collapse(), both locked: give what src has on swap to dst, whose
 * page 0 is page first of src, and free what dst does not show or has got itself.
 * Goes through *budget blocks at most.  false: some are left in src.
 */
bool swap_pager_copy(vm_object_t src, vm_object_t dst, vm_pindex_t first,
    unsigned int *budget);

/* Has a locked object that page itself, in memory or on swap? */
bool swap_pager_has_own(vm_object_t object, vm_pindex_t pindex);

/* The first index from *pindex on that has a block; false: none.  Locked. */
bool swap_pager_find_least(vm_object_t object, vm_pindex_t *pindex);

/* ---- swap_out.c ---- */

void swap_out_init(void);

/*
 * pgo_putpages.  Without VM_PAGER_PUT_SYNC it starts the writes, and sleeps only if
 * too many are in flight.
 */
void swap_pager_putpages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals);

/*
 * Finish one of the writes that the disks are done with: vm_pageout_finish() is
 * called for its pages.  false: there is none.  Takes vm_mtx.
 */
bool swap_out_finish(void);

/* The body of a thread that does so all the time; never returns. */
_Noreturn void swap_out_thread(void);

/* ---- swap_meta.c; the object is locked ---- */

/* Objects that have anything on swap. */
extern struct vm_object_list swap_objects;

void swap_meta_init(void);

/* The block of a page; SWAPBLK_NONE: there is none. */
swblk_t swap_meta_lookup(vm_object_t object, vm_pindex_t pindex);

/* The same, and the page has none any more. */
swblk_t swap_meta_take(vm_object_t object, vm_pindex_t pindex);

/*
 * It has that one now, and *old is what it had.  false: no memory for it; nothing
 * has changed.
 */
bool swap_meta_set(vm_object_t object, vm_pindex_t pindex, swblk_t blk,
    swblk_t *old);

/* ---- swap_dev.c ---- */

/* The most devices at a time. */
#define SWAP_MAXDEV 16

/* A device; vm_mtx. */
struct swdevt {
	char sw_name[16];
	struct disk *sw_disk; /* NULL: there is no such device; atomic */
	uint64_t sw_offset;   /* bytes of the disk: where block sw_first is */
	swblk_t sw_first, sw_end;
	uint32_t sw_used; /* blocks that pages have */
	uint32_t sw_bad;  /* could not be written; nobody gets them */
	bool
	    sw_closing; /* gives no blocks: it is not open yet, or is emptied */
	bool sw_lost;	/* a dump was written over it; atomic */
	blist_t sw_blist;
};

extern struct swdevt swap_devices[SWAP_MAXDEV]; /* vm_mtx */

/*
 * Look whether a part of a disk may be overwritten: len bytes from offset on.  0: it
 * may; EEXIST: a dump is there; else the error of a read.  Sleeps.
 */
typedef int swap_dev_look_t(struct disk *dk, uint64_t offset, uint64_t len);

/*
 * Swap to len bytes of a disk from offset on, after a look at them.  0; EBUSY: there
 * is a device of that name, or one that has some of these bytes; ENOSPC: fewer bytes
 * than make sense; EFBIG: no room for one more device, or more blocks than have
 * numbers; EEXIST: a dump is written there after the look; or what look() said.
 * Sleeps.
 */
int swap_dev_add(const char *name, struct disk *dk, uint64_t offset,
    uint64_t len, swap_dev_look_t *look);

/* The device of a block, or of a name; NULL: none.  Locked. */
struct swdevt *swap_dev_of(swblk_t blk);
struct swdevt *swap_dev_find(const char *name);

/*
 * A run of up to *n blocks on one device, which says how many; devices take
 * turns.  SWAPBLK_NONE: all are full.  Locked.
 */
swblk_t swap_dev_alloc(unsigned int *n);

void swap_dev_free(swblk_t blk); /* locked */
void swap_dev_bad(swblk_t blk);	 /* locked; one that cannot be written */

/*
 * A dump is about to be written to len bytes of dk from offset on, by a machine
 * that is stopped but may run on: a device for swap there has lost all it had,
 * and takes no more, so that the dump stays.
 */
void swap_dev_overwritten(const struct disk *dk, uint64_t offset, uint64_t len);

/* Blocks of all devices that take any, and those of them that are free. */
uint32_t swap_dev_total(void);
uint32_t swap_dev_avail(void);
bool swap_dev_has_room(void); /* locked */

/*
 * Start a request for consecutive blocks from blk on, as bio_start() does: the place
 * on the disk is filled in.  It ends with EIO if a dump is written over the device.
 * Unlocked.
 */
int swap_dev_start(struct bio *bp, swblk_t blk);

/* Move n pages from or to consecutive blocks.  0 or an errno.  Sleeps, unlocked. */
int swap_dev_io(enum bio_cmd cmd, swblk_t blk, vm_page_t *ma, unsigned int n);

/* Forget a device without used blocks; part of swapoff.  Unlocked. */
void swap_dev_destroy(struct swdevt *sw);

/* ---- swap_off.c ---- */

/*
 * Bring back all that is on a device, and use it no more.  0; ENOENT: no such
 * device; EBUSY: another call has it in hand; ENOMEM: there is no room for it, in
 * memory and on other devices; EIO: a page cannot be read, and the device stays.
 * Sleeps.
 */
int swapoff_one(const char *name);

#endif
