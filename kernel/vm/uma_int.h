/*
 * UMA from the inside.
 *
 *	CPU caches	loaded and spare bucket	no lock: critical section
 *	zone		full and empty buckets	lock of the keg, or its own
 *	keg		slabs			its lock
 *	slab		items			lock of its keg
 *
 * A slab is one allocation of the backend, cut into equal items: one page, or
 * for an item larger than that as many pages as it needs.  The header lies at
 * the end of the page
 *
 *	| item | item | item |  ...  | item | (waste) | struct uma_slab |
 *
 * unless that would cost items, or the items need whole pages, as those that no
 * dump holds do: then it comes from a zone of headers (off-page).  Every page
 * of a slab leads to its header through vm_page's object, flagged VPG_SLAB.
 *
 * Guards: (c) constant; (k) the keg's lock; (z) the zone's, which is its keg's
 * if it has one; (l) the list lock; (p) this CPU writes in a critical section,
 * others only read the counters.
 */
#ifndef KERNEL_VM_UMA_INT_H
#define KERNEL_VM_UMA_INT_H

#include "kernel/sys/mutex.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_param.h"

#define UMA_CACHE_LINE 64

/* The smallest item: with it, no slab has more items than UMA_MAX_IPERS. */
#define UMA_MIN_SIZE  16
#define UMA_MAX_IPERS 255

/* Items of an off-page slab that keeps malloc_owners. */
#define UMA_MAX_OWNERS 4

/* An in-line header is moved out if it wastes more than 1 / this. */
#define UMA_MAX_WASTE 10

/* Flags beside UMA_ZONE_*. */
#define UMA_ZFLAG_CTOR	   0x01000 /* it has one */
#define UMA_ZFLAG_DTOR	   0x02000 /* it has one */
#define UMA_ZFLAG_GUARD	   0x04000 /* memguard may have items of it */
#define UMA_ZFLAG_LIMIT	   0x08000 /* uz_max_items counts */
#define UMA_ZFLAG_INTERNAL 0x10000 /* UMA's own: no caches */
#define UMA_ZFLAG_OWNERS   0x20000 /* of a keg: slabs keep malloc_owners */
#define UMA_ZFLAG_DEBUG	   0x40000 /* uma_dbg follows each item */
#define UMA_ZFLAG_TRASH	   0x80000 /* its callbacks are trash_* */

struct uma_slab {
	struct uma_keg *us_keg;	  /* (c) NULL: a large malloc */
	struct uma_slab *us_next; /* (k) in one of the keg's three lists */
	struct uma_slab *us_prev; /* (k) */
	uint8_t *us_data;	  /* (c) first item */
	vm_size_t us_size;	  /* (c) bytes from the backend */
	uint16_t us_freecount;	  /* (k) items that are free */
	uint8_t us_flags;	  /* (c) UMA_SLAB_* */
	/*
	 * (k) one bit for each item that is free, and, from us_bits[words] on,
	 * atomic, one for each that a user has: only uma_dbg keeps those.  An
	 * item in a bucket is neither.  With UMA_ZFLAG_OWNERS a malloc_owner for
	 * each item follows.
	 */
	uint64_t us_bits[];
};

/*
 * What malloc(9) was asked for.  The header of a large malloc keeps it in place of
 * bits, of which that has none.
 */
struct malloc_owner {
	const struct malloc_type *mo_type; /* NULL: the item is free */
	size_t mo_size;
};

#define UMA_SLAB_WORDS(ipers) (((ipers) + 63) / 64)

/* Bytes of a header for that many items, with the keg's flags. */
static inline vm_size_t
uma_slab_size(unsigned int ipers, uint32_t flags)
{
	vm_size_t size = sizeof(struct uma_slab) +
	    2 * UMA_SLAB_WORDS(ipers) * sizeof(uint64_t);

	if ((flags & UMA_ZFLAG_OWNERS) != 0)
		size += ipers * sizeof(struct malloc_owner);
	return (size);
}

