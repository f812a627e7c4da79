/* The invariants of kernel/vm/vm_page.h, vm_pageq.c and vm_object.h. */
#include "tests/vm/audit.h"

#include <stdio.h>
#include <string.h>

#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"

static char report[200];

/* What is found on the way over all pages. */
struct census {
	vm_pindex_t ce_free;
	vm_pindex_t ce_wired;
	vm_pindex_t ce_queued[PQ_COUNT];
};

static const char *
say_page(const struct vm_page *m, const char *what)
{
	(void)snprintf(report, sizeof(report),
	    "page %#jx: %s: flags %#x owner %p wired %u busy %u valid %#x "
	    "dirty %#x",
	    (uintmax_t)VM_PAGE_TO_PHYS(m), what, m->flags, m->object,
	    m->wire_count, m->busy, m->valid, m->dirty);
	return (report);
}

static const char *
say_count(const char *what, vm_pindex_t found, vm_pindex_t counted)
{
	(void)snprintf(report, sizeof(report), "%s: %ju, counted %ju", what,
	    (uintmax_t)found, (uintmax_t)counted);
	return (report);
}

static const char *
audit_free(const struct vm_page *m)
{
	if (m->object != NULL || m->wire_count != 0)
		return (say_page(m, "free, with an owner"));
	if (m->busy != 0 || m->pv != VM_PAGE_NONE)
		return (say_page(m, "free, busy or mapped"));
	if (m->valid != 0 || m->dirty != 0)
		return (say_page(m, "free, with contents"));
	if (vm_page_queue(m) != PQ_NONE)
		return (say_page(m, "free, in a queue"));
	return (NULL);
}

/* Is it where its object looks for it, and where the page daemon does? */
static const char *
audit_object_page(const struct vm_page *m)
{
	if (vm_page_lookup(vm_page_object(m), m->pindex) != m)
		return (say_page(m, "not found in its object"));
	if (vm_page_queue(m) == PQ_NONE && m->wire_count == 0 && m->busy == 0)
		return (say_page(m, "unwired, in no queue"));
	return (NULL);
}

static const char *
audit_used(const struct vm_page *m)
{
	const char *wrong = NULL;

	if ((m->flags & VPG_HEAD) != 0)
		return (say_page(m, "heads a free block"));
	if ((m->dirty & ~m->valid) != 0)
		return (say_page(m, "dirty, not valid"));
	if (m->object == NULL && m->wire_count == 0 &&
	    (m->flags & VPG_BOOT) == 0)
		return (say_page(m, "used, of nobody"));
	if (vm_page_object(m) != NULL)
		wrong = audit_object_page(m);
	if (wrong != NULL || vm_page_queue(m) == PQ_NONE)
		return (wrong);
	if (m->wire_count != 0)
		return (say_page(m, "wired, in a queue"));
	if ((m->flags & VPG_SLAB) != 0)
		return (say_page(m, "in a queue, of no object"));
	return (NULL);
}

static const char *
audit_page(const struct vm_page *m, struct census *ce)
{
	bool is_free = (m->flags & VPG_FREE) != 0;

	ce->ce_free += is_free;
	ce->ce_wired += m->wire_count > 0;
	ce->ce_queued[vm_page_queue(m)]++;
	return (is_free ? audit_free(m) : audit_used(m));
}

/* The links of a queue lead to as many pages as it has, and back. */
static const char *
audit_queue(enum vm_pqueue queue)
{
	vm_pindex_t n = 0, count = vm_pageq_count(queue);
	uint32_t prev = VM_PAGE_NONE;
	vm_page_t m;

	for (m = vm_pageq_first(queue); m != NULL && n <= count;
	     m = vm_pageq_next(m)) {
		if (m->prev != prev)
			return (say_page(m, "wrong link back"));
		if (vm_page_queue(m) != queue)
			return (say_page(m, "in another queue"));
		prev = (uint32_t)(m - vm_page_array);
		n++;
	}
	return (n == count ? NULL : say_count("pages in a queue", n, count));
}

static vm_pindex_t
free_list_pages(void)
{
	vm_pindex_t npages = 0;

	for (int pool = 0; pool < VM_NFREEPOOL; pool++) {
		for (int order = 0; order < VM_NFREEORDER; order++)
			npages +=
			    vm_phys_free_blocks((enum vm_freepool)pool, order)
			    << order;
	}
	return (npages);
}

static const char *
audit_counts(const struct census *ce)
{
	if (ce->ce_wired != vm_wire_count())
		return (say_count("wired", ce->ce_wired, vm_wire_count()));
	if (ce->ce_free != vm_free_count())
		return (say_count("free", ce->ce_free, vm_free_count()));
	if (free_list_pages() != vm_cnt.v_free_count)
		return (say_count("on free lists", free_list_pages(),
		    vm_cnt.v_free_count));
	return (NULL);
}

const char *
audit_pages(void)
{
	const char *wrong = NULL;
	struct census ce = { 0 };

	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; wrong == NULL && i < vm_page_array_size; i++)
		wrong = audit_page(&vm_page_array[i], &ce);
	if (wrong == NULL)
		wrong = audit_counts(&ce);
	for (int queue = PQ_INACTIVE; wrong == NULL && queue < PQ_COUNT;
	     queue++) {
		wrong = audit_queue((enum vm_pqueue)queue);
		if (wrong == NULL &&
		    ce.ce_queued[queue] !=
			vm_pageq_count((enum vm_pqueue)queue))
			wrong = say_count("pages that say they are in a queue",
			    ce.ce_queued[queue],
			    vm_pageq_count((enum vm_pqueue)queue));
	}
	mtx_unlock(&vm_mtx);
	return (wrong);
}
