/*
 * A machine with two disks to swap to, and objects whose pages go there.
 */
#include "tests/vm/sim_swap.h"

#include "tests/support/unit.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"

#include "kernel/vm/swap_pager.h"

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x500000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 4,
	.pinned = true,
};

struct disk *swap_disks[NSWAPDISKS];
static struct sim_disks worker = { .dks_disks = swap_disks,
	.dks_ndisks = NSWAPDISKS,
	.dks_cpu = 1 };

void
hold_disks(bool hold)
{
	sim_disks_hold(&worker, hold);
}

int
swap_power_on(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	for (uint32_t i = 0; i < NSWAPDISKS; i++)
		swap_disks[i] = sim_disk_create(&(struct sim_disk_config){
		    .media_len = 8 << 20,
		    .sector_len = 512,
		    .seed = i });
	sim_disks_start(&worker);
	return (0);
}

int
swap_power_off(void **state)
{
	(void)state;
	sim_disks_stop(&worker);
	for (int i = 0; i < NSWAPDISKS; i++)
		sim_disk_destroy(swap_disks[i]);
	if (mtx_owned(&vm_mtx))
		mtx_unlock(&vm_mtx);
	sim_halt();
	return (0);
}

void
swap_on(int i, vm_pindex_t npages)
{
	static const char *const names[NSWAPDISKS] = { "sim0", "sim1" };

	assert_int_equal(sim_swap_add(names[i], swap_disks[i], ptoa(16),
			     ptoa(npages + SWAP_RESERVED)),
	    0);
}

uint32_t
swap_used(const char *name)
{
	uint32_t n;

	mtx_lock(&vm_mtx);
	n = swap_dev_find(name)->sw_used;
	mtx_unlock(&vm_mtx);
	return (n);
}

/* ---- Pages with a pattern ---- */

vm_page_t
grab_page(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL);

	assert_non_null(m);
	return (m);
}

vm_page_t
write_page(vm_object_t object, vm_pindex_t pindex, uint32_t pattern)
{
	vm_page_t m;

	VM_OBJECT_LOCK(object);
	m = grab_page(object, pindex);
	page_fill(m, pattern, 1);
	vm_page_valid(m);
	vm_page_dirty(m);
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	return (m);
}

void
put_out(vm_object_t object, vm_pindex_t pindex, int n, int *rtvals)
{
	vm_page_t ma[VM_PAGER_MAXPAGES];

	VM_OBJECT_LOCK(object);
	vm_object_pip_add(object, 1);
	for (int i = 0; i < n; i++)
		ma[i] = grab_page(object, pindex + (vm_pindex_t)i);
	VM_OBJECT_UNLOCK(object);
	vm_pager_put_pages(object, ma, n, VM_PAGER_PUT_SYNC, rtvals);
	VM_OBJECT_LOCK(object);
	for (int i = 0; i < n; i++)
		vm_page_xunbusy(ma[i]);
	vm_object_pip_wakeup(object);
	VM_OBJECT_UNLOCK(object);
}

void
forget_pages(vm_object_t object, vm_pindex_t pindex, int n)
{
	VM_OBJECT_LOCK(object);
	for (int i = 0; i < n; i++) {
		vm_page_t m = grab_page(object, pindex + (vm_pindex_t)i);

		assert_int_equal(m->dirty, 0);
		vm_page_free(m);
	}
	VM_OBJECT_UNLOCK(object);
}

int
get_in(vm_object_t object, vm_pindex_t pindex, int n, int *behind, int *ahead)
{
	vm_page_t ma[VM_PAGER_MAXPAGES];
	int rv;

	VM_OBJECT_LOCK(object);
	vm_object_pip_add(object, 1);
	for (int i = 0; i < n; i++) {
		ma[i] = grab_page(object, pindex + (vm_pindex_t)i);
		assert_true(vm_page_none_valid(ma[i]));
	}
	VM_OBJECT_UNLOCK(object);
	rv = vm_pager_get_pages(object, ma, n, behind, ahead);
	VM_OBJECT_LOCK(object);
	for (int i = 0; i < n; i++) {
		if (rv != VM_PAGER_OK)
			vm_page_free(ma[i]);
		else
			vm_page_xunbusy(ma[i]);
	}
	vm_object_pip_wakeup(object);
	VM_OBJECT_UNLOCK(object);
	return (rv);
}

bool
in_memory(vm_object_t object, vm_pindex_t pindex, uint32_t pattern)
{
	vm_page_t m;
	bool is;

	VM_OBJECT_LOCK(object);
	m = vm_page_lookup(object, pindex);
	is = m != NULL && vm_page_all_valid(m) && page_filled(m, pattern, 1);
	VM_OBJECT_UNLOCK(object);
	return (is);
}

vm_object_t
swapped(int n)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, (vm_pindex_t)n);
	int rtvals[VM_PAGER_MAXPAGES];

	for (int i = 0; i < n; i++)
		(void)write_page(object, (vm_pindex_t)i, 1000 * (uint32_t)i);
	put_out(object, 0, n, rtvals);
	for (int i = 0; i < n; i++)
		assert_int_equal(rtvals[i], VM_PAGER_OK);
	forget_pages(object, 0, n);
	return (object);
}

/* ---- Memory ---- */

static vm_page_t taken[0x400];
static size_t ntaken;

void
take_memory(int req)
{
	while (ntaken < NROWS(taken) &&
	    (taken[ntaken] = vm_page_alloc_noobj(req)) != NULL)
		ntaken++;
}

void
give_memory(void)
{
	while (ntaken > 0)
		vm_page_free(taken[--ntaken]);
}
