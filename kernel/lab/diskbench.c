/*
 * What a read of a page costs, polled and by the queue: "diskbench" in the
 * shell.  The polled reads run as in a dying kernel: other CPUs stopped,
 * interrupts off.
 */
#include "kernel/dev/disk.h"
#include "kernel/lab/bench.h"
#include "kernel/machine/cpufunc.h"
#include "kernel/sys/command.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

static uint8_t pages[DISK_QDEPTH][PAGE_SIZE] __aligned(PAGE_SIZE);

static uint64_t
place(const struct disk *dk, uint64_t i)
{
	return (ptoa(i % atop(dk->bd_media_len)));
}

static int
read_polled(struct disk *dk, uint64_t n)
{
	register_t flags = intr_disable();
	int error;

	(void)stop_cpus_hard();
	error = disk_reset(dk);
	for (uint64_t i = 0; error == 0 && i < n; i++)
		error =
		    disk_rw(dk, BIO_READ, pages[0], PAGE_SIZE, place(dk, i));
	restart_cpus();
	intr_restore(flags);
	return (error);
}

/* With depth requests in flight. */
static int
read_queue(struct disk *dk, uint64_t n, unsigned int depth)
{
	vm_paddr_t pa[DISK_QDEPTH];
	struct bio bios[DISK_QDEPTH];
	int error = 0, ended;

	for (uint64_t i = 0; i < n + depth; i++) {
		struct bio *bp = &bios[i % depth];

		if (i >= depth && (ended = bio_wait(bp)) != 0)
			error = ended;
		if (i >= n)
			continue;
		pa[i % depth] = pmap_kextract((vm_offset_t)pages[i % depth]);
		*bp = (struct bio){
			.bio_disk = dk,
			.bio_cmd = BIO_READ,
			.bio_offset = place(dk, i),
			.bio_bcount = PAGE_SIZE,
			.bio_ma = &pa[i % depth],
		};
		if ((ended = bio_start(bp)) != 0)
			return (ended);
	}
	return (error);
}

static void
sh_diskbench(const char *args)
{
	const char *end;
	uint64_t n = strtouq(args, &end), rate = cycles_per_ms(), times[4];
	struct disk *dk = disk_first();
	int error = dk == NULL || n < DISK_QDEPTH ? EINVAL : 0;

	times[0] = rdtsc();
	if (error == 0)
		error = read_polled(dk, n);
	times[1] = rdtsc();
	if (error == 0)
		error = read_queue(dk, n, 1);
	times[2] = rdtsc();
	if (error == 0)
		error = read_queue(dk, n, DISK_QDEPTH);
	times[3] = rdtsc();
	if (error != 0) {
		printf("diskbench: error %d\n", error);
		return;
	}
	printf("diskbench: a read takes");
	for (int i = 0; i < 3; i++)
		printf(" %ju",
		    (uintmax_t)((times[i + 1] - times[i]) * 1000000 / rate /
			n));
	printf(" ns: polled, alone, one of %d\n", DISK_QDEPTH);
}
COMMAND(diskbench, "diskbench", CMD_SHELL, sh_diskbench,
    "N: time reads of a page of vtbd0, polled and by interrupt");
