/*
 * Zones: made, tuned and destroyed.
 *
 * The first zones describe zones and kegs themselves, and are made by hand
 * from boot memory.
 *
 * Locks: the list lock -> a zone's or keg's.  The list lock is held across
 * callbacks that may sleep, so it is a flag to wait for.
 */
#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/memguard.h"
#include "kernel/vm/uma_dbg.h"
#include "kernel/vm/uma_int.h"

#ifdef NDEBUG
bool uma_debug = false;
#else
bool uma_debug = true;
#endif

struct uma_zone *slabzone;

struct uma_keg *uma_kegs;
struct uma_zone *uma_cachezones;

static struct uma_zone *kegzone;
static struct uma_zone *zonezone;

static struct mtx uma_mtx;
static bool uma_list_busy; /* (uma_mtx) */

void
uma_list_lock(void)
{
	if (SCHEDULER_STOPPED())
		return;
	mtx_lock_spin(&uma_mtx);
	while (uma_list_busy)
		(void)msleep_spin(&uma_list_busy, &uma_mtx, "umalst", 0);
	uma_list_busy = true;
	mtx_unlock_spin(&uma_mtx);
}

void
uma_list_unlock(void)
{
	if (SCHEDULER_STOPPED())
		return;
	mtx_lock_spin(&uma_mtx);
	uma_list_busy = false;
	wakeup(&uma_list_busy);
	mtx_unlock_spin(&uma_mtx);
}

/* The first zone of this keg and those after it. */
static struct uma_zone *
first_zone_from(const struct uma_keg *keg)
{
	while (keg != NULL && keg->uk_zones == NULL)
		keg = keg->uk_next;
	return (keg != NULL ? keg->uk_zones : uma_cachezones);
}

struct uma_zone *
uma_zone_first(void)
{
	return (first_zone_from(uma_kegs));
}

struct uma_zone *
uma_zone_next(const struct uma_zone *zone)
{
	if (zone->uz_link != NULL || zone->uz_keg == NULL)
		return (zone->uz_link);
	return (first_zone_from(zone->uz_keg->uk_next));
}

/*
 * Zones come and go.
 */

static vm_size_t
zone_struct_size(void)
{
	return (sizeof(struct uma_zone) +
	    ((vm_size_t)mp_maxid + 1) * sizeof(struct uma_cache));
}

struct zone_args {
	const char *name;
	size_t size;
	size_t align;
	uint32_t flags;
	uma_ctor ctor;
	uma_dtor dtor;
	uma_init init; /* of the keg; a secondary zone's own */
	uma_fini fini;
};

/* Nobody has callbacks to set up or look at the memory between two uses. */
static bool
zone_wants_trash(const struct zone_args *args)
{
	return (uma_debug && args->ctor == NULL && args->dtor == NULL &&
	    args->init == NULL && args->fini == NULL &&
	    (args->flags &
		(UMA_ZONE_ZINIT | UMA_ZONE_NOFREE | UMA_ZFLAG_INTERNAL)) == 0);
}

/* keg is zeroed memory. */
static void
keg_init(struct uma_keg *keg, const struct zone_args *args)
{
	keg->uk_name = args->name;
	mtx_init(&keg->uk_lock, args->name, "UMA zone", MTX_SPIN);
	keg_init_geometry(keg, args->size, args->align, args->flags);
	if (args->init != NULL)
		keg->uk_init = args->init;
	keg->uk_fini = args->fini;
	if (zone_wants_trash(args)) {
		keg->uk_init = trash_init;
		keg->uk_fini = trash_fini;
	}
}

/* zone is zeroed memory. */
static void
zone_init(struct uma_zone *zone, const struct zone_args *args)
{
	zone->uz_name = args->name;
	zone->uz_ctor = args->ctor;
	zone->uz_dtor = args->dtor;
	zone->uz_flags = args->flags |
	    (args->ctor != NULL ? UMA_ZFLAG_CTOR : 0) |
	    (args->dtor != NULL ? UMA_ZFLAG_DTOR : 0);
	zone->uz_count = BUCKET_MAX;
	if ((args->flags & UMA_ZFLAG_INTERNAL) == 0)
		zone->uz_bucket_max = BUCKET_MAX;
}

