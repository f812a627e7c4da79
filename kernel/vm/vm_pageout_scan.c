/*
 * Which pages are given up: the scans of the active and of the inactive queue.
 *
 * A page earns its place by being used.  Each scan that finds it used adds to its
 * act_count, each that does not takes one away, and at zero it becomes inactive.
 * When passes free nothing, each takes twice as much as the one before.
 *
 * An inactive page that is used before the scan comes to its end of the queue is
 * active again.  If not, it is freed when it is clean, or goes to the laundry.
 * So a stream that is read once passes through while a set that is in use stays.
 *
 * Scans take from the head of a queue, and whatever they decide, the page is not at
 * the head any more.  So vm_mtx can be let go of at any time, and no place has to be
 * remembered; a scan ends when it has seen as many pages as there were.
 *
 * Locks: vm_mtx -> the pmap's, vm_page_queue_free_mtx.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

/* Pages after which other threads get vm_mtx. */
#define SCAN_BATCH 128

/* ACT_DECLINE, so many times doubled, takes all of ACT_MAX. */
#define MAX_HASTE 6

/* How a scan of a queue goes on. */
struct scan {
	enum vm_pqueue psn_queue;
	vm_pindex_t psn_left; /* pages to look at */
};

static void
scan_begin(struct scan *sn, enum vm_pqueue queue)
{
	sn->psn_queue = queue;
	sn->psn_left = vm_pageq_count(queue);
	mtx_lock(&vm_mtx);
}

static vm_page_t
scan_next(struct scan *sn)
{
	if (sn->psn_left == 0)
		return (NULL);
	if (--sn->psn_left % SCAN_BATCH == 0) {
		mtx_unlock(&vm_mtx);
		mtx_lock(&vm_mtx);
	}
	vm_cnt.v_pdpages++;
	return (vm_pageq_first(sn->psn_queue));
}

static void
scan_end(void)
{
	mtx_unlock(&vm_mtx);
}

/* Uses since this was asked last.  What nobody can reach was not used. */
static int
uses_of(vm_page_t m)
{
	int uses = pmap_ts_referenced(m);
	const struct vm_object *object = vm_page_object(m);

	return (object == NULL || object->ref_count > 0 ? uses : 0);
}

/* It was used so many times; or it was not, which costs it decline. */
static void
count_uses(vm_page_t m, int uses, int decline)
{
	int act = m->act_count;

	act += uses > 0 ? ACT_ADVANCE + uses : -decline;
	m->act_count = (uint8_t)(act < 0 ? 0 : act > ACT_MAX ? ACT_MAX : act);
}

bool
vm_pageout_reactivate(vm_page_t m)
{
	int uses = uses_of(m);

	if (uses == 0)
		return (false);
	vm_page_activate(m);
	count_uses(m, uses, 0);
	vm_cnt.v_reactivated++;
	return (true);
}

/*
 * Free a page that was not used; true: it is.  What is written to it before its
 * mappings are gone is not lost: it is dirty then.
 */
static bool
reclaim(vm_page_t m)
{
	if (m->dirty == 0) {
		pmap_remove_all(m);
		vm_page_test_dirty(m);
	}
	if (m->dirty != 0) {
		vm_page_launder(m);
		return (false);
	}
	vm_page_free(m);
	vm_cnt.v_dfree++;
	return (true);
}

vm_pindex_t
vm_pageout_scan_inactive(vm_pindex_t shortage)
{
	vm_pindex_t nfreed = 0;
	struct scan sn;
	vm_page_t m;

	scan_begin(&sn, PQ_INACTIVE);
	while (nfreed < shortage && (m = scan_next(&sn)) != NULL) {
		if (vm_page_busied(m))
			vm_page_requeue(m);
		else if (!vm_pageout_reactivate(m) && reclaim(m))
			nfreed++;
	}
	scan_end();
	return (nfreed);
}

void
vm_pageout_scan_active(vm_pindex_t wanted, int pass)
{
	int decline = ACT_DECLINE << (pass < MAX_HASTE ? pass : MAX_HASTE);
	vm_pindex_t n = 0;
	struct scan sn;
	vm_page_t m;

	scan_begin(&sn, PQ_ACTIVE);
	while (n < wanted && (m = scan_next(&sn)) != NULL) {
		count_uses(m, uses_of(m), decline);
		if (m->act_count > 0) {
			vm_page_requeue(m);
			continue;
		}
		vm_page_deactivate(m);
		n++;
	}
	scan_end();
}
