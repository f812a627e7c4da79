/*
 * How many items a zone may have, and what happens there.
 *
 * Items count from their import to their release, so those in caches count, too.
 * A thread that sleeps at the limit wants them: while there is one, no CPU gets a
 * bucket, so that what is freed goes back past the caches, and the first to sleep
 * takes the buckets that CPUs have.  For those who may not sleep, what other CPUs
 * cache is out of reach; that is why buckets of a zone with a limit are small.
 *
 * Lock: the zone's, not held over imports, releases and callbacks.
 */
#include "kernel/sys/clock.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/sysctl.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma_int.h"

/* Seconds between two warnings of a zone. */
#define WARNING_INTERVAL 300

static int zone_warnings = 1;
SYSCTL_INT(_vm, OID_AUTO, zone_warnings, CTLFLAG_RWTUN, &zone_warnings, 0,
    "Warn when a zone is full");

/* Is it time for the next one? */
static bool
zone_warning_due_locked(struct uma_zone *zone)
{
	if (zone->uz_warning == NULL || zone_warnings == 0 ||
	    (zone->uz_warned &&
		ticks - zone->uz_warned_at < WARNING_INTERVAL * hz))
		return (false);
	zone->uz_warned = true;
	zone->uz_warned_at = ticks;
	return (true);
}

/* The limit is met for the first time since an item was released. */
static void
zone_full_locked(struct uma_zone *zone)
{
	bool warn = zone_warning_due_locked(zone);

	zone->uz_full = true;
	if (!warn && zone->uz_maxaction == NULL)
		return;
	mtx_unlock_spin(zone->uz_lockptr);
	if (warn)
		printf("[zone: %s] %s\n", zone->uz_name, zone->uz_warning);
	if (zone->uz_maxaction != NULL)
		zone->uz_maxaction(zone, 1);
	mtx_lock_spin(zone->uz_lockptr);
}

/* Until there is room for an item. */
static void
zone_limit_sleep_locked(struct uma_zone *zone)
{
	zone->uz_sleeps++;
	if (zone->uz_sleepers++ == 0) {
		mtx_unlock_spin(zone->uz_lockptr);
		zone_flush_caches(zone);
		mtx_lock_spin(zone->uz_lockptr);
	}
	while (zone->uz_items >= zone->uz_max_items)
		(void)msleep_spin(&zone->uz_items, zone->uz_lockptr,
		    "zonelimit", 0);
	zone->uz_sleepers--;
}

/* Count up to so many more items, at least one unless that may not sleep. */
static int
zone_limit_take(struct uma_zone *zone, int count, int flags)
{
	uint64_t room;

	mtx_lock_spin(zone->uz_lockptr);
	if (zone->uz_items >= zone->uz_max_items && !zone->uz_full)
		zone_full_locked(zone);
	if (zone->uz_items >= zone->uz_max_items && (flags & M_WAITOK) != 0)
		zone_limit_sleep_locked(zone);
	room = zone->uz_items < zone->uz_max_items ?
	    zone->uz_max_items - zone->uz_items :
	    0;
	if ((uint64_t)count > room)
		count = (int)room;
	zone->uz_items += (uint64_t)count;
	mtx_unlock_spin(zone->uz_lockptr);
	return (count);
}

static void
zone_limit_give(struct uma_zone *zone, int count)
{
	mtx_lock_spin(zone->uz_lockptr);
	zone->uz_items -= (uint64_t)count;
	zone->uz_full = false;
	for (uint32_t n = zone->uz_sleepers; n > 0 && count > 0; n--, count--)
		wakeup_one(&zone->uz_items);
	mtx_unlock_spin(zone->uz_lockptr);
}

int
zone_import(struct uma_zone *zone, void **store, int count, int flags)
{
	int done;

	if ((zone->uz_flags & UMA_ZFLAG_LIMIT) == 0)
		return (zone->uz_import(zone->uz_arg, store, count,
		    UMA_ANYDOMAIN, flags));
	count = zone_limit_take(zone, count, flags);
	if (count == 0)
		return (0);
	done =
	    zone->uz_import(zone->uz_arg, store, count, UMA_ANYDOMAIN, flags);
	if (done < count)
		zone_limit_give(zone, count - done);
	return (done);
}

void
zone_release(struct uma_zone *zone, void **store, int count)
{
	zone->uz_release(zone->uz_arg, store, count);
	if ((zone->uz_flags & UMA_ZFLAG_LIMIT) != 0)
		zone_limit_give(zone, count);
}

/* So small that at most half of the items are in caches. */
static uint16_t
bucket_max(uint64_t nitems)
{
	uint64_t max = nitems / 4 / ((uint64_t)mp_maxid + 1);

	return (max < BUCKET_MAX ? (uint16_t)max : BUCKET_MAX);
}

int
uma_zone_set_max(uma_zone_t zone, int nitems)
{
	mtx_lock_spin(zone->uz_lockptr);
	if ((zone->uz_flags & UMA_ZFLAG_LIMIT) == 0) {
		KASSERT(zone->uz_allocs == 0,
		    ("%s: %s is in use", __func__, zone->uz_name));
		zone->uz_flags |= UMA_ZFLAG_LIMIT;
	}
	zone->uz_max_items = (uint64_t)nitems;
	zone->uz_bucket_max = bucket_max(zone->uz_max_items);
	if (zone->uz_count > zone->uz_bucket_max)
		zone->uz_count = zone->uz_bucket_max;
	zone->uz_full = false;
	wakeup(&zone->uz_items);
	mtx_unlock_spin(zone->uz_lockptr);
	return (nitems);
}

void
uma_zone_set_warning(uma_zone_t zone, const char *warning)
{
	mtx_lock_spin(zone->uz_lockptr);
	zone->uz_warning = warning;
	mtx_unlock_spin(zone->uz_lockptr);
}

void
uma_zone_set_maxaction(uma_zone_t zone, uma_maxaction_t action)
{
	mtx_lock_spin(zone->uz_lockptr);
	zone->uz_maxaction = action;
	mtx_unlock_spin(zone->uz_lockptr);
}
