/*
 * The page daemon: sleeps until memory is low, then asks for some back.
 *
 * All memory is the kernel's today, so there is one to ask: UMA, which keeps
 * free slabs and items in caches until their pages are needed.
 */
#include "kernel/vm/vm_pageout.h"

#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_page.h"

/* Ticks between two scans that could not free enough. */
#define PAGEOUT_RETRY 50

static bool vm_pages_needed; /* (f) */

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
		if (vm_cnt.v_free_count < steps[i].until)
			uma_reclaim(steps[i].req);
	}
}

vm_pindex_t
vm_pageout_scan(void)
{
	vm_pindex_t before = vm_cnt.v_free_count;

	vm_pageout_lowmem();
	(void)vm_pgcache_drain();
	return (vm_cnt.v_free_count > before ? vm_cnt.v_free_count - before :
					       0);
}

void
pagedaemon_wakeup(void)
{
	/* It is set, so the daemon was woken, or has yet to look at it. */
	if (__atomic_load_n(&vm_pages_needed, __ATOMIC_RELAXED))
		return;
	mtx_lock_spin(&vm_page_queue_free_mtx);
	__atomic_store_n(&vm_pages_needed, true, __ATOMIC_RELAXED);
	wakeup(&vm_pages_needed);
	mtx_unlock_spin(&vm_page_queue_free_mtx);
}

void
vm_pageout(void)
{
	int timo = 0;

	for (;;) {
		mtx_lock_spin(&vm_page_queue_free_mtx);
		while (!__atomic_load_n(&vm_pages_needed, __ATOMIC_RELAXED)) {
			(void)msleep_spin(&vm_pages_needed,
			    &vm_page_queue_free_mtx, "psleep", timo);
			if (timo != 0)
				break;
		}
		__atomic_store_n(&vm_pages_needed, false, __ATOMIC_RELAXED);
		mtx_unlock_spin(&vm_page_queue_free_mtx);

		(void)vm_pageout_scan();
		timo =
		    vm_cnt.v_free_count < vm_cnt.v_free_min ? PAGEOUT_RETRY : 0;
	}
}
