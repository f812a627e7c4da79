/*
 * Objects: pages by index, and the pager that they come from and go to.
 *
 *	vm_object.c		life, references, shadows
 *	vm_object_collapse.c	chains of shadows get shorter
 *	vm_object_pages.c	ranges of an object: removed, written
 *	vm_page_object.c	a page enters, leaves, is found
 *
 * A shadow has what was changed since it was made, and its backing object all the
 * rest:
 *
 *	map entry -> shadow -> shadow -> object
 *	             [  2  ]   [ 1   ]   [0 1 2 3]
 *
 * Anonymous objects are OBJT_SWAP from the start: FreeBSD had OBJT_DEFAULT for
 * those that have nothing on swap yet, which is now an empty tree.
 *
 * Order of locks:
 *
 *	vm map -> vm_mtx -> pmap, vm_page_queue_free_mtx, UMA's
 *
 * All fields are guarded by vm_mtx.  Calls take it themselves unless they say
 * that the object is locked; those keep it unless they say that they sleep.
 */
#ifndef KERNEL_VM_VM_OBJECT_H
#define KERNEL_VM_VM_OBJECT_H

#include "kernel/sys/queue.h"
#include "kernel/vm/vm.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_radix.h"

/* Which pager: the rows of pagertab[], vm_pager.c. */
enum obj_type {
	OBJT_SWAP, /* zeros, then swap */
	OBJT_PHYS, /* memory that stays */
	OBJT_VNODE,
	OBJT_DEVICE, /* a device's memory: no pages */
	OBJT_DEAD,   /* is being taken apart */
	OBJT_NTYPES
};

#define OBJ_ANON      0x0001 /* no name: what only its users can reach */
#define OBJ_DEAD      0x0002 /* without references for good */
#define OBJ_UNMANAGED 0x0004 /* its pages are on no queue */
#define OBJ_READONLY  0x0008 /* its pages are not written to any more */
#define OBJ_PIPWNT    0x0010 /* a thread waits for paging_in_progress 0 */
/* No page of it is shown by two entries: what an entry shows is gone with it. */
#define OBJ_ONEMAPPING 0x0020

/* The most bytes of an object. */
#define VM_OBJECT_MAX ptoa((vm_ooffset_t)VM_PINDEX_MAX + 1)

LIST_HEAD(vm_object_shadows, vm_object);

struct vm_object {
	TAILQ_ENTRY(vm_object) object_list;   /* of all */
	struct vm_object_shadows shadow_head; /* whose backing_object this is */
	LIST_ENTRY(vm_object) shadow_list;    /* of our backing_object's */
	struct vm_radix rtree;
	vm_object_t backing_object;	    /* referenced; NULL: none */
	vm_ooffset_t backing_object_offset; /* our first byte in it */
	vm_pindex_t size;		    /* pages */
	vm_pindex_t resident_page_count;
	uint32_t ref_count; /* those of shadows are among them */
	uint32_t shadow_count;
	uint32_t paging_in_progress; /* while not 0: no collapse, no end */
	uint16_t flags;		     /* OBJ_* */
	uint8_t type;		     /* enum obj_type */
	void *handle; /* what the pager knows it by; NULL: it has no name */
	TAILQ_ENTRY(vm_object) pager_object_list; /* the pager's */
	union {
		struct {
			struct pctrie swp_blks; /* of struct swblk */
			vm_pindex_t swp_npages; /* on swap */
		} swp;
		struct {
			vm_ooffset_t vnp_size; /* bytes of the file */
		} vnp;
	} un_pager;
};

TAILQ_HEAD(vm_object_list, vm_object);

/* All objects, the oldest first. */
extern struct vm_object_list vm_object_list;

static inline void
VM_OBJECT_LOCK(vm_object_t object)
{
	(void)object;
	mtx_lock(&vm_mtx);
}

static inline void
VM_OBJECT_UNLOCK(vm_object_t object)
{
	(void)object;
	mtx_unlock(&vm_mtx);
}

#define VM_OBJECT_ASSERT_LOCKED(object)	  mtx_assert(&vm_mtx, MA_OWNED)
#define VM_OBJECT_ASSERT_UNLOCKED(object) mtx_assert(&vm_mtx, MA_NOTOWNED)

