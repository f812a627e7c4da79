/*
 * Pagers: where the pages of an object come from, and where they go.
 *
 *	vm_pager.c	one table, by the object's type, and the calls below
 *	swap_pager.c	anonymous memory: zeros, then disks
 *	vnode_pager.c	files
 *	phys_pager.c	memory that stays
 *	device_pager.c	memory of devices, which has no pages
 *
 * vm_mtx is not held over these calls unless they say so: the pages are busy, and
 * the object has paging in progress.
 */
#ifndef KERNEL_VM_VM_PAGER_H
#define KERNEL_VM_VM_PAGER_H

#include "kernel/vm/vm_object.h"

/* What a pager says of a page. */
#define VM_PAGER_OK    0
#define VM_PAGER_BAD   1 /* it is outside of the object */
#define VM_PAGER_FAIL  2 /* the pager has nothing there: zeros, or no memory */
#define VM_PAGER_PEND  3 /* under way */
#define VM_PAGER_ERROR 4 /* an error of the device */
#define VM_PAGER_AGAIN 5 /* not now */

/* For vm_pager_put_pages(). */
#define VM_PAGER_PUT_SYNC  0x1 /* return when they are written */
#define VM_PAGER_PUT_INVAL 0x2 /* the caller frees them afterwards */

/* The most pages of a call, and of one request to a disk. */
#define VM_PAGER_MAXPAGES 32

/* Pages in a row for a pager to read: some that it was asked for, and neighbours. */
struct pager_run {
	vm_page_t pgr_pages[VM_PAGER_MAXPAGES];
	int pgr_behind; /* so many before those that were asked for */
	int pgr_count;	/* of all */
};

struct pagerops {
	void (*pgo_init)(void);
	vm_object_t (*pgo_alloc)(void *handle, vm_ooffset_t size,
	    vm_prot_t prot, vm_ooffset_t offset);
	void (*pgo_dealloc)(vm_object_t object);
	/* The next three are NULL: there are no pages, see pgo_paddr. */
	int (*pgo_getpages)(vm_object_t object, vm_page_t *ma, int count,
	    int *rbehind, int *rahead);
	void (*pgo_putpages)(vm_object_t object, vm_page_t *ma, int count,
	    unsigned int flags, int *rtvals);
	bool (*pgo_haspage)(vm_object_t object, vm_pindex_t pindex, int *before,
	    int *after);
	/* NULL: the pager has room for each of its pages. */
	bool (*pgo_hasroom)(void);
	/* Where a page without a struct vm_page is; NULL: there are none. */
	int (*pgo_paddr)(vm_object_t object, vm_pindex_t pindex, vm_prot_t prot,
	    vm_paddr_t *pa);
	/* NULL: the pager has no copies to forget. */
	bool (*pgo_freespace)(vm_object_t object, vm_pindex_t start,
	    vm_pindex_t count);
};

extern const struct pagerops swappagerops;
extern const struct pagerops physpagerops;
extern const struct pagerops vnodepagerops;
extern const struct pagerops devicepagerops;

/* Once the zones of objects are there. */
void vm_pager_init(void);

/*
 * The object of size bytes from offset on of what handle names to the pager; the
 * one that there is, if there is one, with one more reference.  NULL: refused, by
 * the pager or for want of memory.  May sleep.
 */
vm_object_t vm_pager_allocate(enum obj_type type, void *handle,
    vm_ooffset_t size, vm_prot_t prot, vm_ooffset_t offset);

/*
 * For pagers whose objects have names: the object of handle in the pager's list,
 * or a new one, of npages pages at least, with one more reference.  Without a
 * handle, a new one.  May sleep for memory.
 */
vm_object_t vm_pager_object_share(struct vm_object_list *list,
    enum obj_type type, void *handle, vm_pindex_t npages);

/* The object ends: forget what the pager has.  Locked, without pages. */
void vm_pager_deallocate(vm_object_t object);

/*
 * Read count pages, 1 to VM_PAGER_MAXPAGES with consecutive indices, all of them
 * exclusively busy and not valid.  OK: they are valid, and busy still.  If not,
 * none of their bytes means anything, and they are the caller's to free.
 *
 * The pager may read up to *rbehind pages before and *rahead after them, too,
 * which it makes, and leaves on the inactive queue; it says how many.  NULL: none.
 */
int vm_pager_get_pages(vm_object_t object, vm_page_t *ma, int count,
    int *rbehind, int *rahead);

/*
 * Write count pages, with consecutive indices, all valid and busy, whose mappings
 * may not write.  rtvals says of each: OK, and then it is clean; or else it is as
 * dirty as before.
 *
 * PEND, which is said only without VM_PAGER_PUT_SYNC and of pages that are
 * shared-busy: the page is the pager's until the write is done.  Then the pager calls
 * vm_pageout_finish(), perhaps before this call returns.
 */
void vm_pager_put_pages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals);

/*
 * Is there room for a dirty page of the object to be written to?  false: to try is
 * of no use now.  Locked.
 */
bool vm_pager_has_room(vm_object_t object);

/*
 * Has the pager something for that page?  And how many pages before and after it
 * would come with it in one request?  Locked.
 */
bool vm_pager_has_page(vm_object_t object, vm_pindex_t pindex, int *before,
    int *after);

/*
 * The address of a page of a device's memory, to be mapped for prot.  BAD: there
 * is none, or it is not for that.
 */
int vm_pager_paddr(vm_object_t object, vm_pindex_t pindex, vm_prot_t prot,
    vm_paddr_t *pa);

/* The page, of a locked object, is about to change: a copy of it is old. */
void vm_pager_page_unswapped(vm_page_t m);

/*
 * Forget the copies of count pages of a locked object, of which none is in memory
 * and busy but by the caller.  One call forgets a bounded number; false: some are
 * left.
 */
bool vm_pager_freespace(vm_object_t object, vm_pindex_t start,
    vm_pindex_t count);

/* ---- For pagers ---- */

/* Pages that are to be read. */
void vm_pager_run_init(struct pager_run *run, vm_page_t *ma, int count);

/*
 * Up to behind pages before them and ahead after them, as long as they are not in
 * memory and there is memory for them.  The object is locked.
 */
void vm_pager_run_extend(vm_object_t object, struct pager_run *run, int behind,
    int ahead);

/*
 * They were read: count pages, from pgr_behind on, are valid, neighbours inactive.
 * With an error, not 0, neighbours are freed.  Locked.
 */
void vm_pager_run_finish(struct pager_run *run, int count, int error);

#endif
