/*
 * What UMA gives back: the items in buckets, and the slabs that no item lives in.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/vm/uma_int.h"

/* Empty the zone's full buckets, and drop the empty ones. */
void
zone_drain_buckets(struct uma_zone *zone)
{
	struct uma_bucket *full, *empty, *bucket;

	mtx_lock_spin(zone->uz_lockptr);
	full = zone->uz_full_bucket;
	empty = zone->uz_free_bucket;
	zone->uz_full_bucket = NULL;
	zone->uz_free_bucket = NULL;
	mtx_unlock_spin(zone->uz_lockptr);

	while ((bucket = bucket_pop(&full)) != NULL) {
		bucket_drain(zone, bucket);
		bucket_free(bucket);
	}
	while ((bucket = bucket_pop(&empty)) != NULL)
		bucket_free(bucket);
}

/* Nobody uses the zone: the caches of all CPUs can be taken from here. */
void
zone_drain_caches(struct uma_zone *zone)
{
	for (int cpu = 0; cpu <= mp_maxid; cpu++) {
		struct uma_cache *cache = &zone->uz_cpu[cpu];

		mtx_lock_spin(zone->uz_lockptr);
		cache_fold(zone, cache);
		if (cache->uc_allocbucket != NULL)
			bucket_push(&zone->uz_full_bucket,
			    cache->uc_allocbucket);
		if (cache->uc_freebucket != NULL)
			bucket_push(&zone->uz_full_bucket,
			    cache->uc_freebucket);
		cache->uc_allocbucket = NULL;
		cache->uc_freebucket = NULL;
		mtx_unlock_spin(zone->uz_lockptr);
	}
}

void
uma_reclaim(void)
{
	uma_list_lock();
	for (struct uma_keg *keg = uma_kegs; keg != NULL; keg = keg->uk_next) {
		for (struct uma_zone *zone = keg->uk_zones; zone != NULL;
		     zone = zone->uz_link) {
			if ((keg->uk_flags & UMA_ZONE_NOFREE) == 0)
				zone_drain_buckets(zone);
		}
		keg_drain(keg);
	}
	for (struct uma_zone *zone = uma_cachezones; zone != NULL;
	     zone = zone->uz_link)
		zone_drain_buckets(zone);

	/* Again, what the others emptied in the meantime. */
	uma_bucket_zones_drain();
	keg_drain(slabzone->uz_keg);
	uma_list_unlock();
}
