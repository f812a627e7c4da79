/*
 * Laundering: dirty pages that were not used are written out, and can be freed then.
 *
 * One page is chosen, the head of the queue; its neighbours in the object go with
 * it, since a pager writes a run of pages as fast as one:
 *
 *	object	  7   8   9  10  11  12
 *		      D   D  [D]  D  busy	writes 8 to 11
 *
 * While a run is written, its pages are busy, shared, so that they can be read; the
 * object has paging in progress, so that it stays; and mappings have lost the right
 * to write, so that a write in the meantime makes the page dirty again.
 *
 * Several runs are written at the same time: a pager may start a write and say how it
 * ended later, by vm_pageout_finish().
 *
 * Lock: vm_mtx, not held while pages are written.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"
#include "kernel/vm/vm_pager.h"

/* Pages after which other threads get vm_mtx. */
#define LAUNDER_BATCH 128

static vm_pindex_t in_flight;  /* pages that pagers have; vm_mtx */
static bool in_flight_awaited; /* vm_mtx */

/* Consecutive pages of one object. */
struct wash {
	vm_page_t wsh_pages[VM_PAGER_MAXPAGES];
	int wsh_rtvals[VM_PAGER_MAXPAGES];
	int wsh_count;
};

/* A neighbour that is to go with the chosen page: its turn would come, too. */
static bool
goes_along(vm_page_t m)
{
	if (m == NULL || vm_page_busied(m) || vm_page_active(m) ||
	    m->wire_count != 0 || !vm_page_all_valid(m))
		return (false);
	vm_page_test_dirty(m);
	return (m->dirty != 0);
}

/* Where the run around m begins. */
static vm_page_t
run_first(vm_object_t object, vm_page_t m)
{
	for (int n = 1; n < VM_PAGER_MAXPAGES / 2 && m->pindex > 0; n++) {
		vm_page_t before =
		    vm_page_lookup(object, (vm_pindex_t)m->pindex - 1);

		if (!goes_along(before))
			break;
		m = before;
	}
	return (m);
}

/* Choose the run, make it busy, and have no more written through mappings. */
static void
choose_run(vm_object_t object, vm_page_t chosen, struct wash *ws)
{
	vm_page_t m = run_first(object, chosen);

	ws->wsh_count = 0;
	do {
		(void)vm_page_trysbusy(m);
		pmap_remove_write(m);
		ws->wsh_pages[ws->wsh_count++] = m;
		m = vm_page_lookup(object, (vm_pindex_t)m->pindex + 1);
	} while (ws->wsh_count < VM_PAGER_MAXPAGES &&
	    (m == chosen || goes_along(m)));
}

/* The page goes where what its pager said of it belongs; true: it is clean. */
static bool
sort(vm_page_t m, int rtval)
{
	/* Past the end of its file, or the file is gone: nobody can miss it. */
	if (rtval == VM_PAGER_BAD)
		vm_page_undirty(m);
	switch (rtval) {
	case VM_PAGER_BAD:
	case VM_PAGER_OK:
		if (!vm_page_active(m))
			vm_page_deactivate_noreuse(m);
		return (true);
	case VM_PAGER_AGAIN:
		vm_page_requeue(m);
		return (false);
	default: /* there is no room, or an error: not again soon */
		vm_page_activate(m);
		return (false);
	}
}

bool
vm_pageout_finish(vm_page_t m, int rtval)
{
	bool clean;

	mtx_assert(&vm_mtx, MA_OWNED);
	vm_page_sunbusy(m);
	clean = sort(m, rtval);
	vm_cnt.v_laundered += clean;
	in_flight--;
	if (in_flight_awaited)
		wakeup(&in_flight);
	in_flight_awaited = false;
	return (clean);
}

/*
 * Write the run around m; pages that are clean now, or may be soon.  Neighbours that
 * are not under way count as looked at, too: else pages that cannot be written would
 * be tried once for each neighbour in a lap.
 */
static vm_pindex_t
launder_run(vm_page_t m, vm_pindex_t *looked)
{
	vm_object_t object = vm_page_object(m);
	vm_pindex_t n = 0;
	struct wash ws;

	choose_run(object, m, &ws);
	vm_object_pip_add(object, 1);
	in_flight += (vm_pindex_t)ws.wsh_count;
	mtx_unlock(&vm_mtx);
	vm_pager_put_pages(object, ws.wsh_pages, ws.wsh_count, 0,
	    ws.wsh_rtvals);
	mtx_lock(&vm_mtx);
	for (int i = 0; i < ws.wsh_count; i++) {
		if (ws.wsh_rtvals[i] == VM_PAGER_PEND) {
			n++;
			continue;
		}
		n += vm_pageout_finish(ws.wsh_pages[i], ws.wsh_rtvals[i]);
		*looked += ws.wsh_pages[i] != m;
	}
	vm_object_pip_wakeup(object);
	return (n);
}

/* The head of the queue; pages that are clean now.  *looked was 1. */
static vm_pindex_t
launder_first(vm_page_t m, vm_pindex_t *looked)
{
	if (vm_page_busied(m) || vm_page_object(m) == NULL) {
		vm_page_requeue(m);
		return (0);
	}
	if (vm_pageout_reactivate(m))
		return (0);
	vm_page_test_dirty(m);
	if (m->dirty == 0) {
		vm_page_deactivate_noreuse(m);
		return (1);
	}
	if (!vm_page_all_valid(m)) { /* its owner is still filling it */
		vm_page_activate(m);
		return (0);
	}
	if (!vm_pager_has_room(vm_page_object(m))) {
		vm_page_requeue(m);
		return (0);
	}
	return (launder_run(m, looked));
}

/*
 * Launder in one lap of the queue at most, until as many pages are wanted; those
 * of *counted count from the start.
 */
static vm_pindex_t
launder(const vm_pindex_t *counted, vm_pindex_t wanted)
{
	vm_pindex_t n, left, looked, turn = 0;
	vm_page_t m;

	mtx_lock(&vm_mtx);
	n = *counted;
	left = vm_pageq_count(PQ_LAUNDRY);
	while (left > 0 && n < wanted &&
	    (m = vm_pageq_first(PQ_LAUNDRY)) != NULL) {
		looked = 1;
		n += launder_first(m, &looked);
		left -= looked < left ? looked : left;
		if (++turn % LAUNDER_BATCH == 0) {
			mtx_unlock(&vm_mtx);
			mtx_lock(&vm_mtx);
		}
	}
	mtx_unlock(&vm_mtx);
	return (n);
}

vm_pindex_t
vm_pageout_launder(vm_pindex_t wanted)
{
	return (launder(&in_flight, wanted));
}

vm_pindex_t
vm_pageout_launder_more(vm_pindex_t wanted)
{
	static const vm_pindex_t none;

	return (launder(&none, wanted));
}

void
vm_pageout_launder_wait(void)
{
	mtx_lock(&vm_mtx);
	if (in_flight > 0) {
		in_flight_awaited = true;
		(void)msleep(&in_flight, &vm_mtx, PVM, "laundw", 0);
	}
	mtx_unlock(&vm_mtx);
}
