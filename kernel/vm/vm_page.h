/*
 * Pages: one structure for each page of memory.
 *
 * Its size decides what a dump costs.  The sum for a machine of 8 GB, which has
 * 2 097 152 pages:
 *
 *	FreeBSD 2006	120 bytes	240 MB
 *	FreeBSD today	104 bytes	208 MB
 *	ours		 32 bytes	 64 MB
 *
 * The 32 bytes are the owner and the index in it, 12; two links, 8, which a page
 * needs in one list at a time; the first of its mappings, 4; a count, flags and
 * four small numbers, 8.  Links are array indices, and no address is stored.
 *
 * Of those 64 MB a dump takes only what describes pages that are themselves in
 * the dump: the array is registered as bulk, and the kernel's pages lie
 * together (vm_phys.h).
 *
 * A page is free, or it is its owner's.  Invariants, asserted:
 *  - a free page has no owner, is not mapped by a pmap, is not wired, not busy, and
 *    is in no dump set;
 *  - free + wired + unwired = all.
 *
 * Guards: (f) vm_page_queue_free_mtx; (v) vm_mtx; (p) the pmap's lock; (o) the
 * page's owner, which is vm_mtx for an object.
 */
#ifndef KERNEL_VM_VM_PAGE_H
#define KERNEL_VM_VM_PAGE_H

#include <assert.h>
#include <stdbool.h>

#include "kernel/sys/mutex.h"
#include "kernel/vm/vm_param.h"
#include "kernel/vm/vm_phys.h"

struct vm_page {
	void *object;	 /* (o) owner; a slab's page: the slab */
	uint32_t pindex; /* (o) which page of the owner */
	uint32_t next;	 /* (f) free list, (v) page queue, (o) its own list */
	uint32_t prev;	 /* as next */
	uint32_t pv;	 /* (p) the first of its mappings */
	uint16_t wire_count; /* (o) reasons why it may not be reclaimed */
	uint16_t flags;	     /* atomic: VPG_* */
	uint8_t busy;	     /* (v) VPB_EXCLUSIVE, or how many share it */
	uint8_t valid;	     /* (v) a bit for each 512 bytes that are true */
	uint8_t dirty;	     /* (v) and for each that the pager lacks */
	union {
		uint8_t act_count; /* (v) how much it was used of late */
		uint8_t order;	   /* (f) with VPG_HEAD: of the free block */
	};
};
static_assert(sizeof(struct vm_page) == 32, "see the sum above");

#define VM_PAGE_NONE UINT32_MAX /* no link */

/* A page has so many wirings of maps at most; the kernel's own come on top. */
#define VM_PAGE_WIRE_MAX (UINT16_MAX / 2)

#define VM_PINDEX_MAX UINT32_MAX /* of a page in its object */

#define VPG_FREE   0x0001 /* (f) on the free lists, or after a head that is */
#define VPG_SLAB   0x0002 /* (o) object is a struct uma_slab */
#define VPG_NODUMP 0x0004 /* (o) registered as never dumped, though mapped */
#define VPG_BOOT   0x0008 /* taken before there were free lists, for good */
#define VPG_STACK  0x0010 /* (o) of a kernel stack */
#define VPG_TABLE  0x0020 /* (o) a page table */
/* What was known of mappings that are gone; (p). */
#define VPG_REFERENCED 0x0040
#define VPG_DIRTY      0x0080
#define VPG_HEAD       0x0100 /* (f) heads a free block */
#define VPG_DIRECT     0x0200 /* (f) goes to that pool when it is freed */
#define VPG_QUEUE      0x0c00 /* (v) enum vm_pqueue: where it is queued */
#define VPG_WAITED     0x1000 /* (v) threads sleep until it is not busy */
#define VPG_OBJECT     0x2000 /* (v) object is a struct vm_object */

#define VPG_QUEUE_SHIFT 10

/* Flags change one by one, since they have different guards. */
static inline uint16_t
vm_page_aflags(const struct vm_page *m)
{
	return (__atomic_load_n(&m->flags, __ATOMIC_RELAXED));
}

/* What they were before. */
static inline uint16_t
vm_page_aflag_set(vm_page_t m, uint16_t bits)
{
	return (__atomic_fetch_or(&m->flags, bits, __ATOMIC_RELAXED));
}

static inline uint16_t
vm_page_aflag_clear(vm_page_t m, uint16_t bits)
{
	return (__atomic_fetch_and(&m->flags, (uint16_t)~bits,
	    __ATOMIC_RELAXED));
}

