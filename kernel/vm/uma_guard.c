/*
 * Items of zones that memguard has: they never see a slab or a cache, and do not
 * count among the zone's.  All callbacks run for each, from init to fini.
 *
 * Lock: the list lock, to mark zones.  An item belongs to the caller.
 */
#include "kernel/sys/libkern.h"
#include "kernel/vm/memguard.h"
#include "kernel/vm/uma_int.h"

/*
 * Not what memguard itself stands on, what malloc(9) asks about by type, or what
 * is more than an item.
 */
bool
zone_can_be_guarded(const struct uma_zone *zone)
{
	return (zone->uz_keg != NULL &&
	    (zone->uz_flags &
		(UMA_ZFLAG_INTERNAL | UMA_ZONE_VM | UMA_ZONE_MALLOC |
		    UMA_ZONE_PCPU | UMA_ZONE_NODUMP)) == 0);
}

void
uma_guard_zones(void)
{
	uma_list_lock();
	UMA_ZONE_FOREACH(zone) {
		if (zone_can_be_guarded(zone))
			__atomic_fetch_or(&zone->uz_flags, UMA_ZFLAG_GUARD,
			    __ATOMIC_RELAXED);
	}
	uma_list_unlock();
}

static int
guarded_init(struct uma_zone *zone, void *item, int flags)
{
	const struct uma_keg *keg = zone->uz_keg;
	int size = (int)zone->uz_size;

	if (keg->uk_init != NULL && keg->uk_init(item, size, flags) != 0)
		return (-1);
	if (zone->uz_init == NULL || zone->uz_init(item, size, flags) == 0)
		return (0);
	if (keg->uk_fini != NULL)
		keg->uk_fini(item, size);
	return (-1);
}

static void
guarded_fini(struct uma_zone *zone, void *item)
{
	if (zone->uz_fini != NULL)
		zone->uz_fini(item, (int)zone->uz_size);
	if (zone->uz_keg->uk_fini != NULL)
		zone->uz_keg->uk_fini(item, (int)zone->uz_size);
}

static int
guarded_ctor(struct uma_zone *zone, void *item, void *arg, int flags)
{
	if (zone->uz_ctor == NULL ||
	    zone->uz_ctor(item, (int)zone->uz_size, arg, flags) == 0)
		return (0);
	guarded_fini(zone, item);
	return (-1);
}

static bool
zone_is_chosen(const struct uma_zone *zone)
{
	if ((zone->uz_flags & UMA_ZONE_NOFREE) != 0 &&
	    (memguard_config.mgc_options & MG_GUARD_NOFREE) == 0)
		return (false);
	return (memguard_cmp(zone->uz_name, zone->uz_size));
}

void *
zone_alloc_guarded(struct uma_zone *zone, void *arg, int flags)
{
	void *item;

	if (!zone_is_chosen(zone))
		return (NULL);
	item = memguard_alloc(zone->uz_size, zone->uz_name, flags | M_ZERO);
	if (item == NULL)
		return (NULL);
	if (guarded_init(zone, item, flags) != 0 ||
	    guarded_ctor(zone, item, arg, flags) != 0) {
		(void)memguard_free(item, zone->uz_name);
		return (NULL);
	}
	if ((flags & M_ZERO) != 0)
		memset(item, 0, zone->uz_size);
	return (item);
}

bool
zone_free_guarded(struct uma_zone *zone, void *item, void *arg)
{
	if (!is_memguard_addr(item))
		return (false);
	if (zone->uz_dtor != NULL)
		zone->uz_dtor(item, (int)zone->uz_size, arg);
	guarded_fini(zone, item);
	(void)memguard_free(item, zone->uz_name);
	return (true);
}