/* Of an item, if the keg has them; of a large malloc, with ipers and idx 0. */
static inline struct malloc_owner *
slab_owner(struct uma_slab *slab, uint32_t ipers, uint32_t idx)
{
	void *owners = &slab->us_bits[2 * UMA_SLAB_WORDS(ipers)];

	return ((struct malloc_owner *)owners + idx);
}

struct uma_slablist {
	struct uma_slab *sl_first;
};

/*
 * A backend: whole pages for slabs.  *pflag comes back as a UMA_SLAB_* and is
 * handed to the backend that frees them.
 */
typedef void *(*uma_alloc)(uma_zone_t zone, vm_size_t size, uint8_t *pflag,
    int wait);
typedef void (*uma_free)(void *mem, vm_size_t size, uint8_t pflag);

struct uma_keg {
	struct mtx uk_lock;
	const char *uk_name;	     /* (c) that of its first zone */
	struct uma_keg *uk_next;     /* (l) */
	struct uma_zone *uk_zones;   /* (l) linked by uz_link */
	struct uma_slablist uk_part; /* (k) some items free */
	struct uma_slablist uk_free; /* (k) all */
	struct uma_slablist uk_full; /* (k) none */
	uint64_t uk_freeitems;	     /* (k) in all slabs */
	uint64_t uk_pages;	     /* (k) held, or being allocated */
	uint64_t uk_reserve;	     /* (c) free items for M_USE_RESERVE */
	uint32_t uk_size;	     /* (c) as requested */
	uint32_t uk_rsize;	     /* (c) distance of two items */
	uint32_t uk_ipers;	     /* (c) items in a slab */
	uint32_t uk_ppera;	     /* (c) pages in a slab */
	uint32_t uk_pgoff;	     /* (c) of an in-line header */
	uint32_t uk_flags;	     /* (c) */
	uma_init uk_init;	     /* (c) */
	uma_fini uk_fini;	     /* (c) */
	uma_alloc uk_allocf;	     /* (k) */
	uma_free uk_freef;	     /* (c) */
};

struct uma_bucket {
	struct uma_bucket *ub_next; /* (z) while the zone has it */
	uint16_t ub_cnt;	    /* (z) items in it, unless a CPU has it */
	uint16_t ub_entries;	    /* (c) room */
	void *ub_bucket[];	    /* (p) */
};

#define BUCKET_MAX 128

/*
 * A bucket that a CPU has, with what changes in it, so that the CPU writes to its
 * own line of memory.  Zeros: none, which has no items and no room.
 */
struct uma_cache_bucket {
	struct uma_bucket *ucb_bucket; /* (p) */
	uint16_t ucb_cnt;	       /* (p) items in it */
	uint16_t ucb_entries;	       /* (p) room */
};

struct uma_cache {
	struct uma_cache_bucket uc_loaded; /* items leave it and come into it */
	struct uma_cache_bucket uc_spare;  /* when that is empty, or full */
	uint64_t uc_allocs;		   /* (p) since the last visit */
	uint32_t uc_had;		   /* (p) items in both buckets then */
} __attribute__((__aligned__(UMA_CACHE_LINE)));

