/*
 * Zones and their caches.
 *
 * Items move in buckets, arrays of pointers.  A CPU has two in each zone, and
 * allocates from one of them and frees into it (uma_cache.h).  So a CPU that keeps
 * allocating and freeing touches no lock.  Beyond these it exchanges whole buckets
 * with the zone, and the zone fills and empties them at the keg (uma_keg.c), or
 * wherever a cache zone has its items from.
 *
 *	user ◄─► CPU: loaded │ spare bucket ◄─► zone: full, empty ◄─► keg
 *
 * The first of these is all that mostly happens.  It is one function without calls
 * and locks; what a zone, a flag or the scheduler wants beside it is in functions of
 * their own.
 *
 * A thread may lose its CPU at any time outside of a critical section, and the
 * holder of a zone's lock is in one.  So a visit to the zone looks at the cache
 * of the CPU that it finds itself on, and begins anew after letting go of the
 * lock.
 *
 * While a thread sleeps at the zone's limit (uma_limit.c), CPUs get no buckets.
 *
 * Zones themselves are made and destroyed in uma_zone.c.
 *
 * Lock: the zone's (uz_lockptr), not held over calls of the keg or of callbacks.
 */
#include "kernel/vm/uma.h"

#include "kernel/sys/cdefs.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma_cache.h"
#include "kernel/vm/uma_dbg.h"
#include "kernel/vm/uma_int.h"

/* This CPU's cache; the caller is in a critical section. */
static inline struct uma_cache *
zone_cache(struct uma_zone *zone)
{
	return (&zone->uz_cpu[critical_cpu()]);
}

/*
 * Allocation: visits to the zone.
 */

/* May a CPU have a bucket of it? */
static bool
zone_has_caches_locked(const struct uma_zone *zone)
{
	return (zone->uz_bucket_max != 0 && zone->uz_sleepers == 0);
}

/*
 * Leave a full bucket with the zone, or if a thread sleeps at the limit by now,
 * return what is in it.  With the lock, which is let go in between.
 */
static bool
zone_keep_bucket_locked(struct uma_zone *zone, struct uma_bucket *bucket)
{
	if (bucket->ub_cnt == 0) {
		bucket_push(&zone->uz_free_bucket, bucket);
		return (false);
	}
	if (zone_has_caches_locked(zone)) {
		zone_put_bucket(zone, bucket);
		return (true);
	}
	mtx_unlock_spin(zone->uz_lockptr);
	bucket_drain(zone, bucket);
	bucket_free(bucket);
	mtx_lock_spin(zone->uz_lockptr);
	return (false);
}

/*
 * Fill a bucket for the zone.  With the lock, which is let go in between.  false:
 * there is none, or nothing to fill it with, or as many CPUs are at it as there
 * are.
 */
static bool
zone_fill_bucket_locked(struct uma_zone *zone, int flags)
{
	uint16_t count = zone->uz_count;
	struct uma_bucket *bucket;

	if (zone->uz_fills > mp_maxid)
		return (false);
	zone->uz_fills++;
	bucket = bucket_pop(&zone->uz_free_bucket);
	mtx_unlock_spin(zone->uz_lockptr);
	if (bucket == NULL)
		bucket = bucket_alloc(zone, count);
	if (bucket != NULL)
		bucket_fill(zone, bucket, count, flags);
	mtx_lock_spin(zone->uz_lockptr);
	zone->uz_fills--;
	return (bucket != NULL && zone_keep_bucket_locked(zone, bucket));
}

/* Exchange this CPU's empty bucket for a full one, if there is one. */
static void *
zone_refill_cache_locked(struct uma_zone *zone)
{
	struct uma_cache *cache = zone_cache(zone);
	void *item = cache_alloc(cache);
	struct uma_bucket *empty;

	if (item != NULL || zone->uz_full_bucket == NULL)
		return (item);
	cache_fold(zone, cache);
	empty =
	    cache_exchange(cache, &cache->uc_loaded, zone_take_bucket(zone));
	if (empty != NULL)
		bucket_push(&zone->uz_free_bucket, empty);
	else
		zone->uz_nattached++;
	return (cache_alloc(cache));
}

