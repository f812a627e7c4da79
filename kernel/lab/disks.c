/*
 * Load on disks, from the shell.
 */
#include "kernel/dev/disk.h"
#include "kernel/lab/crash.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/command.h"
#include "kernel/sys/fail.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"

static MALLOC_DEFINE(M_DISKLOAD, "diskload", "of threads that use disks");

/* ---- Threads that read ---- */

static volatile bool disks_over;
static uint64_t disk_nstarted; /* atomic; threads that have read once */

static void
disk_thread(void *arg)
{
	struct disk *dk = arg;
	uint8_t *buf = malloc(PAGE_SIZE, M_DISKLOAD, M_WAITOK);
	int error = disk_rw(dk, BIO_READ, buf, PAGE_SIZE, 0);

	__atomic_add_fetch(&disk_nstarted, 1, __ATOMIC_RELAXED);
	for (uint64_t off = 0; error == 0 && !disks_over; off += PAGE_SIZE)
		error = disk_rw(dk, BIO_READ, buf, PAGE_SIZE,
		    off % dk->bd_media_len);
	if (error != 0)
		printf("disk: error %d\n", error);
	free(buf, M_DISKLOAD);
}

static void
sh_disk(const char *args)
{
	const char *end;
	uint64_t n = strtouq(args, &end);
	uint64_t all = disk_nstarted + n;
	struct disk *dk = disk_first();

	disks_over = end == args;
	if (dk == NULL)
		return;
	for (uint64_t i = 0; i < n; i++)
		kproc_kthread_add(disk_thread, dk, NULL, NULL, "storm",
		    "disk %ju", (uintmax_t)i);
	/* On a slow host the clock hardly ticks from now on: do not count on it. */
	while (__atomic_load_n(&disk_nstarted, __ATOMIC_RELAXED) < all)
		pause("disk", 1);
}
COMMAND(disk, "disk", CMD_SHELL, sh_disk,
    "N: threads that read vtbd0; without N: end them");

/* ---- A crash ---- */

/* So many requests are done before: others are in flight then, too. */
#define CRASH_DONE 50

static int
panic_done(const void *bp)
{
	static int ndone;

	(void)bp;
	if (__atomic_add_fetch(&ndone, 1, __ATOMIC_RELAXED) == CRASH_DONE)
		panic("crash: in a disk's interrupt");
	return (0);
}

void
crash_io(void)
{
	struct disk *dk = disk_first();
	static uint8_t buf[PAGE_SIZE] __aligned(PAGE_SIZE);

	fail_set_error(FAIL_BIO, panic_done);
	for (int i = 0; dk != NULL && i < CRASH_DONE; i++)
		(void)disk_rw(dk, BIO_READ, buf, PAGE_SIZE, 0);
}
