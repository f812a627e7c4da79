/*
 * usage: bench_laundry
 *
 * How many dirty pages a second go to swap, on two disks that take a while for each
 * request, and what CPU time do they take of the page daemon?  Writes in flight,
 * beside one write after the other.
 */
#include <stdlib.h>
#include <time.h>

#include "bench/figures.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pageout.h"
#include "kernel/vm/vm_pager.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"

#define NROUNDS 7
#define NPAGES	2048
#define DISKLEN ((uint64_t)64 << 20)

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x4000000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static struct disk *disks[2];
static struct sim_disks worker = { .dks_disks = disks,
	.dks_ndisks = 2,
	.dks_cpu = 1 };
static vm_object_t object;

static double
thread_cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

/* All pages are dirty and wait to be written. */
static void
make_dirty(void)
{
	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; i < NPAGES; i++) {
		vm_page_t m = vm_page_grab(object, i, VM_ALLOC_NORMAL);

		if (m == NULL)
			abort();
		vm_page_valid(m);
		vm_page_dirty(m);
		vm_page_launder(m);
		vm_page_xunbusy(m);
	}
	mtx_unlock(&vm_mtx);
}

static void
write_in_flight(void)
{
	while (vm_pageout_launder(NPAGES) > 0)
		vm_pageout_launder_wait();
}

static void
write_run(vm_pindex_t first)
{
	vm_page_t ma[VM_PAGER_MAXPAGES];
	int rtvals[VM_PAGER_MAXPAGES];

	mtx_lock(&vm_mtx);
	vm_object_pip_add(object, 1);
	for (vm_pindex_t i = 0; i < VM_PAGER_MAXPAGES; i++)
		ma[i] = vm_page_grab(object, first + i, VM_ALLOC_NORMAL);
	mtx_unlock(&vm_mtx);
	vm_pager_put_pages(object, ma, VM_PAGER_MAXPAGES, VM_PAGER_PUT_SYNC,
	    rtvals);
	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; i < VM_PAGER_MAXPAGES; i++) {
		vm_page_deactivate_noreuse(ma[i]);
		vm_page_xunbusy(ma[i]);
	}
	vm_object_pip_wakeup(object);
	mtx_unlock(&vm_mtx);
}

static void
write_one_by_one(void)
{
	for (vm_pindex_t i = 0; i < NPAGES; i += VM_PAGER_MAXPAGES)
		write_run(i);
}

/* Pages a second, and seconds of CPU time a page. */
static void
measure(void (*func)(void), double *rate, double *cost)
{
	double began, cpu;

	make_dirty();
	began = figures_now();
	cpu = thread_cpu_now();
	func();
	*cost = (thread_cpu_now() - cpu) * 1e9 / NPAGES;
	*rate = NPAGES / (figures_now() - began);
}

static void
power_on(void)
{
	static const char *const names[] = { "sim0", "sim1" };

	sim_boot(&config);
	sim_pin(0);
	for (uint32_t i = 0; i < 2; i++) {
		disks[i] = sim_disk_create(&(struct sim_disk_config){
		    .media_len = DISKLEN,
		    .sector_len = 512,
		    .seed = i,
		    .delay = 2000 });
		if (sim_swap_add(names[i], disks[i], 0, DISKLEN) != 0)
			abort();
	}
	sim_disks_start(&worker);
	object = vm_object_allocate(OBJT_SWAP, NPAGES);
}

int
main(void)
{
	double rate[2][NROUNDS], cost[2][NROUNDS];
	const struct figures rates = { .fg_bench = "laundry",
		.fg_about = "",
		.fg_unit = "pages/s",
		.fg_limit_is = "one write after the other" };
	const struct figures costs = { .fg_bench = "laundry_cpu",
		.fg_about = "",
		.fg_unit = "ns/page",
		.fg_limit_is = "one write after the other" };

	power_on();
	for (size_t i = 0; i < NROUNDS; i++) {
		measure(write_in_flight, &rate[0][i], &cost[0][i]);
		measure(write_one_by_one, &rate[1][i], &cost[1][i]);
	}
	figures_print(&rates, rate[0], rate[1], NROUNDS);
	figures_print(&costs, cost[0], cost[1], NROUNDS);
	vm_object_deallocate(object);
	sim_disks_stop(&worker);
	sim_halt();
	return (0);
}
