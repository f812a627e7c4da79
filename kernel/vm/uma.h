/*
 * UMA, the zone allocator: items of one size and kind, by the slab.
 *
 *	foo_zone = uma_zcreate("foo", sizeof(struct foo), foo_ctor, foo_dtor,
 *	    foo_init, foo_fini, UMA_ALIGN_PTR, 0);
 *	foo = uma_zalloc(foo_zone, M_WAITOK);
 *	uma_zfree(foo_zone, foo);
 *
 * An item passes through these, each optional:
 *
 *	memory ─ init ─► keg ─ zinit ─► cache ─ ctor ─► user
 *	memory ◄─ fini ─ keg ◄─ zfini ─ cache ◄─ dtor ─ user
 *
 * so that what init set up lives as long as the memory does, and a user pays
 * for ctor alone.  dtor leaves an item as it was before ctor, zfini as before
 * zinit.  ctor, init and zinit may fail with an errno; then the item goes back
 * and the allocation returns NULL, even with M_WAITOK.
 *
 * Not from interrupt handlers.  M_* are in kernel/sys/malloc.h.
 */
#ifndef KERNEL_VM_UMA_H
#define KERNEL_VM_UMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/sys/critical.h"
#include "kernel/sys/malloc.h"
#include "kernel/vm/vm.h"
#include "kernel/vm/vm_param.h"

typedef struct uma_zone *uma_zone_t;

typedef int (*uma_ctor)(void *mem, int size, void *arg, int flags);
typedef void (*uma_dtor)(void *mem, int size, void *arg);
typedef int (*uma_init)(void *mem, int size, int flags);
typedef void (*uma_fini)(void *mem, int size);

/*
 * Where a cache zone has its items from, and where they go: up to count items
 * into store, and how many there were; count items of store.  domain is always
 * UMA_ANYDOMAIN.  An import may sleep with M_WAITOK.
 */
typedef int (*uma_import)(void *arg, void **store, int count, int domain,
    int flags);
typedef void (*uma_release)(void *arg, void **store, int count);

#define UMA_ANYDOMAIN (-1)

/* Flags of a zone. */
#define UMA_ZONE_ZINIT	   0x0001 /* init fills with zeros */
#define UMA_ZONE_OFFPAGE   0x0002 /* nothing but items in their pages */
#define UMA_ZONE_MALLOC	   0x0004 /* malloc(9)'s: memory comes as it is */
#define UMA_ZONE_NOFREE	   0x0008 /* memory is never given back */
#define UMA_ZONE_VM	   0x0010 /* no buckets from fresh memory */
#define UMA_ZONE_SECONDARY 0x0020 /* shares another zone's keg */
#define UMA_ZONE_MAXBUCKET 0x0040 /* largest buckets at once */
#define UMA_ZONE_NODUMP	   0x0080 /* no minidump holds the items */
#define UMA_ZONE_PCPU	   0x0100 /* each CPU has one of each item */
#define UMA_ZONE_BULK	   0x0200 /* minidumps may do without; up to a page */

/* Alignment, as a mask. */
#define UMA_ALIGN_PTR	(sizeof(void *) - 1)
#define UMA_ALIGN_LONG	(sizeof(long) - 1)
#define UMA_ALIGN_INT	(sizeof(int) - 1)
#define UMA_ALIGN_SHORT (sizeof(short) - 1)
#define UMA_ALIGN_CHAR	(sizeof(char) - 1)
#define UMA_ALIGN_CACHE (64 - 1)

/* Where a slab's memory came from. */
#define UMA_SLAB_BOOT	0x01 /* before there was an allocator; stays */
#define UMA_SLAB_KMEM	0x02 /* kmem_malloc */
#define UMA_SLAB_PRIV	0x04 /* the direct map, or the zone's own backend */
#define UMA_SLAB_MALLOC 0x08 /* a large malloc, not a slab at all */

/* May sleep.  name stays the caller's. */
uma_zone_t uma_zcreate(const char *name, size_t size, uma_ctor ctor,
    uma_dtor dtor, uma_init init, uma_fini fini, size_t align, uint32_t flags);

/* A zone with own callbacks and caches on master's keg, hence its size. */
uma_zone_t uma_zsecond_create(const char *name, uma_ctor ctor, uma_dtor dtor,
    uma_init zinit, uma_fini zfini, uma_zone_t master);

/*
 * A zone that caches what import brings: it has no slabs of its own.  Items have
 * size bytes as far as M_ZERO and the callbacks go, and need not be memory:
 * with a size of 0, M_ZERO is not for them.
 */
uma_zone_t uma_zcache_create(const char *name, int size, uma_ctor ctor,
    uma_dtor dtor, uma_init zinit, uma_fini zfini, uma_import import,
    uma_release release, void *arg, uint32_t flags);

/*
 * Nobody uses the zone any more.  Items that were not freed keep their slabs,
 * and that is said on the console.
 */
