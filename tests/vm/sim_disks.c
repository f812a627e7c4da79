/*
 * The thread by which disks work.
 */
#include "tests/vm/sim_disks.h"

#include "kernel/machine/pcpu.h"
#include "kernel/sys/smp.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_pageout.h"

/* One step of each disk, and what follows from it; false: there was nothing to do. */
static bool
work(const struct sim_disks *dks)
{
	bool any = false;

	for (size_t i = 0; i < dks->dks_ndisks; i++)
		any |= sim_disk_step(dks->dks_disks[i]);
	while (swap_out_finish())
		any = true;
	return (any);
}

static bool
may_work(struct sim_disks *dks)
{
	if (__atomic_load_n(&dks->dks_held, __ATOMIC_ACQUIRE))
		return (false);
	return (!dks->dks_on_demand || sim_thread_asleep(dks->dks_starter));
}

static void
work_as_asked(struct sim_disks *dks)
{
	unsigned int n = __atomic_load_n(&dks->dks_asked, __ATOMIC_ACQUIRE);

	for (unsigned int i = 0; i < n; i++)
		(void)work(dks);
	if (n > 0)
		__atomic_store_n(&dks->dks_asked, 0, __ATOMIC_RELEASE);
}

static void
run(void *arg)
{
	struct sim_disks *dks = arg;

	sim_pin(dks->dks_cpu);
	while (!__atomic_load_n(&dks->dks_stop, __ATOMIC_ACQUIRE)) {
		work_as_asked(dks);
		if (!may_work(dks) || !work(dks))
			cpu_spinwait();
	}
}

void
sim_disks_start(struct sim_disks *dks)
{
	dks->dks_stop = dks->dks_held = false;
	dks->dks_asked = 0;
	dks->dks_starter = curthread;
	dks->dks_thread = sim_start(run, dks);
}

void
sim_disks_drain(void)
{
	while (vm_pageout_launder(0) > 0)
		vm_pageout_launder_wait();
}

void
sim_disks_stop(struct sim_disks *dks)
{
	__atomic_store_n(&dks->dks_stop, true, __ATOMIC_RELEASE);
	sim_join(dks->dks_thread);
}

void
sim_disks_hold(struct sim_disks *dks, bool hold)
{
	__atomic_store_n(&dks->dks_held, hold, __ATOMIC_RELEASE);
}

void
sim_disks_ask(struct sim_disks *dks, unsigned int n)
{
	__atomic_store_n(&dks->dks_asked, n, __ATOMIC_RELEASE);
	while (__atomic_load_n(&dks->dks_asked, __ATOMIC_ACQUIRE) > 0)
		cpu_spinwait();
}

static int
look_at_nothing(struct disk *dk, uint64_t offset, uint64_t len)
{
	(void)dk;
	(void)offset;
	(void)len;
	return (0);
}

int
sim_swap_add(const char *name, struct disk *dk, uint64_t offset, uint64_t len)
{
	return (swap_dev_add(name, dk, offset, len, look_at_nothing));
}
