/*
 * Maps: address spaces as ranges that show objects.
 *
 * An entry is a range of pages with one object, one protection and one
 * inheritance.  Entries are in a list by address, and in a balanced tree by
 * which an address is found, and a gap of a given length, in O(log n).
 *
 *	vm_map.c	insert, clip, merge, delete, protect, inherit, find
 *	vm_map_tree.c	the list and the tree
 *	vm_map_lookup.c	what an access finds
 *	vm_map_stack.c	stacks, which grow
 *	vm_map_wire.c	memory that stays
 *	vm_map_fork.c	vmspaces, and forks
 *	vm_map_advise.c	how memory will be used
 *	vm_fault.c	what a map says becomes a mapping of the pmap
 *
 * The map's lock, an sx, is shared by lookups and faults and owned by changes.
 * It is held over sleeps for memory and for busy pages, so over the I/O of others,
 * and let go of for I/O of its own.  Order:
 *
 *	vm map -> vm_mtx -> pmap
 *
 * Calls take it themselves unless they say otherwise.  They return KERN_*, refuse
 * before they change anything, and take addresses of whole pages.
 */
#ifndef KERNEL_VM_VM_MAP_H
#define KERNEL_VM_VM_MAP_H

#include "kernel/sys/mutex.h"
#include "kernel/sys/queue.h"
#include "kernel/sys/sx.h"
#include "kernel/vm/vm.h"
#include "kernel/vm/vm_param.h"

/* Flags of an entry; FreeBSD's names. */
#define MAP_ENTRY_NOSYNC	0x0001 /* written back only when it must be */
#define MAP_ENTRY_COW		0x0002 /* never to write to what it shows */
#define MAP_ENTRY_NEEDS_COPY	0x0004 /* the first write makes a shadow */
#define MAP_ENTRY_USER_WIRED	0x0008 /* one of wired_count is mlock(2)'s */
#define MAP_ENTRY_BEHAV_NORMAL	0x0000
#define MAP_ENTRY_BEHAV_SEQ	0x0010
#define MAP_ENTRY_BEHAV_RANDOM	0x0020
#define MAP_ENTRY_BEHAV_MASK	0x0030
#define MAP_ENTRY_IN_TRANSITION 0x0040 /* being wired: see wiring */
#define MAP_ENTRY_NEEDS_WAKEUP	0x0080 /* somebody waits for that to end */
#define MAP_ENTRY_NOCOREDUMP	0x0100
#define MAP_ENTRY_GUARD		0x0200 /* no memory: accesses fail */
#define MAP_ENTRY_STACK_GAP_DN	0x0400 /* a guard that the stack above eats */

/*
 * A range that is in use.  All is guarded by the map's lock, but the flags of
 * wiring, which its thread keeps while the lock is let go.
 */
struct vm_map_entry {
	vm_map_entry_t prev, next; /* by address; the map's header ends them */
	vm_map_entry_t parent, child[2];
	vm_offset_t start, end;
	vm_size_t max_free;    /* the largest gap after one of the subtree */
	vm_object_t object;    /* referenced; NULL: zeros, no object yet */
	vm_ooffset_t offset;   /* of start in the object */
	vm_offset_t next_read; /* where a fault goes on in order; a hint */
	const void *wiring;    /* with IN_TRANSITION: whose it is */
	uint32_t eflags;       /* MAP_ENTRY_* */
	uint32_t wired_count;
	vm_prot_t protection;
	vm_prot_t max_protection;
	vm_inherit_t inheritance;
	uint8_t height;	    /* of the subtree */
	uint8_t read_ahead; /* pages read ahead by the last fault; a hint */
};

/* Flags of a map. */
#define MAP_WIREFUTURE	0x01 /* mlockall(MCL_FUTURE) */
#define MAP_BUSY_WAKEUP 0x02 /* somebody waits for busy to become 0 */

struct vm_map {
	struct sx lock;
	vm_map_entry_t root;
	uint32_t nentries;
	uint32_t timestamp; /* counts who has owned the lock */
	uint32_t busy;	    /* wirings that have let go of the lock */
	uint32_t flags;
	vm_size_t size; /* of all entries */
	pmap_t pmap;
	vm_map_entry_t deferred; /* deleted; their objects go after the lock */
	/* Ends the list: its start is the map's end and its end the map's start. */
	struct vm_map_entry header;
};