extern struct vm_page *vm_page_array;
extern vm_pindex_t vm_page_array_size;

/*
 * The lock of all objects, of their pages and of the page queues.  It is not held
 * over I/O or a sleep: pages are made busy instead.
 */
extern struct mtx vm_mtx;

extern struct mtx vm_page_queue_free_mtx;

/* Counts of pages, and the marks at which allocation gets stricter. */
struct vmmeter {
	vm_pindex_t v_page_count;    /* constant */
	vm_pindex_t v_free_count;    /* (f) on the lists; read by anybody */
	vm_pindex_t v_free_reserved; /* constant: normal stops here */
	vm_pindex_t v_interrupt_free_min; /* constant: system stops here */
	vm_pindex_t v_free_min;		  /* constant: the daemon wakes */
	vm_pindex_t v_free_target;	  /* constant: the daemon is content */
	vm_pindex_t v_inactive_target;	  /* constant: so many, by choice */

	/* What the page daemon has done. */
	uint64_t v_pdwakeups;	/* (f) times that it was woken */
	uint64_t v_pdpages;	/* (v) pages that it looked at */
	uint64_t v_dfree;	/* (v) that it freed */
	uint64_t v_reactivated; /* (v) that it found in use again */
	uint64_t v_laundered;	/* (v) that it had written */
	uint64_t v_oomkills;	/* the daemon's: whom it has killed */
};

extern struct vmmeter vm_cnt;

/* The most pages that mlock(2) keeps, of all programs: vm.max_user_wired. */
extern vm_pindex_t vm_page_max_user_wired;

/* Those of the lists, and of the caches; all that are wired.  Without a lock. */
vm_pindex_t vm_free_count(void);
vm_pindex_t vm_wire_count(void);

/*
 * How much of the reserve a request may use.  The kernel's own memory is system;
 * interrupt is for who asks for the reserve, as M_USE_RESERVE does.
 */
#define VM_ALLOC_NORMAL	    0x0000
#define VM_ALLOC_SYSTEM	    0x0001
#define VM_ALLOC_INTERRUPT  0x0002 /* down to the last page */
#define VM_ALLOC_CLASS_MASK 0x0003

#define VM_ALLOC_WIRED	 0x0004
#define VM_ALLOC_ZERO	 0x0008
#define VM_ALLOC_WAITOK	 0x0010 /* sleep rather than fail */
#define VM_ALLOC_NODUMP	 0x0020 /* in no minidump until it is free */
#define VM_ALLOC_USER	 0x0040 /* not the kernel's own: default pool */
#define VM_ALLOC_NOCREAT 0x0080 /* vm_page_grab(): only a page that is there */

/*
 * Build the page array and fill the free lists from phys_avail; start UMA on
 * boot pages.  dump_avail and phys_avail are set, the direct map is up, and
 * the dump's page set accepts pages.
 */
void vm_page_startup(void);

/* The request for pages that an allocation with these M_* flags makes. */
int malloc2vm_flags(int flags);

/* A page without an object; NULL only without VM_ALLOC_WAITOK. */
vm_page_t vm_page_alloc_noobj(int req);

/* npages consecutive pages; never waits.  NULL: no such run is free. */
vm_page_t vm_page_alloc_contig(int req, vm_pindex_t npages,
    const struct vm_phys_where *where);

/*
 * The same, and if there is no such run, pages of objects move away for it; takes
 * vm_mtx.  vm_contig.c.
 */
vm_page_t vm_page_alloc_contig_hard(int req, vm_pindex_t npages,
    const struct vm_phys_where *where);

/* Free the pages of a run by moving them; false: there is none that can be. */
bool vm_page_reclaim_contig(vm_pindex_t npages,
    const struct vm_phys_where *where);

/*
 * Give back a page that is not wired and not mapped.  With vm_mtx held, it may be
 * in a queue, or exclusively busy with this thread; and an object's page leaves
 * the object.
 */
void vm_page_free(vm_page_t m);

/* Takes it out of its queue. */
void vm_page_wire(vm_page_t m);
/* true: that was the last reason, and the page may be freed. */
bool vm_page_unwire_noq(vm_page_t m);

/* Sleep until there is memory for such a request, or there might be. */
void vm_wait(int req);

/*
 * Busy: vm_page_busy.c.  The page of an object is exclusively busy while its
 * contents come in or its owner changes, and shared while they only have to
 * stay.  A busy page keeps its owner and is not freed by others.  All with vm_mtx
 * held; try: false if the page is busy in a way that forbids it.
 */
