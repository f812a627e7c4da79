/*
 * What a user says about how it will use pages of an object.
 *
 * Advice: it is followed for pages that are in memory, in the object itself, and
 * neither busy nor wired.
 *
 * Lock: vm_mtx, which others get from time to time; what pages there are is looked
 * up again then.
 */
#include "kernel/sys/mman.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_object_int.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pager.h"

/* Pages after which others may have the lock. */
#define ADVISE_BATCH 256

/*
 * Contents that nobody wants any more, as long as nobody else sees them, and what
 * would be seen instead is zeros.
 */
static bool
may_free(vm_object_t object)
{
	return ((object->flags & OBJ_ANON) != 0 && object->ref_count == 1 &&
	    object->backing_object == NULL);
}

static void
advise_page(vm_object_t object, vm_page_t m, int advice)
{
	if (!vm_page_all_valid(m) || vm_page_busied(m) || m->wire_count > 0)
		return;
	if (advice == MADV_WILLNEED) {
		vm_page_activate(m);
		return;
	}
	if (advice == MADV_FREE) {
		if (!may_free(object))
			return;
		vm_page_undirty(m);
		vm_pager_page_unswapped(m);
	}
	(void)pmap_ts_referenced(m);
	vm_page_deactivate_noreuse(m);
}

void
vm_object_madvise(vm_object_t object, vm_pindex_t start, vm_pindex_t end,
    int advice)
{
	unsigned int n = 0;
	vm_page_t m;

	VM_OBJECT_LOCK(object);
	vm_object_pip_add(object, 1);
	while ((object->flags & OBJ_UNMANAGED) == 0 &&
	    (m = vm_page_find_least(object, start)) != NULL &&
	    m->pindex < end) {
		start = (vm_pindex_t)m->pindex + 1;
		advise_page(object, m, advice);
		if (++n % ADVISE_BATCH == 0)
			vm_object_yield(object);
	}
	vm_object_pip_wakeup(object);
	VM_OBJECT_UNLOCK(object);
}
