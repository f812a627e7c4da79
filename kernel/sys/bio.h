/*
 * Requests to disks that let others run meanwhile.
 *
 *	struct bio bio = {
 *		.bio_disk = dk,
 *		.bio_cmd = BIO_READ,
 *		.bio_offset = off,
 *		.bio_bcount = npages * PAGE_SIZE,
 *		.bio_ma = pages,
 *	};
 *	error = bio_start(&bio);
 *	if (error == 0)
 *		error = bio_wait(&bio);
 *
 * A request is the caller's memory, so that starting one allocates nothing and
 * the page daemon can always write.  Once bio_start() has returned 0, the
 * request, its list of pages and the pages belong to the disk until the request
 * is done; until then none of them may change or be freed.
 *
 * Requests in flight have no order: two that overlap, one of them a write, are
 * not to be in flight at the same time.  A flush makes durable what was written
 * by requests that were done when it was started, and no others.
 *
 * A dump takes the disk away at any moment.  If the machine goes on afterwards,
 * from the debugger, requests that were in flight are sent to the disk once
 * more, so a write may come after the dump.  One whose *bio_void is true then ends
 * with EIO instead: a dying kernel sets it for what is where the dump goes.
 *
 * kernel/dev/disk_queue.c, also under the simulated machine of tests/vm.
 */
#ifndef KERNEL_SYS_BIO_H
#define KERNEL_SYS_BIO_H

#include "kernel/sys/param.h"
#include "kernel/sys/queue.h"

struct disk;

enum bio_cmd { BIO_READ, BIO_WRITE, BIO_FLUSH };

/* The most pages that a request takes, counting those that it has a part of. */
#define BIO_MAXPAGES 32

struct bio {
	/* The caller's. */
	struct disk *bio_disk;
	enum bio_cmd bio_cmd;
	uint64_t bio_offset;	  /* bytes of the disk; of a flush: 0 */
	uint32_t bio_bcount;	  /* bytes; of a flush: 0 */
	uint32_t bio_ma_offset;	  /* where it begins in the first page, bytes */
	const vm_paddr_t *bio_ma; /* each page's first byte, in order */
	void (*bio_done)(struct bio *bp); /* NULL: bio_wait() is called */
	void *bio_caller1;		  /* for bio_done */
	const bool *bio_void; /* NULL, or true: it is not to be sent any more */

	/* What became of it: 0 or an errno. */
	int bio_error;

	/* The queue's. */
	bool bio_finished;
	TAILQ_ENTRY(bio) bio_queue;
};

TAILQ_HEAD(bio_list, bio);

/*
 * Hand a request to its disk, from any context in which a spin mutex may be
 * taken.  0: bio_done(bp) is called exactly once, and bp is the caller's again
 * then.  It is called in an interrupt, on any CPU, perhaps before bio_start()
 * returns; if the disk cannot be brought to work, or has nothing to flush, by
 * bio_start() itself.  It may take spin mutexes, wake threads and start
 * requests, this one too; it may not sleep.  So hold no mutex that it takes.
 *
 * bio_error is then 0; EIO: the disk could not do it; ETIMEDOUT: the disk did
 * not answer for a long time, and was reset; or why a reset failed.  After an
 * error the pages of a read and the sectors of a write have any contents; the
 * disk writes to no page any more.
 *
 * Refused, without a call of bio_done: EINVAL: offset or length are not whole
 * sectors, not on the disk, or too many pages; EROFS: a write to a disk that is
 * read-only; ENXIO: the last reset of the disk failed; EBUSY: the machine is
 * stopped.
 */
int bio_start(struct bio *bp);

/* Sleep until a request without bio_done is done; its bio_error. */
int bio_wait(struct bio *bp);

#endif
