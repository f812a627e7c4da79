/*
 * The queue of a disk: requests wait in order of arrival until one of the
 * device's slots (tags) is free, and are done in any order.
 *
 * The device is either in the queue's mode or in that of the polled calls of
 * disk.h, which a dying kernel uses.  disk_reset() takes it at any moment and
 * without a lock, even from a CPU that it stopped in the midst of this file.
 * If that CPU runs on later, it leaves the device in whatever state, and whoever
 * comes next here takes the device back: resets it once more, and sends what is
 * in flight again.  The requests and their slots are still known here.
 *
 * Lock order: bd_mtx, then those of wakeup().  bio_done is called without.
 */
#include "kernel/dev/disk_queue.h"

#include "kernel/dev/disk.h"
#include "kernel/sys/bio.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/systm.h"

void
disk_queue_init(struct disk *dk)
{
	mtx_init(&dk->bd_mtx, dk->bd_name, "disk", MTX_SPIN);
	TAILQ_INIT(&dk->bd_waiting);
}

/* ---- Starting ---- */

unsigned int
bio_segs(const struct bio *bp, struct disk_seg segs[BIO_MAXPAGES])
{
	uint32_t left = bp->bio_bcount, skip = bp->bio_ma_offset;
	unsigned int n = 0;

	for (; left > 0; n++) {
		uint32_t room = (uint32_t)PAGE_SIZE - skip;

		segs[n].dks_pa = bp->bio_ma[n] + skip;
		segs[n].dks_len = left < room ? left : room;
		left -= segs[n].dks_len;
		skip = 0;
	}
	return (n);
}

static void
start_tag(struct disk *dk, unsigned int tag)
{
	const struct bio *bp = dk->bd_inflight[tag];
	struct disk_seg segs[BIO_MAXPAGES];
	unsigned int n = bio_segs(bp, segs);

	dk->bd_driver->dv_queue_submit(dk, tag, bp->bio_cmd, segs, n,
	    bp->bio_offset);
	FAIL_POINT(FAIL_SUBMIT, dk);
}

/* Has a dump been written where this request goes? */
static bool
is_void(const struct bio *bp)
{
	return (bp->bio_void != NULL &&
	    __atomic_load_n(bp->bio_void, __ATOMIC_RELAXED));
}

/* ---- Finishing ---- */

/*
 * A request that somebody sleeps for is his as soon as bd_mtx is released, so
 * only the others are in the list.
 */
static void
finish(struct bio *bp, int error, struct bio_list *done)
{
	bp->bio_error = error;
	if (bp->bio_done != NULL) {
		TAILQ_INSERT_TAIL(done, bp, bio_queue);
	} else {
		bp->bio_finished = true;
		wakeup(bp);
	}
}

static void
finish_tag(struct disk *dk, unsigned int tag, int error, struct bio_list *done)
{
	struct bio *bp = dk->bd_inflight[tag];

	dk->bd_inflight[tag] = NULL;
	dk->bd_ninflight--;
	finish(bp, error, done);
}

static void
finish_inflight(struct disk *dk, int error, struct bio_list *done)
{
	for (unsigned int tag = 0; tag < DISK_QDEPTH; tag++) {
		if (dk->bd_inflight[tag] != NULL)
			finish_tag(dk, tag, error, done);
	}
}

static void
call_done(struct bio_list *done)
{
	struct bio *bp;

	while ((bp = TAILQ_FIRST(done)) != NULL) {
		TAILQ_REMOVE(done, bp, bio_queue);
		bp->bio_done(bp);
	}
}

/*
 * What the device has finished; how many.  It is not trusted to name a slot
 * that is in use, or to come to an end.
 */
static unsigned int
reap(struct disk *dk, struct bio_list *done)
{
	unsigned int n = 0, tag;
	int error;

	for (unsigned int i = 0;
	     i < DISK_QDEPTH && dk->bd_driver->dv_queue_next(dk, &tag, &error);
	     i++) {
		if (tag >= DISK_QDEPTH || dk->bd_inflight[tag] == NULL)
			continue;
		if (error == 0)
			error = FAIL_ERROR(FAIL_BIO, dk->bd_inflight[tag]);
		finish_tag(dk, tag, error, done);
		n++;
	}
	if (n > 0)
		dk->bd_silence = 0;
	return (n);
}

/* ---- The device ---- */

/*
 * Reset the device into the queue's mode.  The mode is set first: a dump that
 * comes in the midst sets its own.
 */
static int
queue_reset(struct disk *dk)
{
	int error;

	dk->bd_mode = DISK_QUEUEING;
	dk->bd_silence = 0;
	error = dk->bd_driver->dv_queue_reset(dk);
	if (error != 0)
		dk->bd_mode = DISK_DEAD;
	else if (dk->bd_mode != DISK_QUEUEING)
		dk->bd_mode = DISK_UNKNOWN;
	return (error);
}

/* Bring the device into the queue's mode, and send again what was in flight. */
static int
take_back(struct disk *dk, struct bio_list *done)
{
	int error = queue_reset(dk);

	if (error != 0)
		return (error);
	for (unsigned int tag = 0; tag < DISK_QDEPTH; tag++) {
		if (dk->bd_inflight[tag] == NULL)
			continue;
		if (is_void(dk->bd_inflight[tag]))
			finish_tag(dk, tag, EIO, done);
		else
			start_tag(dk, tag);
	}
	return (0);
}

