/*
 * Requests to disks: what is refused, what is moved, in which order and how
 * often requests are done, and what becomes of them when a disk fails, is
 * silent, or is taken by a dump.  Each test begins with a new disk.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disk.h"

#include "kernel/dev/disk_queue.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define NPAGES	  (BIO_MAXPAGES + 1)
#define NREQUESTS 20
#define SECTOR	  512
#define MEDIA_LEN ((uint64_t)1 << 20)

/* Longer than any queue of the tests takes. */
#define STEPS_MAX 1000

static vm_paddr_t pages[NPAGES]; /* no two are neighbours */
static struct disk *dk;

static const struct sim_disk_config plain = {
	.media_len = MEDIA_LEN,
	.sector_len = SECTOR,
	.flush = true,
	.seed = 1,
};

static void
plug_in(const struct sim_disk_config *config)
{
	dk = sim_disk_create(config);
}

static int
unplug(void **state)
{
	(void)state;
	scheduler_stopped = false;
	if (dk != NULL)
		sim_disk_destroy(dk);
	dk = NULL;
	return (0);
}

static uint8_t *
page(unsigned int i)
{
	return ((uint8_t *)PHYS_TO_DMAP(pages[i]));
}

/* Have the disk finish all that it has. */
static void
settle(void)
{
	int n = 0;

	while (sim_disk_step(dk))
		assert_true(n++ < STEPS_MAX);
}

/* ---- One request ---- */

static unsigned int ndone; /* calls of count_done() */

static void
count_done(struct bio *bp)
{
	(void)bp;
	ndone++;
}

static struct bio
request(enum bio_cmd cmd, uint64_t off, uint32_t len)
{
	return ((struct bio){
	    .bio_disk = dk,
	    .bio_cmd = cmd,
	    .bio_offset = off,
	    .bio_bcount = len,
	    .bio_ma = pages,
	    .bio_done = count_done,
	});
}

enum { READONLY = 1, STOPPED = 2, BROKEN = 4 };

static const struct refusal {
	const char *name;
	enum bio_cmd cmd;
	uint64_t off;
	uint32_t len;
	uint32_t ma_offset;
	int how;
	int error;
} refusals[] = {
	{ "refused: no bytes", BIO_READ, 0, 0, 0, 0, EINVAL },
	{ "refused: a part of a sector", BIO_READ, 0, 100, 0, 0, EINVAL },
	{ "refused: from inside of a sector", BIO_READ, 100, 512, 0, 0,
	    EINVAL },
	{ "refused: from the end of the disk on", BIO_READ, MEDIA_LEN, 512, 0,
	    0, EINVAL },
	{ "refused: past the end of the disk", BIO_READ, MEDIA_LEN - 512, 1024,
	    0, 0, EINVAL },
	{ "refused: far away", BIO_READ, UINT64_MAX - 511, 512, 0, 0, EINVAL },
	{ "refused: one page too many", BIO_READ, 0, 33 * 4096, 0, 0, EINVAL },
	{ "refused: a part of a page too many", BIO_READ, 0, 32 * 4096, 512, 0,
	    EINVAL },
	{ "refused: the most bytes that there can be", BIO_READ, 0,
	    UINT32_MAX - 511, 0, 0, EINVAL },
	{ "refused: from after the first page", BIO_READ, 0, 512, 4096, 0,
	    EINVAL },
	{ "refused: a flush of a range", BIO_FLUSH, 0, 512, 0, 0, EINVAL },
	{ "refused: a flush of a place", BIO_FLUSH, 512, 0, 0, 0, EINVAL },
	{ "refused: a write to a disk that is read-only", BIO_WRITE, 0, 512, 0,
	    READONLY, EROFS },
	{ "refused: on a machine that is stopped", BIO_READ, 0, 512, 0, STOPPED,
	    EBUSY },
	{ "refused: to a disk that did not come back", BIO_READ, 0, 512, 0,
	    BROKEN, ENXIO },
};

