/*
 * The statistics of zones.
 *
 * Each CPU counts in its cache and adds its counts to the zone when it visits
 * the zone.  Sums are read while CPUs go on counting, so they are approximate.
 * When no CPU uses the zone they are exact: requests - frees = used, and used +
 * free = items of all slabs.
 *
 * Locks: the list lock -> a zone's.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma_cache.h"

/* The items of all slabs of a keg, used or free. */
static uint64_t
keg_items(const struct uma_keg *keg)
{
	return (keg->uk_pages / keg->uk_ppera * keg->uk_ipers);
}

static void
zone_sum(const struct uma_zone *zone, struct uma_stat *stat)
{
	stat->ust_requests += zone->uz_allocs;
	stat->ust_frees += zone->uz_frees;
	stat->ust_fails += zone->uz_fails;
	for (int cpu = 0; cpu <= mp_maxid; cpu++) {
		struct uma_cache_counts counts =
		    cache_counts(&zone->uz_cpu[cpu]);

		stat->ust_requests += counts.ucc_allocs;
		stat->ust_frees += counts.ucc_frees;
	}
}

static uint64_t
sum_used(const struct uma_stat *sum)
{
	return (sum->ust_requests > sum->ust_frees ?
		sum->ust_requests - sum->ust_frees :
		0);
}

/* The items in use, in all zones of a keg. */
static uint64_t
keg_used(const struct uma_keg *keg)
{
	struct uma_stat sum = { .ust_name = NULL };

	for (const struct uma_zone *zone = keg->uk_zones; zone != NULL;
	     zone = zone->uz_link)
		zone_sum(zone, &sum);
	return (sum_used(&sum));
}

static void
zone_stat_keg(const struct uma_keg *keg, struct uma_stat *stat)
{
	stat->ust_pages = keg->uk_pages;
	stat->ust_free = keg_items(keg) - keg_used(keg);
}

static void
zone_stat_locked(const struct uma_zone *zone, struct uma_stat *stat)
{
	*stat = (struct uma_stat){
		.ust_name = zone->uz_name,
		.ust_size = zone->uz_size,
		.ust_limit = zone->uz_max_items,
		.ust_sleeps = zone->uz_sleeps,
	};
	zone_sum(zone, stat);
	stat->ust_used = sum_used(stat);
	if (zone->uz_keg != NULL)
		zone_stat_keg(zone->uz_keg, stat);
}

void
uma_zone_get_stat(uma_zone_t zone, struct uma_stat *stat)
{
	mtx_lock_spin(zone->uz_lockptr);
	zone_stat_locked(zone, stat);
	mtx_unlock_spin(zone->uz_lockptr);
}

void
uma_stats_foreach(uma_stat_visit visit, void *arg)
{
	uma_list_lock();
	UMA_ZONE_FOREACH(zone) {
		struct uma_stat stat;

		uma_zone_get_stat(zone, &stat);
		visit(&stat, arg);
	}
	uma_list_unlock();
}