/* Give up: the device does not come back. */
static void
fail_all(struct disk *dk, int error, struct bio_list *done)
{
	struct bio *bp;

	finish_inflight(dk, error, done);
	while ((bp = TAILQ_FIRST(&dk->bd_waiting)) != NULL) {
		TAILQ_REMOVE(&dk->bd_waiting, bp, bio_queue);
		finish(bp, error, done);
	}
}

/* Start what waits, as far as there are slots. */
static void
run(struct disk *dk, struct bio_list *done)
{
	unsigned int tag = 0;
	struct bio *bp;
	int error = 0;

	if (dk->bd_ninflight == 0 && TAILQ_EMPTY(&dk->bd_waiting))
		return;
	if (dk->bd_mode != DISK_QUEUEING && (error = take_back(dk, done)) != 0)
		fail_all(dk, error, done);
	while (dk->bd_ninflight < DISK_QDEPTH &&
	    (bp = TAILQ_FIRST(&dk->bd_waiting)) != NULL) {
		TAILQ_REMOVE(&dk->bd_waiting, bp, bio_queue);
		if (is_void(bp)) {
			finish(bp, EIO, done);
			continue;
		}
		while (dk->bd_inflight[tag] != NULL)
			tag++;
		dk->bd_inflight[tag] = bp;
		dk->bd_ninflight++;
		start_tag(dk, tag);
	}
}

/*
 * Reset first: until then the device may write to the pages of requests that
 * are done.
 */
static void
time_out(struct disk *dk, struct bio_list *done)
{
	(void)queue_reset(dk);
	finish_inflight(dk, ETIMEDOUT, done);
}

/* ---- Entry points ---- */

static int
check(const struct bio *bp)
{
	const struct disk *dk = bp->bio_disk;

	if (bp->bio_cmd == BIO_FLUSH)
		return (bp->bio_bcount == 0 && bp->bio_offset == 0 ? 0 :
								     EINVAL);
	if (bp->bio_bcount == 0 || bp->bio_bcount % dk->bd_sector_len != 0 ||
	    bp->bio_offset % dk->bd_sector_len != 0 ||
	    bp->bio_offset > dk->bd_media_len ||
	    bp->bio_bcount > dk->bd_media_len - bp->bio_offset)
		return (EINVAL);
	if (bp->bio_ma_offset >= PAGE_SIZE ||
	    bp->bio_bcount > BIO_MAXPAGES * PAGE_SIZE - bp->bio_ma_offset)
		return (EINVAL);
	if (bp->bio_cmd == BIO_WRITE && dk->bd_readonly)
		return (EROFS);
	return (0);
}

int
bio_start(struct bio *bp)
{
	struct bio_list done = TAILQ_HEAD_INITIALIZER(done);
	struct disk *dk = bp->bio_disk;
	int error = check(bp);

	if (error == 0 && SCHEDULER_STOPPED())
		error = EBUSY;
	if (error != 0)
		return (error);
	bp->bio_finished = false;
	mtx_lock_spin(&dk->bd_mtx);
	if (dk->bd_mode == DISK_DEAD)
		error = ENXIO;
	else if (bp->bio_cmd == BIO_FLUSH && !dk->bd_flush)
		finish(bp, 0, &done);
	else
		TAILQ_INSERT_TAIL(&dk->bd_waiting, bp, bio_queue);
	run(dk, &done);
	mtx_unlock_spin(&dk->bd_mtx);
	call_done(&done);
	return (error);
}

int
bio_wait(struct bio *bp)
{
	struct disk *dk = bp->bio_disk;

	mtx_lock_spin(&dk->bd_mtx);
	while (!bp->bio_finished)
		(void)_sleep(bp, &dk->bd_mtx.lock_object, PRIBIO, "bio", 0);
	mtx_unlock_spin(&dk->bd_mtx);
	return (bp->bio_error);
}

void
disk_queue_intr(void *arg)
{
	struct bio_list done = TAILQ_HEAD_INITIALIZER(done);
	struct disk *dk = arg;

	mtx_lock_spin(&dk->bd_mtx);
	if (dk->bd_mode == DISK_QUEUEING)
		(void)reap(dk, &done);
	run(dk, &done);
	mtx_unlock_spin(&dk->bd_mtx);
	call_done(&done);
}

void
disk_queue_watch(struct disk *dk)
{
	struct bio_list done = TAILQ_HEAD_INITIALIZER(done);
	bool silent;

	mtx_lock_spin(&dk->bd_mtx);
	silent = dk->bd_mode == DISK_QUEUEING && reap(dk, &done) == 0 &&
	    dk->bd_ninflight > 0 && ++dk->bd_silence == DISK_TIMEOUT;
	if (silent)
		time_out(dk, &done);
	run(dk, &done);
	mtx_unlock_spin(&dk->bd_mtx);
	if (silent)
		printf("%s: no answer for %d seconds, reset\n", dk->bd_name,
		    DISK_TIMEOUT);
	call_done(&done);
}
