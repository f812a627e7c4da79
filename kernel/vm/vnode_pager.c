/*
 * Files in memory.
 *
 * A file has one object, however often it is mapped, and the object's pages are
 * the cache of the file: they stay when the last map is gone.  The file holds a
 * reference, and each map one more.
 *
 * Keeps true: no page lies past the end of its file as a whole.  Bytes past the
 * end are not written, and what a map has put there is zeros before they become
 * the file's.  When a file gets shorter, its sizes are set first, so that faults
 * make no new page; then pages go, each after whoever reads it is done.
 *
 * A file that goes may be mapped still.  From then on its pages are only read: no
 * fault gives the right to write any more, and what was written before is cleaned.
 *
 * Neighbours of a page are read with it, as many as the fault asks for.
 *
 * Lock: vm_mtx, not held over calls of the file system.  handle is the vnode, and
 * NULL once that is gone.
 */
#include "kernel/vm/vnode_pager.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"

/* The vnode's object with one more reference; NULL: it has none. */
static vm_object_t
referenced(struct vnode *vp)
{
	vm_object_t object;

	mtx_lock(&vm_mtx);
	object = vp->v_object;
	if (object != NULL)
		vm_object_reference_locked(object);
	mtx_unlock(&vm_mtx);
	return (object);
}

void
vnode_create_vobject(struct vnode *vp, vm_ooffset_t size)
{
	vm_object_t object =
	    vm_object_allocate(OBJT_VNODE, atop(round_page(size)));

	VM_OBJECT_LOCK(object);
	if (vp->v_object == NULL) {
		object->handle = vp;
		object->un_pager.vnp.vnp_size = size;
		vp->v_object = object;
		object = NULL;
	}
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
}

bool
vnode_destroy_vobject(struct vnode *vp)
{
	vm_object_t object = vp->v_object;
	bool ok;

	if (object == NULL)
		return (true);
	VM_OBJECT_LOCK(object);
	object->flags |= OBJ_READONLY;
	ok = vm_object_page_clean(object, 0, 0, OBJPC_SYNC);
	vm_object_pip_wait(object, "vnvobj");
	object->handle = NULL;
	vp->v_object = NULL;
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
	return (ok);
}

static vm_object_t
vnode_pager_alloc(void *handle, vm_ooffset_t size, vm_prot_t prot,
    vm_ooffset_t offset)
{
	(void)prot;
	if (handle == NULL)
		return (NULL);
	vnode_create_vobject(handle, offset + size);
	return (referenced(handle));
}

/* ---- Sizes ---- */

/* Of the page that an end lies in, the rest is zeros, and not to be written. */
static void
zero_tail(vm_object_t object, vm_ooffset_t size)
{
	int base = (int)(size & PAGE_MASK), len = (int)PAGE_SIZE - base;
	vm_page_t m;

	if (base == 0)
		return;
	m = vm_page_grab(object, atop(size), VM_ALLOC_NOCREAT);
	if (m == NULL)
		return;
	pmap_remove_all(m);
	memset((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m) + (vm_paddr_t)base), 0,
	    (size_t)len);
	vm_page_clear_dirty(m, base, len);
	vm_page_xunbusy(m);
}

static void
set_size(vm_object_t object, vm_ooffset_t size)
{
	object->un_pager.vnp.vnp_size = size;
	object->size = atop(round_page(size));
}

static void
make_shorter(vm_object_t object, vm_ooffset_t size)
{
	vm_pindex_t old_end = object->size;

	set_size(object, size);
	if (object->size < old_end)
		vm_object_page_remove(object, object->size, old_end, 0);
	zero_tail(object, size);
}

void
vnode_pager_setsize(struct vnode *vp, vm_ooffset_t nsize)
{
	vm_object_t object = referenced(vp);

	if (object == NULL)
		return;
	VM_OBJECT_LOCK(object);
	if (nsize < object->un_pager.vnp.vnp_size) {
		make_shorter(object, nsize);
	} else {
		zero_tail(object, object->un_pager.vnp.vnp_size);
		set_size(object, nsize);
	}
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
}

/* ---- In and out ---- */

/* A run of pages, and how many bytes of it the file has. */
struct vnode_run {
	struct vnode *vnr_vp;
	vm_paddr_t vnr_pas[VM_PAGER_MAXPAGES];
	unsigned int vnr_npages; /* that begin within the file */
	uint64_t vnr_off;
	size_t vnr_len;
};

/* The object is locked. */
static void
describe_run(vm_object_t object, vm_page_t *ma, int count,
    struct vnode_run *run)
{
	uint64_t size = object->un_pager.vnp.vnp_size;