/* Past the CPU's cache: an item as it comes out of a cache, or NULL. */
static void *
zone_alloc_cached(struct uma_zone *zone, int flags)
{
	void *item = NULL;

	/* Who sleeps at the limit sleeps for a single item, later. */
	if ((zone->uz_flags & UMA_ZFLAG_LIMIT) != 0)
		flags = (flags & ~M_WAITOK) | M_NOWAIT;
	mtx_lock_spin(zone->uz_lockptr);
	while (zone_has_caches_locked(zone)) {
		item = zone_refill_cache_locked(zone);
		if (item != NULL)
			break;
		if (zone->uz_count < zone->uz_bucket_max)
			zone->uz_count++;
		if (!zone_fill_bucket_locked(zone, flags))
			break;
	}
	mtx_unlock_spin(zone->uz_lockptr);
	return (item);
}

/* A single item, imported and through zinit; or NULL. */
static void *
zone_import_item(struct uma_zone *zone, int flags)
{
	void *item;

	if (zone_import(zone, &item, 1, flags) != 1)
		return (NULL);
	if (zone->uz_init == NULL ||
	    zone->uz_init(item, (int)zone->uz_size, flags) == 0)
		return (item);
	zone_release(zone, &item, 1);
	return (NULL);
}

static void *
zone_alloc_uncached(struct uma_zone *zone, int flags)
{
	void *item = zone_import_item(zone, flags);

	mtx_lock_spin(zone->uz_lockptr);
	if (item != NULL)
		zone->uz_allocs++;
	else
		zone->uz_fails++;
	mtx_unlock_spin(zone->uz_lockptr);
	return (item);
}

/* The last steps: debugging, ctor, zeros.  NULL: ctor failed. */
static __noinline void *
zone_construct(struct uma_zone *zone, void *item, void *arg, int flags)
{
	size_t size = zone->uz_size;

	if ((zone->uz_flags & UMA_ZFLAG_DEBUG) != 0)
		uma_dbg_alloc(zone, item);
	if (zone->uz_ctor != NULL &&
	    zone->uz_ctor(item, (int)size, arg, flags) != 0) {
		if ((zone->uz_flags & UMA_ZFLAG_DEBUG) != 0)
			uma_dbg_free(zone, item);
		zone_free_item(zone, item, arg, ZFREE_PAST_DTOR);
		mtx_lock_spin(zone->uz_lockptr);
		zone->uz_fails++;
		mtx_unlock_spin(zone->uz_lockptr);
		return (NULL);
	}
	if ((flags & M_ZERO) != 0)
		memset(item, 0, size);
	return (item);
}

void *
zone_alloc_item(struct uma_zone *zone, void *arg, int flags)
{
	void *item = zone_alloc_uncached(zone, flags);

	return (item == NULL ? NULL : zone_construct(zone, item, arg, flags));
}

/* The CPU's cache has none. */
static __noinline void *
zone_alloc_past_cache(struct uma_zone *zone, int flags)
{
	void *item = zone_alloc_cached(zone, flags);

	return (item != NULL ? item : zone_alloc_uncached(zone, flags));
}

/* Another thread waits for the CPU, whose cache had this item or NULL. */
static __noinline void *
zone_alloc_and_yield(struct uma_zone *zone, void *item, int flags)
{
	critical_yield();
	return (item != NULL ? item : zone_alloc_past_cache(zone, flags));
}

/* An item that is not constructed; or NULL. */
static inline void *
zone_alloc(struct uma_zone *zone, int flags)
{
	void *item;

	critical_enter_leaf();
	item = cache_alloc(zone_cache(zone));
	if (__predict_false(critical_exit_leaf()))
		return (zone_alloc_and_yield(zone, item, flags));
	if (__predict_false(item == NULL))
		return (zone_alloc_past_cache(zone, flags));
	return (item);
}

/* For a zone, or with flags, that want more than that. */
static __noinline void *
zone_alloc_and_construct(struct uma_zone *zone, void *arg, int flags)
{
	void *item = NULL;

	if ((zone->uz_flags & UMA_ZFLAG_GUARD) != 0)
		item = zone_alloc_guarded(zone, arg, flags);
	if (item != NULL)
		return (item);
	item = zone_alloc(zone, flags);
	return (item == NULL ? NULL : zone_construct(zone, item, arg, flags));
}

void *
uma_zalloc_arg(uma_zone_t zone, void *arg, int flags)
{
	KASSERT(((flags & M_WAITOK) != 0) != ((flags & M_NOWAIT) != 0),
	    ("%s: %s: flags %#x: one of M_WAITOK and M_NOWAIT", __func__,
		zone->uz_name, flags));
	if (((zone->uz_flags &
		 (UMA_ZFLAG_GUARD | UMA_ZFLAG_DEBUG | UMA_ZFLAG_CTOR)) |
		((uint32_t)flags & M_ZERO)) != 0)
		return (zone_alloc_and_construct(zone, arg, flags));
	return (zone_alloc(zone, flags));
}

