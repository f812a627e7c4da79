/*
 * What UMA gives back: the items in buckets, and the slabs that no item lives in.
 *
 * Three things can be asked for.  A trim takes what a zone had in full buckets at
 * every moment since the last trim, so that nobody missed it.  A drain takes all
 * of these.  The caches of CPUs can be looked into only by a thread that runs
 * there: to drain them, we go from CPU to CPU.
 *
 * Locks: the list lock -> a zone's or keg's.  Neither of the latter is held while
 * items and slabs are freed.
 */
#include "kernel/sys/critical.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/sched.h"
#include "kernel/sys/smp.h"
#include "kernel/vm/uma_cache.h"

/* Empty and free a list of buckets. */
static void
buckets_free(struct uma_zone *zone, struct uma_bucket *list)
{
	struct uma_bucket *bucket;

	while ((bucket = bucket_pop(&list)) != NULL) {
		if (bucket->ub_cnt > 0)
			bucket_drain(zone, bucket);
		bucket_free(bucket);
	}
}

/* The zone's full buckets, as far as they have at most nitems items together. */
static struct uma_bucket *
zone_take_buckets_locked(struct uma_zone *zone, uint64_t nitems)
{
	struct uma_bucket *list = NULL;

	while (zone->uz_full_bucket != NULL &&
	    zone->uz_full_bucket->ub_cnt <= nitems) {
		nitems -= zone->uz_full_bucket->ub_cnt;
		bucket_push(&list, zone_take_bucket(zone));
	}
	return (list);
}

static void
zone_reclaim_buckets(struct uma_zone *zone, int req)
{
	struct uma_bucket *full, *empty;

	mtx_lock_spin(zone->uz_lockptr);
	full = zone_take_buckets_locked(zone,
	    req == UMA_RECLAIM_TRIM ? zone->uz_imin : zone->uz_nitems);
	zone->uz_imin = zone->uz_nitems;
	empty = zone->uz_free_bucket;
	zone->uz_free_bucket = NULL;
	mtx_unlock_spin(zone->uz_lockptr);

	buckets_free(zone, full);
	buckets_free(zone, empty);
}

static void
cache_drain_bucket(struct uma_zone *zone, struct uma_cache *cache,
    struct uma_cache_bucket *ucb)
{
	struct uma_bucket *bucket = cache_exchange(cache, ucb, NULL);

	if (bucket != NULL)
		zone->uz_nattached--;
	if (bucket != NULL && bucket->ub_cnt > 0)
		zone_put_bucket(zone, bucket);
	else if (bucket != NULL)
		bucket_push(&zone->uz_free_bucket, bucket);
}

/* Move a CPU's cache to the buckets of the zone; with the lock, on that CPU. */
static void
cache_drain_locked(struct uma_zone *zone, struct uma_cache *cache)
{
	cache_fold(zone, cache);
	cache_drain_bucket(zone, cache, &cache->uc_loaded);
	cache_drain_bucket(zone, cache, &cache->uc_spare);
}

void
zone_drain_caches(struct uma_zone *zone)
{
	mtx_lock_spin(zone->uz_lockptr);
	for (int cpu = 0; cpu <= mp_maxid; cpu++)
		cache_drain_locked(zone, &zone->uz_cpu[cpu]);
	mtx_unlock_spin(zone->uz_lockptr);
}

/* The cache of the CPU that we run on. */
static void
zone_drain_cache_here(struct uma_zone *zone)
{
	mtx_lock_spin(zone->uz_lockptr);
	cache_drain_locked(zone, &zone->uz_cpu[critical_cpu()]);
	mtx_unlock_spin(zone->uz_lockptr);
}

static bool
zone_is_cached(struct uma_zone *zone)
{
	bool cached;

	mtx_lock_spin(zone->uz_lockptr);
	cached = zone->uz_nattached > 0;
	mtx_unlock_spin(zone->uz_lockptr);
	return (cached);
}

void
zone_flush_caches(struct uma_zone *zone)
{
	for (int cpu = 0; cpu <= mp_maxid && zone_is_cached(zone); cpu++) {
		if (sched_bind(cpu))
			zone_drain_cache_here(zone);
	}
	sched_unbind();
	zone_reclaim_buckets(zone, UMA_RECLAIM_DRAIN);
}

void
uma_zone_reclaim(uma_zone_t zone, int req)
{
	if (req == UMA_RECLAIM_DRAIN_CPU)
		zone_flush_caches(zone);
	else
		zone_reclaim_buckets(zone, req);
	if (zone->uz_keg != NULL)
		keg_drain(zone->uz_keg);
}

void
uma_reclaim(int req)
{
	uma_list_lock();
	for (int cpu = 0; req == UMA_RECLAIM_DRAIN_CPU && cpu <= mp_maxid;
	     cpu++) {
		if (!sched_bind(cpu))
			continue;
		UMA_ZONE_FOREACH(zone)
			zone_drain_cache_here(zone);
	}
	sched_unbind();
	UMA_ZONE_FOREACH(zone)
		zone_reclaim_buckets(zone, req);
	for (struct uma_keg *keg = uma_kegs; keg != NULL; keg = keg->uk_next)
		keg_drain(keg);

	/* Again, what the others emptied in the meantime. */
	uma_bucket_zones_drain();
	keg_drain(slabzone->uz_keg);
	uma_list_unlock();
}
