/*
 * The page daemon: sleeps until memory is low, then asks for some back.
 *
 * UMA keeps free slabs and items in caches until their pages are needed, and CPUs keep
 * free pages; these are asked first.  Then pages of objects are chosen
 * (vm_pageout_scan.c) and written out (vm_pageout_launder.c).  When a pass frees
 * nothing, the daemon waits a moment and tries harder; after vm_pageout_oom_seq of
 * them in a row it asks vm_pageout_oom.c to kill the process with most memory.
 *
 * It wakes at v_free_min free pages, and goes on to v_free_target.
 *
 * Locks: vm_page_queue_free_mtx, for the sleep.
 */
#include "kernel/vm/vm_pageout.h"

#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"

/* Ticks between two scans that could not free enough. */
#define PAGEOUT_RETRY 10

int vm_pageout_oom_seq = 12;

static bool vm_pages_needed;	 /* (f) */
static int vm_pageout_fruitless; /* passes in a row; the daemon's */

/* Those of objects: first what is clean, then what has to be written for that. */
static vm_pindex_t
vm_pageout_objects(int pass)
{
	vm_pindex_t shortage = vm_paging_target();
	vm_pindex_t nfreed = vm_pageout_scan_inactive(shortage);
	vm_pindex_t wanted = vm_cnt.v_inactive_target + shortage - nfreed;
	vm_pindex_t have = vm_pageq_count(PQ_INACTIVE);

	vm_laundry_freed(nfreed);
	if (wanted > have)
		vm_pageout_scan_active(wanted - have, pass);
	if (nfreed < shortage && vm_pageout_launder(shortage - nfreed) > 0) {
		vm_pageout_launder_wait();
		nfreed += vm_pageout_scan_inactive(shortage - nfreed);
	}
	return (nfreed);
}

/*
 * Ask UMA, for more the less memory there is: the caches of CPUs, without which
 * allocation is slow, only when the daemon would be woken again.
 */
static void
vm_pageout_lowmem(void)
{
	const struct {
		int req;
		vm_pindex_t until;
	} steps[] = {
		{ UMA_RECLAIM_TRIM, vm_cnt.v_free_target },
		{ UMA_RECLAIM_DRAIN, vm_cnt.v_free_target },
		{ UMA_RECLAIM_DRAIN_CPU, vm_cnt.v_free_min },
	};

	for (size_t i = 0; i < nitems(steps); i++) {
		if (vm_lists_count() < steps[i].until)
			uma_reclaim(steps[i].req);
	}
}

vm_pindex_t
vm_pageout_scan(void)
{
	vm_pindex_t before, after;

	(void)kmem_settle();
	(void)vm_pgcache_drain();
	before = vm_free_count();
	vm_pageout_lowmem();
	after = vm_free_count();
	return ((after > before ? after - before : 0) +
	    vm_pageout_objects(vm_pageout_fruitless));
}

void
pagedaemon_wakeup_locked(void)
{
	mtx_assert(&vm_page_queue_free_mtx, MA_OWNED);
	if (vm_pages_needed)
		return;
	vm_pages_needed = true;
	vm_cnt.v_pdwakeups++;
	wakeup(&vm_pages_needed);
}

void
pagedaemon_wakeup(void)
{
	mtx_lock_spin(&vm_page_queue_free_mtx);
	pagedaemon_wakeup_locked();
	mtx_unlock_spin(&vm_page_queue_free_mtx);
}

bool
vm_pageout_pass(void)
{
	while (vm_paging_target() > 0) {
		if (vm_pageout_scan() > 0) {
			vm_pageout_fruitless = 0;
			continue;
		}
		if (++vm_pageout_fruitless < vm_pageout_oom_seq)
			return (false);
		vm_pageout_fruitless = 0;
		if (!vm_paging_needed())
			return (true);
		vm_pageout_oom();
		return (false);
	}
	vm_pageout_fruitless = 0;
	return (true);
}

/*
 * What is free in a cache now, and was not when the daemon looked, wakes nobody who
 * waits for addresses.  So it looks again while anybody does.
 */
int
vm_pageout_turn(int timo)
{
	bool content;

	mtx_lock_spin(&vm_page_queue_free_mtx);
	while (!vm_pages_needed) {
		(void)msleep_spin(&vm_pages_needed, &vm_page_queue_free_mtx,
		    "psleep", timo);
		if (timo != 0)
			break;
	}
	vm_pages_needed = false;
	mtx_unlock_spin(&vm_page_queue_free_mtx);

	if (kva_is_wanted()) {
		(void)kmem_settle();
		uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	}
	content = vm_pageout_pass();
	return (content && !kva_is_wanted() ? 0 : PAGEOUT_RETRY);
}

void
vm_pageout(void)
{
	int timo = 0;

	for (;;)
		timo = vm_pageout_turn(timo);
}
