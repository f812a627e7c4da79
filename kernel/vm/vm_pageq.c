/*
 * Page queues: which page is given up next.
 *
 * A page of an object begins active.  The page daemon (vm_pageout.c) finds that
 * it was not used, and moves it on; a use moves it back:
 *
 *	active --> inactive --> free
 *		      |
 *		      +--dirty--> laundry --written--> inactive
 *
 * Queues are linked through next and prev, which a page needs for nothing else
 * while it is in one, so that it leaves from the middle at once.  Which queue it
 * is in is in its flags.
 *
 * Keeps true: pq_cnt is the length of the list; a page in a queue has an owner
 * and is not wired.
 *
 * Lock: vm_mtx, for all of it.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"

struct vm_pagequeue {
	uint32_t pq_head; /* VM_PAGE_NONE: it is empty */
	uint32_t pq_tail;
	vm_pindex_t pq_cnt; /* written under vm_mtx, read by anybody */
};

static struct vm_pagequeue vm_pagequeues[PQ_COUNT];

void
vm_pageq_init(void)
{
	for (int queue = 0; queue < PQ_COUNT; queue++) {
		vm_pagequeues[queue] = (struct vm_pagequeue){
			.pq_head = VM_PAGE_NONE,
			.pq_tail = VM_PAGE_NONE,
		};
	}
}

static void
vm_pageq_add_cnt(struct vm_pagequeue *pq, vm_pindex_t n)
{
	__atomic_store_n(&pq->pq_cnt, pq->pq_cnt + n, __ATOMIC_RELAXED);
}

void
vm_page_dequeue(vm_page_t m)
{
	enum vm_pqueue queue = vm_page_queue(m);
	struct vm_pagequeue *pq = &vm_pagequeues[queue];

	if (queue == PQ_NONE)
		return;
	mtx_assert(&vm_mtx, MA_OWNED);
	if (m->prev != VM_PAGE_NONE)
		vm_page_array[m->prev].next = m->next;
	else
		pq->pq_head = m->next;
	if (m->next != VM_PAGE_NONE)
		vm_page_array[m->next].prev = m->prev;
	else
		pq->pq_tail = m->prev;
	m->next = m->prev = VM_PAGE_NONE;
	vm_page_aflag_clear(m, VPG_QUEUE);
	vm_pageq_add_cnt(pq, (vm_pindex_t)-1);
}

/* The owner may have linked it in a list of its own before. */
static void
vm_page_enqueue(vm_page_t m, enum vm_pqueue queue, bool at_head)
{
	struct vm_pagequeue *pq = &vm_pagequeues[queue];
	uint32_t idx = (uint32_t)(m - vm_page_array);

	KASSERT(m->object != NULL && m->wire_count == 0,
	    ("%s: page %#jx: owner %p wired %u", __func__,
		(uintmax_t)VM_PAGE_TO_PHYS(m), m->object, m->wire_count));
	m->next = at_head ? pq->pq_head : VM_PAGE_NONE;
	m->prev = at_head ? VM_PAGE_NONE : pq->pq_tail;
	if (m->prev != VM_PAGE_NONE)
		vm_page_array[m->prev].next = idx;
	else
		pq->pq_head = idx;
	if (m->next != VM_PAGE_NONE)
		vm_page_array[m->next].prev = idx;
	else
		pq->pq_tail = idx;
	vm_page_aflag_set(m,
	    (uint16_t)((unsigned int)queue << VPG_QUEUE_SHIFT));
	vm_pageq_add_cnt(pq, 1);
}

static void
vm_page_move(vm_page_t m, enum vm_pqueue queue, bool at_head)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	vm_page_dequeue(m);
	if (m->wire_count == 0 && queue != PQ_NONE)
		vm_page_enqueue(m, queue, at_head);
}

void
vm_page_activate(vm_page_t m)
{
	if (m->act_count < ACT_INIT)
		m->act_count = ACT_INIT;
	if (!vm_page_active(m))
		vm_page_move(m, PQ_ACTIVE, false);
}

void
vm_page_deactivate(vm_page_t m)
{
	m->act_count = 0;
	if (!vm_page_inactive(m))
		vm_page_move(m, PQ_INACTIVE, false);
}

void
vm_page_deactivate_noreuse(vm_page_t m)
{
	m->act_count = 0;
	vm_page_move(m, PQ_INACTIVE, true);
}

void
vm_page_launder(vm_page_t m)
{
	m->act_count = 0;
	if (!vm_page_in_laundry(m))
		vm_page_move(m, PQ_LAUNDRY, false);
}

void
vm_page_requeue(vm_page_t m)
{
	vm_page_move(m, vm_page_queue(m), false);
}

void
vm_page_reference(vm_page_t m)
{
	vm_page_aflag_set(m, VPG_REFERENCED);
}

void
vm_page_unwire(vm_page_t m, enum vm_pqueue queue)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	if (!vm_page_unwire_noq(m))
		return;
	if (queue == PQ_ACTIVE)
		vm_page_activate(m);
	else
		vm_page_move(m, queue, false);
}

static vm_page_t
vm_pageq_page(uint32_t idx)
{
	return (idx == VM_PAGE_NONE ? NULL : &vm_page_array[idx]);
}

vm_page_t
vm_pageq_first(enum vm_pqueue queue)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	return (vm_pageq_page(vm_pagequeues[queue].pq_head));
}

vm_page_t
vm_pageq_next(const struct vm_page *m)
{
	mtx_assert(&vm_mtx, MA_OWNED);
	return (vm_pageq_page(m->next));
}

vm_pindex_t
vm_pageq_count(enum vm_pqueue queue)
{
	return (__atomic_load_n(&vm_pagequeues[queue].pq_cnt,
	    __ATOMIC_RELAXED));
}