#define VPB_EXCLUSIVE  UINT8_MAX
#define VPB_SHARED_MAX (VPB_EXCLUSIVE - 1)

bool vm_page_tryxbusy(vm_page_t m);
bool vm_page_trysbusy(vm_page_t m);
void vm_page_xunbusy(vm_page_t m);
void vm_page_sunbusy(vm_page_t m);

/* From exclusive to shared; and back, if no other thread shares it. */
void vm_page_busy_downgrade(vm_page_t m);
bool vm_page_tryupgrade(vm_page_t m);

/*
 * If the page is busy, or exclusively busy, let go of vm_mtx until it might be no
 * more, and return true: the page may be another's then, so look it up again.
 */
bool vm_page_sleep_if_busy(vm_page_t m, const char *wmesg);
bool vm_page_sleep_if_xbusy(vm_page_t m, const char *wmesg);

static inline bool
vm_page_busied(const struct vm_page *m)
{
	return (m->busy != 0);
}

static inline bool
vm_page_xbusied(const struct vm_page *m)
{
	return (m->busy == VPB_EXCLUSIVE);
}

/*
 * Caches of free pages, one for each CPU: vm_page_pcpu.c.  For vm_page.c.
 * vm_pgcache_alloc(): NULL if the free lists have to be asked.  vm_pgcache_free()
 * takes a page that is VPG_FREE, or false: it has to go to the lists.
 * vm_pgcache_drain() takes all of them to the lists, and returns how many.
 */
void vm_page_pcpu_init(void);
vm_page_t vm_pgcache_alloc(enum vm_freepool pool);
bool vm_pgcache_free(vm_page_t m);
vm_pindex_t vm_pgcache_drain(void);

/* v_free_count changes, and who waits is woken; (f) is held. */
void vm_page_add_free(int64_t n);

/* n more pages are wired, or less. */
void vm_wire_add(int n);

/*
 * Page queues: vm_pageq.c.  A page of an object that is not wired is in one of
 * them, or in none while it is taken in or written out.  The head of a queue is
 * looked at first.  All with vm_mtx held; wired pages are left alone.
 */
enum vm_pqueue {
	PQ_NONE,
	PQ_INACTIVE, /* not used of late: clean ones are freed from here */
	PQ_ACTIVE,   /* used */
	PQ_LAUNDRY,  /* dirty and not used of late: to be written out */
	PQ_COUNT
};

/* How the page daemon counts uses in act_count. */
#define ACT_DECLINE 1
#define ACT_ADVANCE 3
#define ACT_INIT    5
#define ACT_MAX	    64

static inline enum vm_pqueue
vm_page_queue(const struct vm_page *m)
{
	return ((enum vm_pqueue)((vm_page_aflags(m) & VPG_QUEUE) >>
	    VPG_QUEUE_SHIFT));
}

static inline bool
vm_page_active(const struct vm_page *m)
{
	return (vm_page_queue(m) == PQ_ACTIVE);
}

static inline bool
vm_page_inactive(const struct vm_page *m)
{
	return (vm_page_queue(m) == PQ_INACTIVE);
}

static inline bool
vm_page_in_laundry(const struct vm_page *m)
{
	return (vm_page_queue(m) == PQ_LAUNDRY);
}

/*
 * To the tail of a queue.  vm_page_deactivate() leaves an inactive page where it
 * is, and vm_page_activate() an active one, but makes its count ACT_INIT at least.
 */
void vm_page_activate(vm_page_t m);
void vm_page_deactivate(vm_page_t m);
void vm_page_launder(vm_page_t m);

/* To the head of the inactive queue: it will not be used again soon. */
void vm_page_deactivate_noreuse(vm_page_t m);

/* To the tail of the queue that it is in. */
void vm_page_requeue(vm_page_t m);

/* Out of its queue, if it is in any. */
void vm_page_dequeue(vm_page_t m);

/* vm_page_unwire_noq(), and after the last reason it is in queue. */
void vm_page_unwire(vm_page_t m, enum vm_pqueue queue);

/* The page daemon takes note: it was used, not through a mapping. */
void vm_page_reference(vm_page_t m);

/* The first page of a queue, and the one after m in its queue; NULL: no more. */
vm_page_t vm_pageq_first(enum vm_pqueue queue);
vm_page_t vm_pageq_next(const struct vm_page *m);

/* All of them empty; part of vm_page_startup(). */
void vm_pageq_init(void);

/* How many pages are in a queue; without vm_mtx, how many were. */
vm_pindex_t vm_pageq_count(enum vm_pqueue queue);