static inline vm_offset_t
vm_map_min(const struct vm_map *map)
{
	return (map->header.end);
}

static inline vm_offset_t
vm_map_max(const struct vm_map *map)
{
	return (map->header.start);
}

/* Make the zone of entries; once, before the first map. */
void vm_map_startup(void);

/* A map of [min, max) with nothing in it, over pmap.  Undo: it is empty again. */
void vm_map_init(vm_map_t map, pmap_t pmap, vm_offset_t min, vm_offset_t max);
void vm_map_fini(vm_map_t map);

/*
 * vm_map_lock() owns the map.  vm_map_unlock() then gives up the objects of
 * entries that were deleted, so it may sleep.
 */
void vm_map_lock(vm_map_t map);
void vm_map_unlock(vm_map_t map);
void vm_map_lock_read(vm_map_t map);
void vm_map_unlock_read(vm_map_t map);
void vm_map_lock_downgrade(vm_map_t map);
bool vm_map_trylock_read(vm_map_t map);

#define VM_MAP_ASSERT_LOCKED(map) sx_assert(&(map)->lock, SA_LOCKED)

/*
 * The entry that holds va, or else the last one before it, which may be the
 * header.  The map is locked.
 */
bool vm_map_lookup_entry(vm_map_t map, vm_offset_t va, vm_map_entry_t *entry);

/* What an access finds. */
struct vm_map_lookup {
	vm_map_entry_t entry;
	vm_object_t object; /* not NULL */
	vm_pindex_t pindex; /* of the page in it */
	vm_prot_t access;   /* what to be ready for */
	vm_prot_t prot;	    /* what may be done */
	bool wired;
};

/*
 * Look up the page at va for an access.  SUCCESS leaves the map locked, shared.
 * An access to the free part of a stack makes it grow.
 */
int vm_map_lookup(vm_map_t map, vm_offset_t va, vm_prot_t access,
    struct vm_map_lookup *found);

/* ---- Entries come and go ---- */

/* For vm_map_what. */
#define MAP_COPY_ON_WRITE	0x0002 /* of an object that is not ours alone */
#define MAP_DISABLE_SYNCER	0x0020
#define MAP_DISABLE_COREDUMP	0x0100
#define MAP_INHERIT_SHARE	0x0200
#define MAP_CREATE_GUARD	0x0400
#define MAP_CREATE_STACK_GAP_DN 0x0800

/* What a range is to show. */
struct vm_map_what {
	vm_object_t object; /* its reference passes to the entry; NULL: zeros */
	vm_ooffset_t offset;
	vm_prot_t prot;
	vm_prot_t max;
	unsigned int cow; /* MAP_* */
};

/*
 * Map [start, end), in which nothing is.  INVALID_ADDRESS: not in the map;
 * INVALID_ARGUMENT: what cannot be; OUT_OF_BOUNDS: more than an object has;
 * NO_SPACE: something is there.  A failure leaves the reference with the caller.
 * The caller owns the lock.
 */
int vm_map_insert(vm_map_t map, vm_offset_t start, vm_offset_t end,
    const struct vm_map_what *what);

/* The first gap of length at or after start; false: there is none. */
bool vm_map_findspace(vm_map_t map, vm_offset_t start, vm_size_t length,
    vm_offset_t *addr);

/* Map length bytes in the first such gap at or after *addr, which says where. */
int vm_map_find(vm_map_t map, vm_offset_t *addr, vm_size_t length,
    const struct vm_map_what *what);

/* Map them at start, instead of what is there. */
int vm_map_fixed(vm_map_t map, vm_offset_t start, vm_size_t length,
    const struct vm_map_what *what);

/*
 * Unmap [start, end), wired or not.  vm_map_delete() is for the owner of the
 * lock, and may let go of it to wait for a wiring.
 */
int vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end);
int vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end);

/*
 * A stack of size bytes from start on, of which what is mapped is the last so many
 * bytes; the rest is a guard until it is needed, but for one page.
 */
int vm_map_stack(vm_map_t map, vm_offset_t start, vm_size_t size,
    vm_size_t mapped, const struct vm_map_what *what);

/* Make the stack whose guard va is in reach va.  FAILURE: it is in none. */
int vm_map_growstack(vm_map_t map, vm_offset_t va);

/* ---- What may be done with them; holes in the range are passed over ---- */