struct uma_zone {
	const char *uz_name;		   /* (c) */
	struct mtx *uz_lockptr;		   /* (c) the keg's lock, or uz_lock */
	struct uma_keg *uz_keg;		   /* (c) NULL: a cache zone */
	struct uma_zone *uz_link;	   /* (l) next on the same keg, or of */
					   /* uma_cachezones */
	struct uma_bucket *uz_full_bucket; /* (z) */
	struct uma_bucket *uz_free_bucket; /* (z) empty ones */
	uma_ctor uz_ctor;		   /* (c) */
	uma_dtor uz_dtor;		   /* (c) */
	uma_init uz_init;		   /* (c) */
	uma_fini uz_fini;		   /* (c) */
	uma_import uz_import;		   /* (c) of uz_arg */
	uma_release uz_release;		   /* (c) */
	void *uz_arg;			   /* (c) the keg, or a cache zone's */
	uint64_t uz_allocs;		   /* (z) */
	uint64_t uz_frees;		   /* (z) */
	uint64_t uz_fails;		   /* (z) */
	uint32_t uz_size;		   /* (c) of an item, as requested */
	uint32_t uz_flags;	/* (c) once in use; UMA_ZFLAG_GUARD: atomic */
	uint64_t uz_nitems;	/* (z) in full buckets */
	uint64_t uz_imin;	/* (z) the least of uz_nitems since a trim */
	uint64_t uz_items;	/* (z) with a limit: imported */
	uint64_t uz_max_items;	/* (z) with a limit: that */
	uint64_t uz_sleeps;	/* (z) at the limit, ever */
	uint32_t uz_sleepers;	/* (z) */
	bool uz_full;		/* (z) the limit was met */
	bool uz_warned;		/* (z) */
	int uz_warned_at;	/* (z) tick */
	const char *uz_warning; /* (z) NULL: none */
	uma_maxaction_t uz_maxaction; /* (z) NULL: none */
	uint16_t uz_bucket_max;	      /* (z) */
	uint16_t uz_nattached;	      /* (z) buckets that CPUs have */
	uint16_t uz_count;	      /* (z) items that a new bucket holds */
	uint16_t uz_fills;	      /* (z) CPUs filling one */
	uint16_t uz_namecnt;	      /* (c) zones of that name before it */
	struct mtx uz_lock;	      /* if there is no keg's */
	struct uma_cache uz_cpu[];    /* mp_maxid + 1; last, for their sake */
};

/*
 * Kegs: uma_keg.c.  Functions named _locked are entered and left with the
 * keg's lock, and may let go of it in between.
 */
void keg_init_geometry(struct uma_keg *keg, size_t size, size_t align,
    uint32_t flags);

/*
 * What its zones import and release.  arg is the keg.  An import sleeps, and
 * uses the reserve, for the first item alone.
 */
int keg_import(void *arg, void **store, int count, int domain, int flags);
void keg_release(void *arg, void **store, int count);

/* One more slab, all of it free.  false: none to be had. */
bool keg_grow_locked(struct uma_keg *keg, int flags);

/* Free slabs back to the backend. */
void keg_drain(struct uma_keg *keg);

/* The header of the slab that holds item, NULL if that is not UMA's. */
struct uma_slab *vtoslab(const void *item);
void vsetslab(void *mem, vm_size_t size, struct uma_slab *slab);
/* The same, faster: item is known to be this keg's. */
struct uma_slab *keg_item_slab(const struct uma_keg *keg, const void *item);

/* Which item of its slab this is, or would be. */
static inline uint32_t
slab_item_index(const struct uma_slab *slab, const void *item)
{
	return ((uint32_t)((size_t)((const uint8_t *)item - slab->us_data) /
	    slab->us_keg->uk_rsize));
}

static inline void *
slab_item(const struct uma_slab *slab, uint32_t idx)
{
	return (slab->us_data + (size_t)idx * slab->us_keg->uk_rsize);
}

/* Buckets: uma_bucket.c. */
/*
 * An empty bucket for count of a zone's items, or NULL; never sleeps, and never
 * uses the reserve: an item goes its way without a bucket.
 */
struct uma_bucket *bucket_alloc(const struct uma_zone *zone, uint16_t count);
void bucket_free(struct uma_bucket *bucket);
/* Up to count items, through zinit, into an empty bucket. */
void bucket_fill(struct uma_zone *zone, struct uma_bucket *bucket,
    uint16_t count, int flags);
/* The items of a bucket back to where they came from, through zfini. */
void bucket_drain(struct uma_zone *zone, struct uma_bucket *bucket);
void uma_bucket_zones_create(void);
void uma_bucket_zones_drain(void);

static inline void
bucket_push(struct uma_bucket **list, struct uma_bucket *bucket)
{
	bucket->ub_next = *list;
	*list = bucket;
}