	*run = (struct vnode_run){
		.vnr_vp = object->handle,
		.vnr_off = ptoa(ma[0]->pindex),
	};
	if (size <= run->vnr_off || run->vnr_vp == NULL)
		return;
	run->vnr_len = ptoa((vm_pindex_t)count);
	if (run->vnr_len > size - run->vnr_off)
		run->vnr_len = size - run->vnr_off;
	run->vnr_npages = (unsigned int)atop(round_page(run->vnr_len));
	for (unsigned int i = 0; i < run->vnr_npages; i++)
		run->vnr_pas[i] = VM_PAGE_TO_PHYS(ma[i]);
}

/* The bytes of the last page that are past the end. */
static void
zero_rest(const struct vnode_run *run)
{
	size_t tail = run->vnr_len & PAGE_MASK;
	vm_paddr_t pa = run->vnr_pas[run->vnr_npages - 1];

	if (tail != 0)
		memset((void *)PHYS_TO_DMAP(pa + tail), 0, PAGE_SIZE - tail);
}

/* One call of the file system; VM_PAGER_*. */
static int
read_run(vm_object_t object, struct pager_run *pages, int count)
{
	int rv = VM_PAGER_ERROR;
	struct vnode_run run;

	VM_OBJECT_LOCK(object);
	describe_run(object, pages->pgr_pages, pages->pgr_count, &run);
	VM_OBJECT_UNLOCK(object);
	if (run.vnr_npages < (unsigned int)pages->pgr_count) {
		rv = VM_PAGER_BAD;
	} else if (run.vnr_vp->v_op->vop_getpages(run.vnr_vp, run.vnr_off,
		       run.vnr_pas, run.vnr_npages, run.vnr_len) == 0) {
		rv = VM_PAGER_OK;
		zero_rest(&run);
	}
	VM_OBJECT_LOCK(object);
	vm_pager_run_finish(pages, count, rv);
	VM_OBJECT_UNLOCK(object);
	return (rv);
}

/* Neighbours up to the end of the file. */
static void
extend(vm_object_t object, struct pager_run *pages, int behind, int ahead)
{
	vm_pindex_t last = pages->pgr_pages[pages->pgr_count - 1]->pindex;

	if (last + 1 >= object->size)
		return;
	if ((vm_pindex_t)behind > pages->pgr_pages[0]->pindex)
		behind = (int)pages->pgr_pages[0]->pindex;
	if ((vm_pindex_t)ahead > object->size - 1 - last)
		ahead = (int)(object->size - 1 - last);
	vm_pager_run_extend(object, pages, behind, ahead);
}

/* What is wrong with a neighbour is no reason to fail: without them, then. */
static int
vnode_pager_getpages(vm_object_t object, vm_page_t *ma, int count, int *rbehind,
    int *rahead)
{
	int behind = *rbehind, ahead = *rahead, rv;
	struct pager_run pages;

	*rbehind = *rahead = 0;
	vm_pager_run_init(&pages, ma, count);
	VM_OBJECT_LOCK(object);
	extend(object, &pages, behind, ahead);
	VM_OBJECT_UNLOCK(object);
	rv = read_run(object, &pages, count);
	if (rv == VM_PAGER_OK) {
		*rbehind = pages.pgr_behind;
		*rahead = pages.pgr_count - pages.pgr_behind - count;
	} else if (pages.pgr_count > count) {
		vm_pager_run_init(&pages, ma, count);
		rv = read_run(object, &pages, count);
	}
	return (rv);
}

static void
vnode_pager_putpages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals)
{
	struct vnode_run run;
	int error;

	(void)flags;
	VM_OBJECT_LOCK(object);
	describe_run(object, ma, count, &run);
	VM_OBJECT_UNLOCK(object);
	for (int i = 0; i < count; i++)
		rtvals[i] = VM_PAGER_BAD;
	if (run.vnr_npages == 0)
		return;
	error = run.vnr_vp->v_op->vop_putpages(run.vnr_vp, run.vnr_off,
	    run.vnr_pas, run.vnr_npages, run.vnr_len);
	VM_OBJECT_LOCK(object);
	for (unsigned int i = 0; i < run.vnr_npages; i++) {
		if (error == 0)
			vm_page_undirty(ma[i]);
		rtvals[i] = error == 0 ? VM_PAGER_OK : VM_PAGER_ERROR;
	}
	VM_OBJECT_UNLOCK(object);
}

static bool
vnode_pager_haspage(vm_object_t object, vm_pindex_t pindex, int *before,
    int *after)
{
	vm_pindex_t end = atop(round_page(object->un_pager.vnp.vnp_size));

	if (pindex >= end || object->handle == NULL)
		return (false);
	*before = (int)(pindex % VM_PAGER_MAXPAGES);
	*after = VM_PAGER_MAXPAGES - 1 - *before;
	if ((vm_pindex_t)*after > end - 1 - pindex)
		*after = (int)(end - 1 - pindex);
	return (true);
}

const struct pagerops vnodepagerops = {
	.pgo_alloc = vnode_pager_alloc,
	.pgo_getpages = vnode_pager_getpages,
	.pgo_putpages = vnode_pager_putpages,
	.pgo_haspage = vnode_pager_haspage,
};