static void
refuses(void **state)
{
	const struct refusal *row = *state;
	struct sim_disk_config config = plain;
	struct bio bio;

	config.readonly = (row->how & READONLY) != 0;
	plug_in(&config);
	if (row->how == BROKEN) {
		sim_disk_break(dk, SIM_DISK_DEAD);
		bio = request(BIO_READ, 0, SECTOR);
		assert_int_equal(bio_start(&bio), 0);
	}
	ndone = 0;
	bio = request(row->cmd, row->off, row->len);
	bio.bio_ma_offset = row->ma_offset;
	scheduler_stopped = row->how == STOPPED;
	assert_int_equal(bio_start(&bio), row->error);
	scheduler_stopped = false;
	settle();
	assert_int_equal(ndone, 0);
}

static const struct transfer {
	const char *name;
	uint64_t off;
	uint32_t len;
	uint32_t ma_offset;
} transfers[] = {
	{ "moves a sector", 0, 512, 0 },
	{ "moves the last sector", MEDIA_LEN - 512, 512, 0 },
	{ "moves a sector from inside of a page", 512, 512, 1024 },
	{ "moves a sector over the end of a page", 512, 512, 4000 },
	{ "moves the last byte of a page and more", 0, 1024, 4095 },
	{ "moves pages", 8192, 3 * 4096, 0 },
	{ "moves parts of three pages", 512, 2 * 4096, 512 },
	{ "moves as many pages as there may be", 4096, 32 * 4096, 0 },
	{ "moves the most bytes with parts of pages", 0, 32 * 4096 - 512, 512 },
};

static void
move(enum bio_cmd cmd, const struct transfer *row)
{
	struct bio bio = request(cmd, row->off, row->len);

	bio.bio_ma_offset = row->ma_offset;
	ndone = 0;
	assert_int_equal(bio_start(&bio), 0);
	settle();
	assert_int_equal(ndone, 1);
	assert_int_equal(bio.bio_error, 0);
}

/* Byte i of the request is byte (ma_offset + i) of all pages. */
static void
moves(void **state)
{
	const struct transfer *row = *state;
	const uint8_t *media;

	plug_in(&plain);
	media = sim_disk_media(dk);
	for (unsigned int i = 0; i < NPAGES * PAGE_SIZE; i++)
		page(i / PAGE_SIZE)[i % PAGE_SIZE] = (uint8_t)(i * 7 + i / 251);
	move(BIO_WRITE, row);
	for (uint32_t i = 0; i < row->len; i++) {
		uint32_t at = row->ma_offset + i;

		assert_int_equal(media[row->off + i],
		    page(at / PAGE_SIZE)[at % PAGE_SIZE]);
	}
	for (unsigned int i = 0; i < NPAGES; i++)
		memset(page(i), 0xee, PAGE_SIZE);
	move(BIO_READ, row);
	for (uint32_t at = 0; at < NPAGES * PAGE_SIZE; at++) {
		uint32_t i = at - row->ma_offset;

		assert_int_equal(page(at / PAGE_SIZE)[at % PAGE_SIZE],
		    at >= row->ma_offset && i < row->len ? media[row->off + i] :
							   0xee);
	}
}

/* ---- Many requests ---- */

static struct bio bios[NREQUESTS];
static unsigned int order[NREQUESTS]; /* in which they were done */
static int errors[NREQUESTS];

static void
note_done(struct bio *bp)
{
	assert_true(ndone < NREQUESTS);
	order[ndone++] = (unsigned int)(bp - bios);
	errors[bp - bios] = bp->bio_error;
}