/* For vm_map_protect(). */
#define VM_MAP_PROTECT_SET_MAXPROT 0x1 /* prot is the most from now on */

/* PROTECTION_FAILURE: more than an entry may ever have.  Guards stay guards. */
int vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_prot_t prot, unsigned int flags);

int vm_map_inherit(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_inherit_t inherit);

/*
 * Follow advice, MADV_* of sys/mman.h: kept in the entries, or followed for the
 * pages that are there.  INVALID_ARGUMENT: advice that there is not.
 */
int vm_map_madvise(vm_map_t map, vm_offset_t start, vm_offset_t end,
    int advice);

/* For vm_map_sync(). */
#define VM_MAP_SYNC_WAIT  0x1 /* return when it is written */
#define VM_MAP_SYNC_INVAL 0x2 /* and let go of the pages */

/*
 * Write to files what was written to their pages.  Lets go of the lock meanwhile.
 * INVALID_ADDRESS: a hole; INVALID_ARGUMENT: to let go of what is wired; FAILURE:
 * an error of the pager.
 */
int vm_map_sync(vm_map_t map, vm_offset_t start, vm_offset_t end,
    unsigned int flags);

/* For vm_map_wire() and vm_map_unwire(). */
#define VM_MAP_WIRE_SYSTEM  0x0
#define VM_MAP_WIRE_USER    0x1 /* for mlock(2): counts once */
#define VM_MAP_WIRE_HOLESOK 0x2 /* pass over holes, and what has no rights */

/*
 * Bring in all pages and keep them, or let them go.  INVALID_ADDRESS: there is a
 * hole; RESOURCE_SHORTAGE: more than vm_page_max_user_wired for mlock(2); what
 * vm_fault() says; unwire, INVALID_ARGUMENT: not all was wired.
 */
int vm_map_wire(vm_map_t map, vm_offset_t start, vm_offset_t end,
    unsigned int flags);
int vm_map_unwire(vm_map_t map, vm_offset_t start, vm_offset_t end,
    unsigned int flags);

/*
 * Has been mapped just now: if the map is MAP_WIREFUTURE, bring it in and keep it.
 * Where that fails it is unmapped again; vm_map_wire()'s errors.
 */
int vm_map_wire_new(vm_map_t map, vm_offset_t start, vm_offset_t end);

/* Pages that mlock(2) keeps, once for each entry that shows them. */
vm_pindex_t vm_user_wire_count(void);

/* Is all of it mapped, with these rights?  The map is locked. */
bool vm_map_check_protection(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_prot_t prot);

/*
 * What is wrong with the list, the tree, the gaps or the sums; NULL: nothing.
 * The map is locked, or the machine stopped.
 */
const char *vm_map_audit(vm_map_t map);

/* ---- Vmspaces ---- */

/* The address space of a process: a map, its pmap, and where its heap is. */
struct vmspace {
	struct vm_map vm_map;
	TAILQ_ENTRY(vmspace) vm_list; /* of all */
	uint32_t vm_refcnt;	      /* atomic */
	vm_offset_t vm_daddr;	      /* the heap; guarded by the map's lock */
	vm_size_t vm_dsize;	      /* bytes of it, in whole pages */
	vm_size_t vm_dmax;	      /* and the most that it may have */
};

TAILQ_HEAD(vmspace_list, vmspace);

/* All vmspaces, the oldest first; vmspace_mtx, but not for the debugger. */
extern struct vmspace_list vmspace_list;
extern struct mtx vmspace_mtx;

/* Make the zones; once, before the first of these. */
void vmspace_startup(void);

/* One with nothing in [min, max), and one reference.  NULL: no memory. */
struct vmspace *vmspace_alloc(vm_offset_t min, vm_offset_t max);
void vmspace_ref(struct vmspace *vm);

/* The last reference ends it; no CPU has its pmap loaded then. */
void vmspace_free(struct vmspace *vm);

/*
 * execve(2): in place of *vm, with its reference, a vmspace with nothing in [min, max)
 * and the same limit of its heap.  If the reference was the last, no CPU has its pmap
 * loaded.  false: no memory, and *vm is as before.
 */
bool vmspace_exec(struct vmspace **vm, vm_offset_t min, vm_offset_t max);

/* A child's: each entry as its inheritance says.  NULL: no memory. */
struct vmspace *vmspace_fork(struct vmspace *parent);

#endif