static inline struct uma_bucket *
bucket_pop(struct uma_bucket **list)
{
	struct uma_bucket *bucket = *list;

	if (bucket != NULL) {
		*list = bucket->ub_next;
		bucket->ub_next = NULL;
	}
	return (bucket);
}

/* A bucket with items, to the zone and from it; with the lock. */
static inline void
zone_put_bucket(struct uma_zone *zone, struct uma_bucket *bucket)
{
	bucket_push(&zone->uz_full_bucket, bucket);
	zone->uz_nitems += bucket->ub_cnt;
}

static inline struct uma_bucket *
zone_take_bucket(struct uma_zone *zone)
{
	struct uma_bucket *bucket = bucket_pop(&zone->uz_full_bucket);

	if (bucket != NULL)
		zone->uz_nitems -= bucket->ub_cnt;
	if (zone->uz_nitems < zone->uz_imin)
		zone->uz_imin = zone->uz_nitems;
	return (bucket);
}

/* Caches and items: uma_core.c. */
void *zone_alloc_item(struct uma_zone *zone, void *arg, int flags);

/* Past dtor already, or not. */
enum zfree { ZFREE_DTOR, ZFREE_PAST_DTOR };
void zone_free_item(struct uma_zone *zone, void *item, void *arg,
    enum zfree how);

/* Limits: uma_limit.c. */
/*
 * Items into a zone, as far as its limit allows, and out of it.  At the limit
 * M_WAITOK sleeps for the first.
 */
int zone_import(struct uma_zone *zone, void **store, int count, int flags);
void zone_release(struct uma_zone *zone, void **store, int count);

/* Guarded items: uma_guard.c. */
bool zone_can_be_guarded(const struct uma_zone *zone);
/* NULL: memguard is not to have it, or cannot. */
void *zone_alloc_guarded(struct uma_zone *zone, void *arg, int flags);
/* false: it is not memguard's. */
bool zone_free_guarded(struct uma_zone *zone, void *item, void *arg);

/* What is given back: uma_reclaim.c. */
/* Release what the caches of CPUs and the zone's buckets have.  May sleep. */
void zone_flush_caches(struct uma_zone *zone);
/* Move the caches of all CPUs to the buckets of a zone that is not in use. */
void zone_drain_caches(struct uma_zone *zone);

/* Zones: uma_zone.c. */
struct uma_zone *zone_create_internal(const char *name, size_t size);

/* The zone of off-page slab headers. */
extern struct uma_zone *slabzone;

/*
 * All kegs; the lock may sleep.  When the scheduler is stopped it is not taken: the
 * lists stay as they are.
 */
void uma_list_lock(void);
void uma_list_unlock(void);

/* All zones, those of kegs first; with the lock.  NULL: there is none, or no more. */
struct uma_zone *uma_zone_first(void);
struct uma_zone *uma_zone_next(const struct uma_zone *zone);
#define UMA_ZONE_FOREACH(zone) \
	for (struct uma_zone *zone = uma_zone_first(); (zone) != NULL; \
	     (zone) = uma_zone_next(zone))

extern struct uma_keg *uma_kegs;

/* All zones without one, by the same lock. */
extern struct uma_zone *uma_cachezones;

/* Owners of malloc's items: uma_owner.c. */
/* NULL: none is kept, or no item begins at addr. */
struct malloc_owner *slab_find_owner(struct uma_slab *slab, const void *addr);
/* What has room bytes at addr is freed as of type: panic if that cannot be. */
void owner_leave(struct malloc_owner *owner, const void *addr, size_t room,
    const struct malloc_type *type);

/* Sysctls: uma_sysctl.c. */
/* Set uz_namecnt, before the zone is in a list; with the list lock. */
void zone_set_namecnt(struct uma_zone *zone);

/* Boot: uma_boot.c; what others call of it is in uma_boot.h. */
void uma_startup_zones(void);
void *uma_startup_alloc(uma_zone_t zone, vm_size_t size, uint8_t *pflag,
    int wait);
/* Raw boot memory, for what is there before the first zone. */
void *uma_boot_take(vm_size_t size);

#endif