/* Reads of a sector each, each to a place of its own. */
static void
start_many(unsigned int n)
{
	ndone = 0;
	for (unsigned int i = 0; i < n; i++) {
		bios[i] = request(BIO_READ, (uint64_t)i * SECTOR, SECTOR);
		bios[i].bio_ma = &pages[i];
		bios[i].bio_done = note_done;
		assert_int_equal(bio_start(&bios[i]), 0);
		assert_true(sim_disk_ninflight(dk) <= DISK_QDEPTH);
	}
}

/* Each once, and each with this error. */
static void
all_done(unsigned int n, int error)
{
	bool seen[NREQUESTS] = { false };

	assert_int_equal(ndone, n);
	for (unsigned int i = 0; i < n; i++) {
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
		assert_int_equal(errors[i], error);
	}
}

static void
waits_for_slots(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(NREQUESTS);
	assert_int_equal(sim_disk_ninflight(dk), DISK_QDEPTH);
	settle();
	all_done(NREQUESTS, 0);
	assert_int_equal(sim_disk_nresets(dk), 1);
}

static void
run_seed(uint32_t seed, unsigned int found[NREQUESTS])
{
	struct sim_disk_config config = plain;

	config.seed = seed;
	config.delay = 3;
	plug_in(&config);
	start_many(NREQUESTS);
	settle();
	all_done(NREQUESTS, 0);
	memcpy(found, order, sizeof(order));
	(void)unplug(NULL);
}