void uma_zdestroy(uma_zone_t zone);

void *uma_zalloc_arg(uma_zone_t zone, void *arg, int flags)
    __attribute__((__warn_unused_result__));
void uma_zfree_arg(uma_zone_t zone, void *item, void *arg);

static inline void *
uma_zalloc(uma_zone_t zone, int flags)
{
	return (uma_zalloc_arg(zone, NULL, flags));
}

static inline void
uma_zfree(uma_zone_t zone, void *item)
{
	uma_zfree_arg(zone, item, NULL);
}

/*
 * Of zones with UMA_ZONE_PCPU, whose items fit into a page.  Callbacks see the
 * item of CPU 0 alone, and M_ZERO is for all.
 */
void *uma_zalloc_pcpu_arg(uma_zone_t zone, void *arg, int flags)
    __attribute__((__warn_unused_result__));
void uma_zfree_pcpu_arg(uma_zone_t zone, void *item, void *arg);

static inline void *
uma_zalloc_pcpu(uma_zone_t zone, int flags)
{
	return (uma_zalloc_pcpu_arg(zone, NULL, flags));
}

static inline void
uma_zfree_pcpu(uma_zone_t zone, void *item)
{
	uma_zfree_pcpu_arg(zone, item, NULL);
}

/* The item that a CPU has; and the one of this CPU, in a critical section. */
static inline void *
zpcpu_get_cpu(void *item, int cpu)
{
	return ((uint8_t *)item + (size_t)cpu * PAGE_SIZE);
}

static inline void *
zpcpu_get(void *item)
{
	return (zpcpu_get_cpu(item, (int)critical_cpu()));
}

/*
 * Let the zone have at most nitems items, which is returned.  Beyond, M_NOWAIT
 * fails and M_WAITOK sleeps until an item is freed.  To set a limit where there
 * was none is for zones from which nothing was allocated yet; it can be changed.
 *
 * Items in caches count.  Sleepers get them, but for M_NOWAIT those of other CPUs
 * are out of reach: it may fail when half of the items are in use.
 */
int uma_zone_set_max(uma_zone_t zone, int nitems);

/*
 * What is printed when an allocation meets the limit, at most every five minutes.
 * The text stays the caller's.  The sysctl vm.zone_warnings turns it off.
 */
void uma_zone_set_warning(uma_zone_t zone, const char *warning);

/*
 * What is called then, each time that the limit is met after an item went back:
 * in the thread that met it, which holds no lock of UMA's.  The number is 1.
 */
typedef void (*uma_maxaction_t)(uma_zone_t zone, int pending);
void uma_zone_set_maxaction(uma_zone_t zone, uma_maxaction_t action);

/*
 * Keep nitems free items back for requests with M_USE_RESERVE.  Not when the zone
 * is in use; uma_prealloc() then provides them.
 */
void uma_zone_reserve(uma_zone_t zone, int nitems);

/* Fill slabs for nitems ahead of time.  May sleep. */
void uma_prealloc(uma_zone_t zone, int nitems);

/*
 * Give back what no item lives in, of one zone or of all: buckets to their slabs,
 * free slabs to their backend.  May sleep.
 */
#define UMA_RECLAIM_DRAIN     1 /* all that zones have */
#define UMA_RECLAIM_DRAIN_CPU 2 /* and what is in the caches of CPUs */
#define UMA_RECLAIM_TRIM      3 /* what zones have not touched since the last */
void uma_reclaim(int req);
void uma_zone_reclaim(uma_zone_t zone, int req);

/*
 * A zone at this moment; requests - frees = used.
 *
 * FreeBSD's libmemstat reads vm.zone_stats as bytes: a uma_stream_header and, for
 * each zone, a uma_type_header and a uma_percpu_stat for each CPU.  This kernel has
 * no programs that could call it.  So vm.zone_stats is text for its shell, and those
 * three structures are not here.
 */
struct uma_stat {
	const char *ust_name;
	uint32_t ust_size;
	uint64_t ust_limit; /* items, those in caches included; 0: none */
	uint64_t ust_used;  /* items that users have */
	uint64_t ust_free;  /* items in slabs, buckets and caches */
	uint64_t ust_pages; /* of the keg */
	uint64_t ust_requests;
	uint64_t ust_frees;
	uint64_t ust_fails;
	uint64_t ust_sleeps; /* at the limit */
};

typedef void (*uma_stat_visit)(const struct uma_stat *stat, void *arg);

/* For memguard: it may have items of all zones from now on. */
void uma_guard_zones(void);

/* Call visit for each zone.  May sleep, but not in the debugger. */
void uma_stats_foreach(uma_stat_visit visit, void *arg);
void uma_zone_get_stat(uma_zone_t zone, struct uma_stat *stat);

/*
 * Check items for use after free, double free and the like.  Set before
 * uma_startup; zones created before it is set are not checked.
 */
extern bool uma_debug;

#endif
