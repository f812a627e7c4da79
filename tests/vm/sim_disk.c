/*
 * The disk of the simulated machine.
 */
#include "tests/vm/sim_disk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/dev/disk_queue.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "tests/vm/sim.h"

/* The host's own. */
#undef malloc
#undef free

struct request {
	bool busy;
	enum bio_cmd cmd;
	struct disk_seg segs[BIO_MAXPAGES];
	unsigned int nsegs;
	uint64_t off;
	unsigned int delay; /* steps */
};

struct done {
	unsigned int tag;
	int error;
};

struct sim_disk {
	struct disk disk;
	struct sim_disk_config config;
	uint8_t *media;
	pthread_mutex_t lock; /* for what follows */
	uint32_t seed;
	enum sim_disk_fault fault;
	unsigned int nresets;
	bool polled; /* the last reset was a dump's, and whole */
	struct request requests[DISK_QDEPTH];
	struct done done[2 * DISK_QDEPTH]; /* oldest first */
	size_t ndone;
};

static struct sim_disk *
sim_disk_of(struct disk *dk)
{
	return (__containerof(dk, struct sim_disk, disk));
}

static void
forget(struct sim_disk *sd)
{
	pthread_mutex_lock(&sd->lock);
	memset(sd->requests, 0, sizeof(sd->requests));
	sd->ndone = 0;
	pthread_mutex_unlock(&sd->lock);
}

static void
transfer(struct sim_disk *sd, const struct request *rq, unsigned int nsegs)
{
	uint64_t off = rq->off;

	for (unsigned int i = 0; i < nsegs; i++) {
		const struct disk_seg *seg = &rq->segs[i];
		void *mem = (void *)PHYS_TO_DMAP(seg->dks_pa);

		if (rq->cmd == BIO_READ)
			memcpy(mem, &sd->media[off], seg->dks_len);
		else
			memcpy(&sd->media[off], mem, seg->dks_len);
		off += seg->dks_len;
	}
}

/* A dump: the CPU that holds the lock is stopped, and runs on later. */
static void
take(struct sim_disk *sd)
{
	forget(sd);
	sd->polled = true;
	sd->disk.bd_mode = DISK_POLLED;
}

static void
take_if_asked(struct sim_disk *sd)
{
	if (sd->fault == SIM_DISK_TAKEN) {
		sd->fault = SIM_DISK_WORKS;
		take(sd);
	}
}

/* ---- The driver ---- */

static int
polled_reset(struct disk *dk)
{
	struct sim_disk *sd = sim_disk_of(dk);

	forget(sd);
	sd->polled = true;
	return (0);
}

static int
polled_submit(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off)
{
	struct sim_disk *sd = sim_disk_of(dk);
	struct request rq = { .cmd = cmd, .off = off };

	if (!sd->polled)
		panic("%s: tag %u without a reset", __func__, tag);
	memcpy(rq.segs, segs, nsegs * sizeof(*segs));
	transfer(sd, &rq, nsegs);
	return (0);
}

static int
polled_wait(struct disk *dk, unsigned int *tag)
{
	(void)dk;
	*tag = 0;
	return (0);
}

static int
queue_reset(struct disk *dk)
{
	struct sim_disk *sd = sim_disk_of(dk);

	mtx_assert(&dk->bd_mtx, MA_OWNED);
	sd->nresets++;
	forget(sd);
	take_if_asked(sd);
	sd->polled = false;
	return (sd->fault == SIM_DISK_DEAD ? ETIMEDOUT : 0);
}

static void
queue_submit(struct disk *dk, unsigned int tag, enum bio_cmd cmd,
    const struct disk_seg *segs, unsigned int nsegs, uint64_t off)
{
	struct sim_disk *sd = sim_disk_of(dk);
	struct request *rq = &sd->requests[tag];

	mtx_assert(&dk->bd_mtx, MA_OWNED);
	take_if_asked(sd);
	pthread_mutex_lock(&sd->lock);
	if (dk->bd_mode == DISK_QUEUEING && rq->busy)
		panic("%s: tag %u is in flight", __func__, tag);
	rq->busy = dk->bd_mode == DISK_QUEUEING;
	rq->cmd = cmd;
	memcpy(rq->segs, segs, nsegs * sizeof(*segs));
	rq->nsegs = nsegs;
	rq->off = off;
	rq->delay = sim_random(&sd->seed) % (sd->config.delay + 1);
	pthread_mutex_unlock(&sd->lock);
}

static bool
queue_next(struct disk *dk, unsigned int *tag, int *error)
{
	struct sim_disk *sd = sim_disk_of(dk);
	bool any;

	pthread_mutex_lock(&sd->lock);
	any = sd->ndone > 0;
	if (any) {
		*tag = sd->done[0].tag;
		*error = sd->done[0].error;
		sd->ndone--;
		memmove(&sd->done[0], &sd->done[1],
		    sd->ndone * sizeof(sd->done[0]));
	}
	pthread_mutex_unlock(&sd->lock);
	return (any);
}