/* It becomes part of the keg; with the list lock. */
static void
zone_init_keg(struct uma_zone *zone, struct uma_keg *keg,
    const struct zone_args *args)
{
	zone_init(zone, args);
	zone->uz_keg = keg;
	zone->uz_lockptr = &keg->uk_lock;
	zone->uz_size = keg->uk_size;
	zone->uz_import = keg_import;
	zone->uz_release = keg_release;
	zone->uz_arg = keg;
	if ((args->flags & UMA_ZONE_MAXBUCKET) == 0 &&
	    keg->uk_ipers < BUCKET_MAX)
		zone->uz_count = (uint16_t)keg->uk_ipers;
	if (uma_debug && (args->flags & UMA_ZFLAG_INTERNAL) == 0)
		zone->uz_flags |= UMA_ZFLAG_DEBUG;
	if (zone_wants_trash(args)) {
		zone->uz_flags |=
		    UMA_ZFLAG_TRASH | UMA_ZFLAG_CTOR | UMA_ZFLAG_DTOR;
		zone->uz_ctor = trash_ctor;
		zone->uz_dtor = trash_dtor;
	}
	if (memguard_mapsize != 0 && zone_can_be_guarded(zone))
		zone->uz_flags |= UMA_ZFLAG_GUARD;
	zone_set_namecnt(zone);
	zone->uz_link = keg->uk_zones;
	keg->uk_zones = zone;
}

static uma_zone_t
zone_create(const struct zone_args *args)
{
	struct uma_keg *keg = zone_alloc_item(kegzone, NULL, M_WAITOK | M_ZERO);
	struct uma_zone *zone =
	    zone_alloc_item(zonezone, NULL, M_WAITOK | M_ZERO);

	keg_init(keg, args);
	uma_list_lock();
	zone_init_keg(zone, keg, args);
	keg->uk_next = uma_kegs;
	uma_kegs = keg;
	uma_list_unlock();
	return (zone);
}

uma_zone_t
uma_zcreate(const char *name, size_t size, uma_ctor ctor, uma_dtor dtor,
    uma_init init, uma_fini fini, size_t align, uint32_t flags)
{
	const struct zone_args args = {
		.name = name,
		.size = size,
		.align = align,
		.flags = flags,
		.ctor = ctor,
		.dtor = dtor,
		.init = init,
		.fini = fini,
	};

	return (zone_create(&args));
}

uma_zone_t
uma_zsecond_create(const char *name, uma_ctor ctor, uma_dtor dtor,
    uma_init zinit, uma_fini zfini, uma_zone_t master)
{
	const struct zone_args args = {
		.name = name,
		.flags = master->uz_keg->uk_flags | UMA_ZONE_SECONDARY,
		.ctor = ctor,
		.dtor = dtor,
		.init = zinit,
		.fini = zfini,
	};
	struct uma_zone *zone =
	    zone_alloc_item(zonezone, NULL, M_WAITOK | M_ZERO);

	KASSERT((master->uz_flags & UMA_ZFLAG_TRASH) == 0,
	    ("%s: %s: its master %s has no callbacks of its own", __func__,
		name, master->uz_name));
	uma_list_lock();
	zone_init_keg(zone, master->uz_keg, &args);
	uma_list_unlock();
	zone->uz_init = zinit;
	zone->uz_fini = zfini;
	return (zone);
}

uma_zone_t
uma_zcache_create(const char *name, int size, uma_ctor ctor, uma_dtor dtor,
    uma_init zinit, uma_fini zfini, uma_import import, uma_release release,
    void *arg, uint32_t flags)
{
	const struct zone_args args = {
		.name = name,
		.flags = flags,
		.ctor = ctor,
		.dtor = dtor,
	};
	struct uma_zone *zone =
	    zone_alloc_item(zonezone, NULL, M_WAITOK | M_ZERO);

	zone_init(zone, &args);
	mtx_init(&zone->uz_lock, name, "UMA cache zone", MTX_SPIN);
	zone->uz_lockptr = &zone->uz_lock;
	zone->uz_size = (uint32_t)size;
	zone->uz_init = zinit;
	zone->uz_fini = zfini;
	zone->uz_import = import;
	zone->uz_release = release;
	zone->uz_arg = arg;
	uma_list_lock();
	zone_set_namecnt(zone);
	zone->uz_link = uma_cachezones;
	uma_cachezones = zone;
	uma_list_unlock();
	return (zone);
}

/* The list that the zone is in. */
static struct uma_zone **
zone_list(struct uma_zone *zone)
{
	return (zone->uz_keg != NULL ? &zone->uz_keg->uk_zones :
				       &uma_cachezones);
}

