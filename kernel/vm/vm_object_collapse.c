/*
 * Chains of shadows get shorter.
 *
 * A fork leaves parent and child with a shadow each.  When one of them is gone,
 * what is behind the other has one user:
 *
 *	absorb	shadow -> backing -> rest	pages and swap of backing that
 *		shadow ------------> rest	shadow has not got move into it
 *
 *	bypass	shadow -> backing -> rest	backing has more users, but nothing
 *		shadow ------------> rest	that shadow has not got itself
 *
 * An absorption may stop anywhere and be resumed: only the shadow sees its backing
 * object, and sees the same bytes wherever they are.  So one call moves a bounded
 * number of pages, and without memory for a node, or at a busy page, it leaves
 * the rest for the next one.
 *
 * An object that is being paged keeps its place: a fault on its way down the
 * chain relies on that.
 *
 * Lock: vm_mtx, held throughout.
 */
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object_int.h"
#include "kernel/vm/vm_pager.h"

/* Pages, blocks of swap and objects that a call looks at. */
#define COLLAPSE_BUDGET 1024

/* A shadow and what is behind it. */
struct pair {
	vm_object_t cpr_shadow;
	vm_object_t cpr_backing;
	unsigned int cpr_budget; /* what is left */
};

enum progress {
	SHORTER, /* the chain is */
	MORE,	 /* the budget ended first */
	STUCK,	 /* not now */
};

static bool
spend(struct pair *pair)
{
	if (pair->cpr_budget == 0)
		return (false);
	pair->cpr_budget--;
	return (true);
}

static bool
may_collapse(vm_object_t object)
{
	return ((object->flags & (OBJ_ANON | OBJ_DEAD)) == OBJ_ANON &&
	    object->paging_in_progress == 0);
}

/* Which page of the shadow shows page pindex behind it; false: none does. */
static bool
to_shadow(const struct pair *pair, vm_pindex_t pindex, vm_pindex_t *out)
{
	vm_pindex_t first = atop(pair->cpr_shadow->backing_object_offset);

	*out = pindex - first;
	return (pindex >= first && *out < pair->cpr_shadow->size);
}

/* ---- Absorb ---- */

static bool
free_unseen(vm_page_t m)
{
	if (m->wire_count > 0) {
		vm_page_xunbusy(m);
		return (false);
	}
	pmap_remove_all(m);
	vm_pager_page_unswapped(m);
	vm_page_free(m);
	return (true);
}

/* A page of the shadow that never got its bytes makes room for one that has. */
static bool
make_room(vm_object_t shadow, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_lookup(shadow, pindex);

	if (m == NULL)
		return (true);
	if (m->wire_count > 0 || !vm_page_tryxbusy(m))
		return (false);
	vm_page_free(m);
	return (true);
}

static bool
absorb_page(struct pair *pair, vm_page_t m)
{
	vm_pindex_t pindex;
	bool moved;

	if (!vm_page_tryxbusy(m))
		return (false);
	if (!to_shadow(pair, m->pindex, &pindex) || !vm_page_all_valid(m) ||
	    swap_pager_has_own(pair->cpr_shadow, pindex))
		return (free_unseen(m));
	moved = make_room(pair->cpr_shadow, pindex) &&
	    vm_page_rename(m, pair->cpr_shadow, pindex) == 0;
	vm_page_xunbusy(m);
	return (moved);
}

static bool
absorb_pages(struct pair *pair)
{
	vm_page_t m;

	while ((m = vm_page_find_least(pair->cpr_backing, 0)) != NULL) {
		if (!spend(pair) || !absorb_page(pair, m))
			return (false);
	}
	return (true);
}

/* The backing object is empty: the shadow takes over what that has behind it. */
static void
replace_empty(struct pair *pair)
{
	vm_object_t shadow = pair->cpr_shadow, backing = pair->cpr_backing;
	vm_ooffset_t offset =
	    shadow->backing_object_offset + backing->backing_object_offset;
	vm_object_t next;

	(void)vm_object_backing_clear(shadow);
	next = vm_object_backing_clear(backing);
	if (next != NULL)
		vm_object_backing_set(shadow, next, offset);
	backing->ref_count = 0;
	vm_object_destroy(backing);
}

static enum progress
absorb(struct pair *pair)
{
	if (!absorb_pages(pair) ||
	    !swap_pager_copy(pair->cpr_backing, pair->cpr_shadow,
		atop(pair->cpr_shadow->backing_object_offset),
		&pair->cpr_budget))
		return (pair->cpr_budget == 0 ? MORE : STUCK);
	replace_empty(pair);
	return (SHORTER);
}

/* ---- Bypass ---- */

/* Whether the shadow has all that it sees of the backing object's pages. */
static bool
has_all_pages(struct pair *pair)
{
	vm_pindex_t at = atop(pair->cpr_shadow->backing_object_offset);
	vm_pindex_t pindex;
	vm_page_t m;

	while ((m = vm_page_find_least(pair->cpr_backing, at)) != NULL &&
	    to_shadow(pair, m->pindex, &pindex)) {
		if (!spend(pair) || vm_page_busied(m) ||
		    (vm_page_all_valid(m) &&
			!swap_pager_has_own(pair->cpr_shadow, pindex)))
			return (false);
		at = (vm_pindex_t)m->pindex + 1;
	}
	return (true);
}

static bool
has_all_swap(struct pair *pair)
{
	vm_pindex_t at = atop(pair->cpr_shadow->backing_object_offset);
	vm_pindex_t pindex;

	while (swap_pager_find_least(pair->cpr_backing, &at) &&
	    to_shadow(pair, at, &pindex)) {
		if (!spend(pair) ||
		    !swap_pager_has_own(pair->cpr_shadow, pindex))
			return (false);
		at++;
	}
	return (true);
}

static enum progress
bypass(struct pair *pair)
{
	vm_object_t shadow = pair->cpr_shadow, backing = pair->cpr_backing;
	vm_object_t next = backing->backing_object;
	vm_ooffset_t offset =
	    shadow->backing_object_offset + backing->backing_object_offset;

	if (shadow->resident_page_count < shadow->size &&
	    !(has_all_pages(pair) && has_all_swap(pair)))
		return (STUCK);
	(void)vm_object_backing_clear(shadow);
	backing->ref_count--;
	if (next != NULL) {
		vm_object_reference_locked(next);
		vm_object_backing_set(shadow, next, offset);
	}
	return (SHORTER);
}

bool
vm_object_collapse(vm_object_t object)
{
	struct pair pair = { object, NULL, COLLAPSE_BUDGET };
	enum progress progress;

	VM_OBJECT_ASSERT_LOCKED(object);
	do {
		if (!spend(&pair))
			return (true);
		pair.cpr_backing = object->backing_object;
		if (pair.cpr_backing == NULL || !may_collapse(object) ||
		    !may_collapse(pair.cpr_backing))
			return (false);
		progress = pair.cpr_backing->ref_count == 1 ? absorb(&pair) :
							      bypass(&pair);
	} while (progress == SHORTER);
	return (progress == MORE);
}
