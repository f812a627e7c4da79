/*
 * Buckets: arrays of items, and where those come from.
 *
 * A bucket is a single item of a zone without caches, so allocating one does not
 * need another; when there is none, an item goes its way without.
 *
 * Lock: none.  A bucket belongs to the caller, who holds no lock of a zone or keg,
 * because importing and releasing items takes such locks.
 */
#include "kernel/vm/uma_int.h"

/* Zones of buckets, by room. */
static struct bucket_zone {
	const char *bz_name;
	uint16_t bz_entries;
	struct uma_zone *bz_zone;
} bucket_zones[] = {
	{ "16 Bucket", 16, NULL },
	{ "32 Bucket", 32, NULL },
	{ "64 Bucket", 64, NULL },
	{ "128 Bucket", BUCKET_MAX, NULL },
};

#define NBUCKET_ZONES (sizeof(bucket_zones) / sizeof(bucket_zones[0]))

/* The zone of the smallest buckets with that much room. */
static const struct bucket_zone *
bucket_zone_lookup(unsigned int entries)
{
	for (size_t i = 0; i < NBUCKET_ZONES - 1; i++) {
		if (bucket_zones[i].bz_entries >= entries)
			return (&bucket_zones[i]);
	}
	return (&bucket_zones[NBUCKET_ZONES - 1]);
}

struct uma_bucket *
bucket_alloc(const struct uma_zone *zone, uint16_t count)
{
	const struct bucket_zone *bz = bucket_zone_lookup(count);
	int flags = M_NOWAIT;
	struct uma_bucket *bucket;

	if ((zone->uz_flags & UMA_ZONE_VM) != 0)
		flags |= M_NOVM;
	bucket = zone_alloc_item(bz->bz_zone, NULL, flags);
	if (bucket != NULL) {
		bucket->ub_next = NULL;
		bucket->ub_cnt = 0;
		bucket->ub_entries = bz->bz_entries;
	}
	return (bucket);
}

void
bucket_free(struct uma_bucket *bucket)
{
	const struct bucket_zone *bz = bucket_zone_lookup(bucket->ub_entries);

	zone_free_item(bz->bz_zone, bucket, NULL, ZFREE_DTOR);
}

void
bucket_drain(struct uma_zone *zone, struct uma_bucket *bucket)
{
	for (uint16_t i = 0; zone->uz_fini != NULL && i < bucket->ub_cnt; i++)
		zone->uz_fini(bucket->ub_bucket[i], (int)zone->uz_size);
	zone_release(zone, bucket->ub_bucket, bucket->ub_cnt);
	bucket->ub_cnt = 0;
}

/* Run zinit on items that were imported; those that fail it go back. */
static void
bucket_zinit(struct uma_zone *zone, struct uma_bucket *bucket, int flags)
{
	uint16_t done = 0;

	while (done < bucket->ub_cnt &&
	    zone->uz_init(bucket->ub_bucket[done], (int)zone->uz_size, flags) ==
		0)
		done++;
	/* The others never saw zinit, so zfini is not for them. */
	if (done < bucket->ub_cnt)
		zone_release(zone, &bucket->ub_bucket[done],
		    bucket->ub_cnt - done);
	bucket->ub_cnt = done;
}

void
bucket_fill(struct uma_zone *zone, struct uma_bucket *bucket, uint16_t count,
    int flags)
{
	if (count > bucket->ub_entries)
		count = bucket->ub_entries;
	bucket->ub_cnt =
	    (uint16_t)zone_import(zone, bucket->ub_bucket, count, flags);
	if (zone->uz_init != NULL)
		bucket_zinit(zone, bucket, flags);
}

void
uma_bucket_zones_create(void)
{
	for (size_t i = 0; i < NBUCKET_ZONES; i++) {
		struct bucket_zone *bz = &bucket_zones[i];

		bz->bz_zone = zone_create_internal(bz->bz_name,
		    sizeof(struct uma_bucket) +
			bz->bz_entries * sizeof(void *));
	}
}

void
uma_bucket_zones_drain(void)
{
	for (size_t i = 0; i < NBUCKET_ZONES; i++)
		keg_drain(bucket_zones[i].bz_zone->uz_keg);
}
