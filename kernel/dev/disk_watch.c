/*
 * The clock looks after the queues of all disks: each second after those that
 * have not answered, and each tick after disks that cannot interrupt.
 *
 * Lock: none.  disk_queue.c takes bd_mtx for each disk.
 */
#include "kernel/dev/disk.h"
#include "kernel/dev/disk_queue.h"
#include "kernel/sys/callout.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/kernel.h"

static struct callout second, tick;

static void
watch(void *arg)
{
	(void)arg;
	for (struct disk *dk = disk_first(); dk != NULL; dk = dk->bd_next)
		disk_queue_watch(dk);
	callout_reset(&second, hz, watch, NULL);
}

static void
poll(void *arg)
{
	bool any = false;

	(void)arg;
	for (struct disk *dk = disk_first(); dk != NULL; dk = dk->bd_next) {
		if (!dk->bd_interrupts) {
			disk_queue_intr(dk);
			any = true;
		}
	}
	if (any)
		callout_reset(&tick, 1, poll, NULL);
}

static void
disk_watch_init(const void *arg)
{
	(void)arg;
	watch(NULL);
	poll(NULL);
}
SYSINIT(disk_watch, SI_SUB_DRIVERS, SI_ORDER_ANY, disk_watch_init, NULL);