/* Out of the lists; true: it was its keg's last. */
static bool
zone_unlink(struct uma_zone *zone)
{
	struct uma_keg *keg = zone->uz_keg;
	struct uma_zone **zp = zone_list(zone);
	struct uma_keg **kp = &uma_kegs;
	bool last;

	uma_list_lock();
	while (*zp != zone)
		zp = &(*zp)->uz_link;
	*zp = zone->uz_link;
	last = keg != NULL && keg->uk_zones == NULL;
	if (last) {
		while (*kp != keg)
			kp = &(*kp)->uk_next;
		*kp = keg->uk_next;
	}
	uma_list_unlock();
	return (last);
}

/* Its last zone is gone, and the lists do not have it any more. */
static void
keg_destroy(struct uma_keg *keg)
{
	keg->uk_flags &= ~(uint32_t)UMA_ZONE_NOFREE;
	keg->uk_reserve = 0;
	keg_drain(keg);
	if (keg->uk_pages != 0)
		printf("uma: %s: destroyed with items in use: %ju pages lost\n",
		    keg->uk_name, (uintmax_t)keg->uk_pages);
	mtx_destroy(&keg->uk_lock);
	zone_free_item(kegzone, keg, NULL, ZFREE_DTOR);
}

void
uma_zdestroy(uma_zone_t zone)
{
	struct uma_keg *keg = zone->uz_keg;

	zone_drain_caches(zone);
	uma_zone_reclaim(zone, UMA_RECLAIM_DRAIN);
	if (zone_unlink(zone))
		keg_destroy(keg);
	if (keg == NULL)
		mtx_destroy(&zone->uz_lock);
	zone_free_item(zonezone, zone, NULL, ZFREE_DTOR);
}

/*
 * What can be set.
 */

void
uma_zone_reserve(uma_zone_t zone, int nitems)
{
	mtx_lock_spin(zone->uz_lockptr);
	zone->uz_keg->uk_reserve = (uint64_t)nitems;
	mtx_unlock_spin(zone->uz_lockptr);
}

void
uma_prealloc(uma_zone_t zone, int nitems)
{
	struct uma_keg *keg = zone->uz_keg;
	uint32_t slabs = ((uint32_t)nitems + keg->uk_ipers - 1) / keg->uk_ipers;

	mtx_lock_spin(&keg->uk_lock);
	while (slabs-- > 0) {
		if (!keg_grow_locked(keg, M_WAITOK))
			break;
	}
	mtx_unlock_spin(&keg->uk_lock);
}

/*
 * Boot: the first zones describe zones and kegs, so they are made by hand.
 */

static struct uma_zone *
zone_create_by_hand(const char *name, size_t size, size_t align)
{
	const struct zone_args args = {
		.name = name,
		.size = size,
		.align = align,
		.flags = UMA_ZFLAG_INTERNAL,
	};
	struct uma_keg *keg = uma_boot_take(sizeof(*keg));
	struct uma_zone *zone = uma_boot_take(zone_struct_size());

	keg_init(keg, &args);
	zone_init_keg(zone, keg, &args);
	keg->uk_next = uma_kegs;
	uma_kegs = keg;
	return (zone);
}

struct uma_zone *
zone_create_internal(const char *name, size_t size)
{
	const struct zone_args args = {
		.name = name,
		.size = size,
		.align = UMA_ALIGN_CACHE, /* no two CPUs share a line */
		.flags = UMA_ZFLAG_INTERNAL,
	};

	return (zone_create(&args));
}

/* What the header of an off-page slab may take. */
static vm_size_t
slab_size_max(void)
{
	vm_size_t most = uma_slab_size(UMA_MAX_IPERS, 0);
	vm_size_t owners = uma_slab_size(UMA_MAX_OWNERS, UMA_ZFLAG_OWNERS);

	return (most > owners ? most : owners);
}

void
uma_startup_zones(void)
{
	mtx_init(&uma_mtx, "UMA list", NULL, MTX_SPIN);
	uma_list_busy = false;
	uma_kegs = NULL;
	uma_cachezones = NULL;
	kegzone = zone_create_by_hand("UMA Kegs", sizeof(struct uma_keg),
	    UMA_ALIGN_CACHE);
	zonezone = zone_create_by_hand("UMA Zones", zone_struct_size(),
	    UMA_ALIGN_CACHE);
	slabzone = zone_create_internal("UMA Slabs", slab_size_max());
	uma_bucket_zones_create();
}