/*
 * Valid and dirty: vm_page_valid.c.  A page has eight parts of 512 bytes.  A part
 * is valid when it holds what its object has there, and dirty when the pager has
 * something older.  base and size are bytes.  A part that they cover only a piece
 * of becomes valid with zeros in the rest, and does not become clean.  All with
 * vm_mtx held.
 *
 * What is written through mappings makes a page dirty only in them: ask
 * vm_page_test_dirty() before you believe the field.
 */
#define VM_PAGE_BITS_ALL UINT8_MAX

/* The parts that a range of bytes has a share in. */
uint8_t vm_page_bits(int base, int size);

void vm_page_valid(vm_page_t m); /* all of it */
void vm_page_set_valid_range(vm_page_t m, int base, int size);
void vm_page_set_validclean(vm_page_t m, int base, int size);
bool vm_page_is_valid(const struct vm_page *m, int base, int size);

/* Forget parts, and all mappings if they have any of it. */
void vm_page_set_invalid(vm_page_t m, int base, int size);

/* Zero what is not valid.  With setvalid it is so afterwards. */
void vm_page_zero_invalid(vm_page_t m, bool setvalid);

void vm_page_dirty(vm_page_t m);   /* all of it, which is valid */
void vm_page_undirty(vm_page_t m); /* the pager has it; mappings forget, too */
void vm_page_test_dirty(vm_page_t m);
void vm_page_clear_dirty(vm_page_t m, int base, int size);

static inline bool
vm_page_all_valid(const struct vm_page *m)
{
	return (m->valid == VM_PAGE_BITS_ALL);
}

static inline bool
vm_page_none_valid(const struct vm_page *m)
{
	return (m->valid == 0);
}

/*
 * Pages of objects: vm_page_object.c.  All with the object locked, and keep it so
 * unless they say that they sleep.
 */

/* The object of a page; NULL: it is in none. */
static inline vm_object_t
vm_page_object(const struct vm_page *m)
{
	return ((vm_page_aflags(m) & VPG_OBJECT) != 0 ? m->object : NULL);
}

/*
 * Put a page without an owner into an object, as page pindex, which it has not
 * got.  0, or ENOMEM if there is no node for the tree now.
 */
int vm_page_insert(vm_page_t m, vm_object_t object, vm_pindex_t pindex);

/* Take a page out of its object.  It stays as valid, busy and wired as it was. */
void vm_page_remove(vm_page_t m);

/* Page pindex of an object, or the first from there on; NULL: there is none. */
vm_page_t vm_page_lookup(vm_object_t object, vm_pindex_t pindex);
vm_page_t vm_page_find_least(vm_object_t object, vm_pindex_t pindex);

/*
 * Move a page, exclusively busy and valid, to another object.  What the pager of
 * the first has is forgotten, and the page is dirty.  0, or ENOMEM: it stays.
 */
int vm_page_rename(vm_page_t m, vm_object_t object, vm_pindex_t pindex);

/*
 * Put m, which has no owner and the same bytes, in the place of a page that is not
 * mapped and not busy: as valid, dirty and used as that.  old has no owner then.
 */
void vm_page_replace(vm_page_t m, vm_page_t old);

/*
 * A new page of an object, exclusively busy and not valid.  VM_ALLOC_USER is
 * meant.  NULL: no memory now; let go of the lock, vm_wait(), look again.
 */
vm_page_t vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int req);

/*
 * The page that is there, or a new one, exclusively busy.  Sleeps while it is
 * busy, and for memory with VM_ALLOC_WAITOK; so what was seen before may be old.
 * VM_ALLOC_ZERO is for a new one.
 */
vm_page_t vm_page_grab(vm_object_t object, vm_pindex_t pindex, int req);

/*
 * Which memory does the page of the page array at pa describe?  Called with
 * i = 0, 1, ... for one range after the other, until it returns false; for
 * another page there is none.  A dump may do without array pages that describe
 * nothing it holds.
 */
bool vm_page_array_describes(vm_paddr_t pa, unsigned int i, vm_paddr_t *start,
    vm_paddr_t *end);

/* The page at pa, NULL if that is not memory. */
static inline vm_page_t
PHYS_TO_VM_PAGE(vm_paddr_t pa)
{
	return (vm_phys_paddr_to_vm_page(pa));
}

static inline vm_paddr_t
VM_PAGE_TO_PHYS(const struct vm_page *m)
{
	return (vm_phys_vm_page_to_paddr(m));
}

#endif
