/*
 * The cache that a CPU has of a zone, in line.
 *
 * Items leave and come into one bucket, so the one that was freed last, which the
 * CPU still has in its own cache, is allocated first.  When that bucket is empty or
 * full, it is swapped with the spare.  After a visit to the zone it takes a whole
 * bucket of allocations, or of frees, until the next one.
 *
 * Allocations are counted, frees are not: they follow from the allocations and from
 * how many items the buckets have more than before.
 *
 * All of this is for that CPU in a critical section, or for whoever has the lock of
 * a zone that is not in use any more; cache_counts() is for all.
 */
#ifndef KERNEL_VM_UMA_CACHE_H
#define KERNEL_VM_UMA_CACHE_H

#include "kernel/sys/cdefs.h"
#include "kernel/vm/uma_int.h"

/* Others read the count meanwhile. */
static inline void
cache_set_cnt(struct uma_cache_bucket *ucb, unsigned int cnt)
{
	__atomic_store_n(&ucb->ucb_cnt, (uint16_t)cnt, __ATOMIC_RELAXED);
}

static inline void
cache_set_bucket(struct uma_cache_bucket *ucb, struct uma_bucket *bucket,
    uint16_t cnt, uint16_t entries)
{
	ucb->ucb_bucket = bucket;
	ucb->ucb_entries = entries;
	cache_set_cnt(ucb, cnt);
}

static inline uint32_t
cache_items(const struct uma_cache *cache)
{
	return ((uint32_t)__atomic_load_n(&cache->uc_loaded.ucb_cnt,
		    __ATOMIC_RELAXED) +
	    __atomic_load_n(&cache->uc_spare.ucb_cnt, __ATOMIC_RELAXED));
}

struct uma_cache_counts {
	uint64_t ucc_allocs;
	uint64_t ucc_frees;
};

/*
 * Since the last visit to the zone.  While the CPU swaps its buckets, others may see
 * too many or too few frees, by a bucket.
 */
static inline struct uma_cache_counts
cache_counts(const struct uma_cache *cache)
{
	uint64_t allocs = __atomic_load_n(&cache->uc_allocs, __ATOMIC_RELAXED);
	uint32_t had = __atomic_load_n(&cache->uc_had, __ATOMIC_RELAXED);
	uint64_t n = allocs + cache_items(cache);

	return ((struct uma_cache_counts){ allocs, n > had ? n - had : 0 });
}

/* What the buckets have now has been counted. */
static inline void
cache_set_had(struct uma_cache *cache)
{
	__atomic_store_n(&cache->uc_had, cache_items(cache), __ATOMIC_RELAXED);
}

/* Give what the CPU counted to the zone; with the lock. */
static inline void
cache_fold(struct uma_zone *zone, struct uma_cache *cache)
{
	struct uma_cache_counts counts = cache_counts(cache);

	zone->uz_allocs += counts.ucc_allocs;
	zone->uz_frees += counts.ucc_frees;
	__atomic_store_n(&cache->uc_allocs, 0, __ATOMIC_RELAXED);
	cache_set_had(cache);
}

/*
 * Exchange a bucket of the cache, which has been folded, for another.  Both may be
 * NULL: none.
 */
static inline struct uma_bucket *
cache_exchange(struct uma_cache *cache, struct uma_cache_bucket *ucb,
    struct uma_bucket *bucket)
{
	struct uma_bucket *old = ucb->ucb_bucket;

	if (old != NULL)
		old->ub_cnt = ucb->ucb_cnt;
	if (bucket != NULL)
		cache_set_bucket(ucb, bucket, bucket->ub_cnt,
		    bucket->ub_entries);
	else
		cache_set_bucket(ucb, NULL, 0, 0);
	cache_set_had(cache);
	return (old);
}

static __noinline void
cache_swap(struct uma_cache *cache)
{
	struct uma_cache_bucket *loaded = &cache->uc_loaded;
	struct uma_cache_bucket *spare = &cache->uc_spare;
	struct uma_cache_bucket was = *loaded;

	cache_set_bucket(loaded, spare->ucb_bucket, spare->ucb_cnt,
	    spare->ucb_entries);
	cache_set_bucket(spare, was.ucb_bucket, was.ucb_cnt, was.ucb_entries);
}

/* NULL: both buckets are empty, or not there. */
static inline void *
cache_alloc(struct uma_cache *cache)
{
	struct uma_cache_bucket *ucb = &cache->uc_loaded;
	unsigned int cnt = ucb->ucb_cnt;

	if (__predict_false(cnt == 0)) {
		cnt = cache->uc_spare.ucb_cnt;
		if (cnt == 0)
			return (NULL);
		cache_swap(cache);
	}
	cache_set_cnt(ucb, --cnt);
	__atomic_store_n(&cache->uc_allocs, cache->uc_allocs + 1,
	    __ATOMIC_RELAXED);
	return (ucb->ucb_bucket->ub_bucket[cnt]);
}

/* false: both buckets are full, or not there. */
static inline bool
cache_free(struct uma_cache *cache, void *item)
{
	struct uma_cache_bucket *ucb = &cache->uc_loaded;
	unsigned int cnt = ucb->ucb_cnt;

	if (__predict_false(cnt == ucb->ucb_entries)) {
		cnt = cache->uc_spare.ucb_cnt;
		if (cnt == cache->uc_spare.ucb_entries)
			return (false);
		cache_swap(cache);
	}
	ucb->ucb_bucket->ub_bucket[cnt] = item;
	cache_set_cnt(ucb, cnt + 1);
	return (true);
}

#endif