/*
 * Free: the same way back.
 */

/* Back to where it came from, past all caches. */
void
zone_free_item(struct uma_zone *zone, void *item, void *arg, enum zfree how)
{
	if (how == ZFREE_DTOR) {
		if ((zone->uz_flags & UMA_ZFLAG_DEBUG) != 0)
			uma_dbg_free(zone, item);
		if (zone->uz_dtor != NULL)
			zone->uz_dtor(item, (int)zone->uz_size, arg);
	}
	if (zone->uz_fini != NULL)
		zone->uz_fini(item, (int)zone->uz_size);
	zone_release(zone, &item, 1);
	mtx_lock_spin(zone->uz_lockptr);
	zone->uz_frees++;
	mtx_unlock_spin(zone->uz_lockptr);
}

/* Exchange this CPU's full bucket for an empty one, if there is one. */
static bool
zone_empty_cache_locked(struct uma_zone *zone, void *item)
{
	struct uma_cache *cache = zone_cache(zone);
	struct uma_bucket *full;

	if (cache_free(cache, item))
		return (true);
	if (zone->uz_free_bucket == NULL)
		return (false);
	cache_fold(zone, cache);
	full = cache_exchange(cache, &cache->uc_loaded,
	    bucket_pop(&zone->uz_free_bucket));
	if (full != NULL)
		zone_put_bucket(zone, full);
	else
		zone->uz_nattached++;
	return (cache_free(cache, item));
}

/* false: there is no bucket to be had. */
static bool
zone_free_cached(struct uma_zone *zone, void *item)
{
	struct uma_bucket *bucket = NULL;
	uint16_t count;
	bool cached, done;

	for (;;) {
		mtx_lock_spin(zone->uz_lockptr);
		if (bucket != NULL)
			bucket_push(&zone->uz_free_bucket, bucket);
		cached = zone_has_caches_locked(zone);
		done = cached && zone_empty_cache_locked(zone, item);
		count = zone->uz_count;
		mtx_unlock_spin(zone->uz_lockptr);
		if (done || !cached)
			return (done);
		bucket = bucket_alloc(zone, count);
		if (bucket == NULL)
			return (false);
	}
}

/* The first steps: debugging, dtor.  true: memguard had the item. */
static __noinline bool
zone_destruct(struct uma_zone *zone, void *item, void *arg)
{
	if ((zone->uz_flags & UMA_ZFLAG_GUARD) != 0 &&
	    zone_free_guarded(zone, item, arg))
		return (true);
	if ((zone->uz_flags & UMA_ZFLAG_DEBUG) != 0)
		uma_dbg_free(zone, item);
	if (zone->uz_dtor != NULL)
		zone->uz_dtor(item, (int)zone->uz_size, arg);
	return (false);
}

/* The CPU's cache has no room. */
static __noinline void
zone_free_past_cache(struct uma_zone *zone, void *item)
{
	if (!zone_free_cached(zone, item))
		zone_free_item(zone, item, NULL, ZFREE_PAST_DTOR);
}

/* Another thread waits for the CPU, whose cache has the item if done is true. */
static __noinline void
zone_free_and_yield(struct uma_zone *zone, void *item, bool done)
{
	critical_yield();
	if (!done)
		zone_free_past_cache(zone, item);
}

/* An item that is past its dtor. */
static inline void
zone_free(struct uma_zone *zone, void *item)
{
	bool done;

	critical_enter_leaf();
	done = cache_free(zone_cache(zone), item);
	if (__predict_false(critical_exit_leaf()))
		zone_free_and_yield(zone, item, done);
	else if (__predict_false(!done))
		zone_free_past_cache(zone, item);
}

static __noinline void
zone_destruct_and_free(struct uma_zone *zone, void *item, void *arg)
{
	if (!zone_destruct(zone, item, arg))
		zone_free(zone, item);
}

void
uma_zfree_arg(uma_zone_t zone, void *item, void *arg)
{
	if (item == NULL)
		return;
	if ((zone->uz_flags &
		(UMA_ZFLAG_GUARD | UMA_ZFLAG_DEBUG | UMA_ZFLAG_DTOR)) != 0)
		zone_destruct_and_free(zone, item, arg);
	else
		zone_free(zone, item);
}