static const struct disk_driver driver = {
	.dv_reset = polled_reset,
	.dv_submit = polled_submit,
	.dv_wait = polled_wait,
	.dv_queue_reset = queue_reset,
	.dv_queue_submit = queue_submit,
	.dv_queue_next = queue_next,
};

/* ---- The device; locked ---- */

static void
report(struct sim_disk *sd, unsigned int tag, int error)
{
	if (sd->ndone < sizeof(sd->done) / sizeof(sd->done[0]))
		sd->done[sd->ndone++] = (struct done){ tag, error };
}

static void
finish(struct sim_disk *sd, unsigned int tag)
{
	struct request *rq = &sd->requests[tag];
	uint32_t r = sim_random(&sd->seed);
	bool fails = sd->fault == SIM_DISK_FAILS ||
	    (sd->config.errors > 0 && r % sd->config.errors == 0);

	transfer(sd, rq, fails ? r % (rq->nsegs + 1) : rq->nsegs);
	rq->busy = false;
	report(sd, tag, fails ? EIO : 0);
}

/*
 * A request whose delay is over; DISK_QDEPTH: there is none, or none yet.
 */
static unsigned int
choose(struct sim_disk *sd, bool *any)
{
	unsigned int first = sim_random(&sd->seed) % DISK_QDEPTH;
	unsigned int chosen = DISK_QDEPTH;

	*any = false;
	for (unsigned int i = 0; i < DISK_QDEPTH; i++) {
		unsigned int tag = (first + i) % DISK_QDEPTH;
		struct request *rq = &sd->requests[tag];

		if (!rq->busy)
			continue;
		*any = true;
		if (rq->delay > 0)
			rq->delay--;
		else if (chosen == DISK_QDEPTH)
			chosen = tag;
	}
	return (chosen);
}

static void
interrupt(struct sim_disk *sd)
{
	if (sd->fault == SIM_DISK_SILENT)
		return;
	sim_pretend(PLACE_INTR);
	disk_queue_intr(&sd->disk);
	sim_pretend(PLACE_THREAD);
}

/* ---- For tests ---- */

struct disk *
sim_disk_create(const struct sim_disk_config *config)
{
	struct sim_disk *sd = calloc(1, sizeof(*sd));

	sd->config = *config;
	sd->seed = config->seed;
	sd->media = calloc(1, config->media_len);
	pthread_mutex_init(&sd->lock, NULL);
	sd->disk.bd_driver = &driver;
	memcpy(sd->disk.bd_name, "sim0", sizeof("sim0"));
	sd->disk.bd_sector_len = config->sector_len;
	sd->disk.bd_media_len = config->media_len;
	sd->disk.bd_readonly = config->readonly;
	sd->disk.bd_flush = config->flush;
	sd->disk.bd_interrupts = true;
	disk_queue_init(&sd->disk);
	return (&sd->disk);
}

void
sim_disk_destroy(struct disk *dk)
{
	struct sim_disk *sd = sim_disk_of(dk);

	mtx_destroy(&dk->bd_mtx);
	pthread_mutex_destroy(&sd->lock);
	free(sd->media);
	free(sd);
}

bool
sim_disk_step(struct disk *dk)
{
	struct sim_disk *sd = sim_disk_of(dk);
	unsigned int tag;
	bool any;

	pthread_mutex_lock(&sd->lock);
	tag = choose(sd, &any);
	if (tag < DISK_QDEPTH)
		finish(sd, tag);
	pthread_mutex_unlock(&sd->lock);
	if (tag < DISK_QDEPTH)
		interrupt(sd);
	return (any);
}

uint8_t *
sim_disk_media(struct disk *dk)
{
	return (sim_disk_of(dk)->media);
}

unsigned int
sim_disk_ninflight(struct disk *dk)
{
	struct sim_disk *sd = sim_disk_of(dk);
	unsigned int n = 0;

	pthread_mutex_lock(&sd->lock);
	for (unsigned int tag = 0; tag < DISK_QDEPTH; tag++)
		n += sd->requests[tag].busy;
	pthread_mutex_unlock(&sd->lock);
	return (n);
}

unsigned int
sim_disk_nresets(struct disk *dk)
{
	return (sim_disk_of(dk)->nresets);
}

void
sim_disk_break(struct disk *dk, enum sim_disk_fault fault)
{
	sim_disk_of(dk)->fault = fault;
}

void
sim_disk_take(struct disk *dk)
{
	mtx_lock_spin(&dk->bd_mtx);
	take(sim_disk_of(dk));
	mtx_unlock_spin(&dk->bd_mtx);
}

void
sim_disk_lie(struct disk *dk, unsigned int tag)
{
	struct sim_disk *sd = sim_disk_of(dk);

	pthread_mutex_lock(&sd->lock);
	report(sd, tag, 0);
	pthread_mutex_unlock(&sd->lock);
	interrupt(sd);
}