static void
repeats_by_seed(void **state)
{
	unsigned int first[NREQUESTS], second[NREQUESTS], other[NREQUESTS];

	(void)state;
	run_seed(5, first);
	run_seed(5, second);
	run_seed(6, other);
	assert_memory_equal(first, second, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
}

static void
fails(void **state)
{
	(void)state;
	plug_in(&plain);
	sim_disk_break(dk, SIM_DISK_FAILS);
	start_many(NREQUESTS);
	settle();
	all_done(NREQUESTS, EIO);
	sim_disk_break(dk, SIM_DISK_WORKS);
	start_many(NREQUESTS);
	settle();
	all_done(NREQUESTS, 0);
}

static void
flushes(void **state)
{
	struct bio bio;

	(void)state;
	plug_in(&plain);
	bio = request(BIO_FLUSH, 0, 0);
	ndone = 0;
	assert_int_equal(bio_start(&bio), 0);
	assert_int_equal(ndone, 0);
	settle();
	assert_int_equal(ndone, 1);
}

/* Nothing has to be asked of the disk. */
static void
flushes_without_cache(void **state)
{
	struct sim_disk_config config = plain;
	struct bio bio;

	(void)state;
	config.flush = false;
	plug_in(&config);
	bio = request(BIO_FLUSH, 0, 0);
	ndone = 0;
	assert_int_equal(bio_start(&bio), 0);
	assert_int_equal(ndone, 1);
	assert_int_equal(bio.bio_error, 0);
	bio.bio_done = NULL;
	assert_int_equal(bio_start(&bio), 0);
	assert_int_equal(bio_wait(&bio), 0);
	assert_int_equal(sim_disk_nresets(dk), 0);
}

static unsigned int links_left;

static void
start_next(struct bio *bp)
{
	assert_int_equal(bp->bio_error, 0);
	if (--links_left > 0)
		assert_int_equal(bio_start(bp), 0);
}

static void
starts_again(void **state)
{
	struct bio bio;

	(void)state;
	plug_in(&plain);
	bio = request(BIO_READ, 0, SECTOR);
	bio.bio_done = start_next;
	links_left = STEPS_MAX;
	assert_int_equal(bio_start(&bio), 0);
	settle();
	assert_int_equal(links_left, 0);
}

/* ---- Disks in trouble ---- */

static void
watch_for(int seconds)
{
	for (int i = 0; i < seconds; i++)
		disk_queue_watch(dk);
}

static void
lost_interrupts(void **state)
{
	(void)state;
	plug_in(&plain);
	sim_disk_break(dk, SIM_DISK_SILENT);
	start_many(NREQUESTS);
	for (int i = 0; i < NREQUESTS; i++) {
		settle();
		watch_for(1);
	}
	all_done(NREQUESTS, 0);
	assert_int_equal(sim_disk_nresets(dk), 1);
}

/* What is in flight ends; what waited gets its chance. */
static void
no_answer(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(NREQUESTS);
	watch_for(DISK_TIMEOUT - 1);
	assert_int_equal(ndone, 0);
	watch_for(1);
	assert_int_equal(ndone, DISK_QDEPTH);
	assert_int_equal(sim_disk_nresets(dk), 2);
	settle();
	assert_int_equal(ndone, NREQUESTS);
	for (int i = 0; i < NREQUESTS; i++)
		assert_int_equal(errors[i], i < DISK_QDEPTH ? ETIMEDOUT : 0);
}

/* An answer now and then is enough. */
static void
slow_answers(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(NREQUESTS);
	for (int i = 0; i < NREQUESTS; i++) {
		watch_for(DISK_TIMEOUT - 1);
		assert_true(sim_disk_step(dk));
	}
	all_done(NREQUESTS, 0);
}

/* A disk that is idle is not silent. */
static void
idle(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(1);
	settle();
	watch_for(2 * DISK_TIMEOUT);
	start_many(1);
	watch_for(DISK_TIMEOUT - 1);
	settle();
	all_done(1, 0);
	assert_int_equal(sim_disk_nresets(dk), 1);
}

static void
dead_at_once(void **state)
{
	(void)state;
	plug_in(&plain);
	sim_disk_break(dk, SIM_DISK_DEAD);
	start_many(1);
	all_done(1, ETIMEDOUT);
}

/* It has not answered, and its reset fails, too. */
static void
dead_in_time(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(NREQUESTS);
	sim_disk_break(dk, SIM_DISK_DEAD);
	watch_for(DISK_TIMEOUT);
	all_done(NREQUESTS, ETIMEDOUT);
}

static const struct lie {
	const char *name;
	unsigned int tag;
} lies[] = {
	{ "a slot that is free is done", 5 },
	{ "the slot after the last is done", DISK_QDEPTH },
	{ "a slot that cannot be is done", UINT32_MAX },
};

static void
ignores_lies(void **state)
{
	const struct lie *row = *state;

	plug_in(&plain);
	sim_disk_lie(dk, row->tag);
	start_many(3);
	sim_disk_lie(dk, row->tag);
	assert_int_equal(ndone, 0);
	settle();
	all_done(3, 0);
	sim_disk_lie(dk, row->tag);
	assert_int_equal(ndone, 3);
}

/* ---- Dumps ---- */

static void
taken(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(NREQUESTS);
	assert_true(sim_disk_step(dk));
	sim_disk_take(dk);
	assert_int_equal(sim_disk_ninflight(dk), 0);
	assert_false(sim_disk_step(dk));
	watch_for(1);
	assert_int_equal(sim_disk_ninflight(dk), DISK_QDEPTH);
	settle();
	all_done(NREQUESTS, 0);
}

/* The next request brings the others back, too. */
static void
taken_then_started(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(3);
	sim_disk_take(dk);
	bios[3] = request(BIO_READ, 3 * SECTOR, SECTOR);
	bios[3].bio_done = note_done;
	assert_int_equal(bio_start(&bios[3]), 0);
	settle();
	all_done(4, 0);
}

/* In the midst of the n-th call of the driver from now on. */
static void
taken_in_the_midst(void **state)
{
	(void)state;
	plug_in(&plain);
	sim_disk_break(dk, SIM_DISK_TAKEN); /* in the first reset */
	start_many(2);
	watch_for(1);
	sim_disk_break(dk, SIM_DISK_TAKEN); /* in a submission */
	bios[2] = request(BIO_READ, 2 * SECTOR, SECTOR);
	bios[2].bio_done = note_done;
	assert_int_equal(bio_start(&bios[2]), 0);
	sim_disk_break(dk, SIM_DISK_TAKEN); /* in the next reset */
	watch_for(2);
	settle();
	all_done(3, 0);
}

/* What the reset still did when the machine ran on, no dump can rely on. */
static void
taken_then_polled(void **state)
{
	(void)state;
	plug_in(&plain);
	sim_disk_break(dk, SIM_DISK_TAKEN);
	start_many(1);
	scheduler_stopped = true;
	assert_int_equal(disk_rw(dk, BIO_READ, page(1), SECTOR, 0), 0);
	scheduler_stopped = false;
	watch_for(1);
	settle();
	all_done(1, 0);
}

static void
taken_when_idle(void **state)
{
	(void)state;
	plug_in(&plain);
	start_many(1);
	settle();
	sim_disk_take(dk);
	watch_for(2 * DISK_TIMEOUT);
	assert_int_equal(sim_disk_nresets(dk), 1);
	start_many(1);
	settle();
	all_done(1, 0);
}

/* The debugger reads a partition table while requests are in flight. */
static void
polled_in_between(void **state)
{
	uint8_t *buf = page(NREQUESTS);

	(void)state;
	plug_in(&plain);
	sim_disk_media(dk)[SECTOR] = 0x77;
	start_many(3);
	scheduler_stopped = true;
	assert_int_equal(disk_rw(dk, BIO_READ, buf, SECTOR, SECTOR), 0);
	assert_int_equal(buf[0], 0x77);
	assert_int_equal(disk_rw(dk, BIO_READ, buf, SECTOR, 0), 0);
	scheduler_stopped = false;
	assert_int_equal(ndone, 0);
	watch_for(1);
	settle();
	all_done(3, 0);
}

/* ---- Threads ---- */

static void
sleep_done(struct bio *bp)
{
	tsleep(bp, 0, "test", 1);
}

static void
step_once(void *arg)
{
	(void)arg;
	(void)sim_disk_step(dk);
}

static void
sleeps_when_done(void **state)
{
	struct bio bio;

	(void)state;
	plug_in(&plain);
	bio = request(BIO_READ, 0, SECTOR);
	bio.bio_done = sleep_done;
	assert_int_equal(bio_start(&bio), 0);
	assert_string_equal(sim_expect_panic(step_once, NULL),
	    "witness: sleep on \"test\" in an interrupt");
}

#define STORM_THREADS 8
#define STORM_ROUNDS  500
#define STRIPE	      (MEDIA_LEN / STORM_THREADS)

static int nrunning; /* atomic */

struct storm {
	unsigned int number;
	uint32_t seed;
	vm_paddr_t page;
	uint8_t model[STRIPE];
	unsigned int nerrors;
	unsigned int nwrong;
};

/* One sector run in the thread's stripe; again until it succeeds. */
static void
storm_io(struct storm *st, enum bio_cmd cmd, uint32_t at, uint32_t len)
{
	struct bio bio = {
		.bio_disk = dk,
		.bio_cmd = cmd,
		.bio_offset = st->number * STRIPE + at,
		.bio_bcount = len,
		.bio_ma = &st->page,
	};

	while (bio_start(&bio) != 0 || bio_wait(&bio) != 0)
		st->nerrors++;
}

static void
storm_thread(void *arg)
{
	struct storm *st = arg;
	uint8_t *mem = (uint8_t *)PHYS_TO_DMAP(st->page);

	for (int i = 0; i < STORM_ROUNDS; i++) {
		uint32_t len = (sim_random(&st->seed) % 8 + 1) * SECTOR;
		uint32_t at = sim_random(&st->seed) %
		    ((uint32_t)(STRIPE - len) / SECTOR) * SECTOR;

		if (sim_random(&st->seed) % 2 == 0) {
			memset(mem, (int)sim_random(&st->seed), len);
			memcpy(&st->model[at], mem, len);
			storm_io(st, BIO_WRITE, at, len);
		} else {
			storm_io(st, BIO_READ, at, len);
			st->nwrong += memcmp(mem, &st->model[at], len) != 0;
		}
	}
	__atomic_sub_fetch(&nrunning, 1, __ATOMIC_RELAXED);
}

/* The disk, which dumps take now and then. */
static void
storm_disk(void *arg)
{
	uint32_t *seed = arg;

	while (__atomic_load_n(&nrunning, __ATOMIC_RELAXED) > 0) {
		if (!sim_disk_step(dk))
			disk_queue_watch(dk);
		if (sim_random(seed) % 200 == 0)
			sim_disk_take(dk);
	}
}

static void
storm(void **state)
{
	static struct storm storms[STORM_THREADS];
	struct simthread *threads[STORM_THREADS], *device;
	struct sim_disk_config config = plain;
	uint32_t seed = 7;

	(void)state;
	config.errors = 10;
	config.delay = 5;
	plug_in(&config);
	nrunning = STORM_THREADS;
	for (unsigned int i = 0; i < STORM_THREADS; i++) {
		storms[i] = (struct storm){ .number = i, .page = pages[i] };
		storms[i].seed = i + 1;
		threads[i] = sim_start(storm_thread, &storms[i]);
	}
	device = sim_start(storm_disk, &seed);
	for (unsigned int i = 0; i < STORM_THREADS; i++) {
		sim_join(threads[i]);
		assert_int_equal(storms[i].nwrong, 0);
		assert_true(storms[i].nerrors > 0);
		assert_memory_equal(storms[i].model,
		    &sim_disk_media(dk)[i * STRIPE], STRIPE);
	}
	sim_join(device);
}

/* ---- All ---- */

static const struct {
	const char *name;
	CMUnitTestFunction func;
} others[] = {
	{ "requests wait for slots, and each is done once", waits_for_slots },
	{ "the order is the seed's", repeats_by_seed },
	{ "errors of the disk", fails },
	{ "a flush", flushes },
	{ "a flush of a disk without a cache", flushes_without_cache },
	{ "a request is started again when it is done", starts_again },
	{ "interrupts get lost", lost_interrupts },
	{ "a disk that does not answer", no_answer },
	{ "a disk that answers slowly", slow_answers },
	{ "a disk that has nothing to do", idle },
	{ "a disk that cannot be reset", dead_at_once },
	{ "a disk that dies", dead_in_time },
	{ "a dump takes the disk", taken },
	{ "a dump takes the disk before a request", taken_then_started },
	{ "a dump in the midst of each call", taken_in_the_midst },
	{ "polled requests after a dump in a reset", taken_then_polled },
	{ "a dump takes an idle disk", taken_when_idle },
	{ "polled requests while others are in flight", polled_in_between },
	{ "a request's end may not sleep", sleeps_when_done },
	{ "threads, errors and dumps, against plain arrays", storm },
};

/* Every other page of a run, so that a wrong length shows. */
static void
get_pages(void)
{
	for (unsigned int i = 0; i < NPAGES; i++) {
		vm_page_t m =
		    vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WIRED);

		assert_non_null(m);
		pages[i] = VM_PAGE_TO_PHYS(m);
		(void)vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WIRED);
	}
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(refusals) + NROWS(transfers) +
	    NROWS(lies) + NROWS(others)];
	size_t n = 0;

	sim_boot(&sim_small);
	get_pages();
	ADD_ROWS(tests, n, refusals, refuses);
	ADD_ROWS(tests, n, transfers, moves);
	ADD_ROWS(tests, n, lies, ignores_lies);
	for (size_t i = 0; i < NROWS(others); i++)
		tests[n++] = row_test(others[i].name, others[i].func, NULL);
	for (size_t i = 0; i < n; i++)
		tests[i].teardown_func = unplug;
	return (RUN_TESTS(tests, n));
}