/* ---- Life ---- */

/* Makes the zones; once UMA works. */
void vm_object_init(void);

/*
 * A new object with one reference, of size pages, with no page and no pager's
 * data.  Of OBJT_SWAP: anonymous.  May sleep for memory.
 */
vm_object_t vm_object_allocate(enum obj_type type, vm_pindex_t size);

/*
 * One reference more; of NULL: nothing.  It may show any page, so the object is
 * OBJ_ONEMAPPING no more, unless it is vm_object_reference_part(): that is for
 * pages that the caller took from another reference, and for who shows none.
 */
void vm_object_reference(vm_object_t object);
void vm_object_reference_part(vm_object_t object);
void vm_object_reference_locked(vm_object_t object); /* shows none */

/*
 * One reference less; the last one ends the object, and gives up its reference
 * to the next of its chain.  Of NULL: nothing.  May sleep for paging to end.
 */
void vm_object_deallocate(vm_object_t object);

/*
 * In place of *object, which is shown from *offset on for length bytes, put a new
 * shadow of it, which has the caller's reference.  An anonymous object without
 * another user stays.  May sleep for memory.
 */
void vm_object_shadow(vm_object_t *object, vm_ooffset_t *offset,
    vm_size_t length);

/*
 * Make the chain behind a locked object shorter, if that can be done now.  Moves
 * or looks at a bounded number of pages; true: there may be more to do.
 */
bool vm_object_collapse(vm_object_t object);

/*
 * May an object that shows prev_size bytes from prev_offset show next_size more
 * after them, as zeros?  It is made larger if it may, up to VM_OBJECT_MAX.  NULL
 * may.
 */
bool vm_object_coalesce(vm_object_t object, vm_ooffset_t prev_offset,
    vm_size_t prev_size, vm_size_t next_size);

/* ---- Paging in progress; the object is locked ---- */

void vm_object_pip_add(vm_object_t object, uint32_t n);
void vm_object_pip_wakeupn(vm_object_t object, uint32_t n);
void vm_object_pip_wait(vm_object_t object, const char *wmesg); /* sleeps */

static inline void
vm_object_pip_wakeup(vm_object_t object)
{
	vm_object_pip_wakeupn(object, 1);
}

/* ---- Ranges of pages: [start, end), end 0 is the end of the object ---- */

/* For vm_object_page_remove(). */
#define OBJPR_CLEANONLY 0x1 /* dirty pages stay */
#define OBJPR_NOTMAPPED 0x2 /* the caller knows that none is mapped */

/*
 * Free pages of a locked object, and what the pager has of them.  Sleeps for
 * busy pages.  Wired pages stay, not valid and not mapped.
 */
void vm_object_page_remove(vm_object_t object, vm_pindex_t start,
    vm_pindex_t end, unsigned int options);

/*
 * An entry that showed pages start to end is gone, and they are not mapped.  Free
 * them, if no one else can see them, but not if the object ends anyway.
 */
void vm_object_unshown(vm_object_t object, vm_pindex_t start, vm_pindex_t end);

/* For vm_object_page_clean(). */
#define OBJPC_SYNC  0x1 /* return when it is done */
#define OBJPC_INVAL 0x2 /* and free the pages */

/*
 * Write dirty pages of a locked object to its pager.  Sleeps.  false: some could
 * not be written, and are dirty as before.
 */
bool vm_object_page_clean(vm_object_t object, vm_pindex_t start,
    vm_pindex_t end, unsigned int flags);

/*
 * msync(2) of size bytes from offset on, through the chain to the object that has
 * a file.  false: an error of the pager.
 */
bool vm_object_sync(vm_object_t object, vm_ooffset_t offset, vm_size_t size,
    bool syncio, bool invalidate);

/*
 * Advice, MADV_* of sys/mman.h, for what is seen of pages from start to end: used
 * soon, not used soon, or of no interest any more; vm_object_madvise.c.
 */
void vm_object_madvise(vm_object_t object, vm_pindex_t start, vm_pindex_t end,
    int advice);

#endif
