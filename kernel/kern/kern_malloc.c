/*
 * malloc(9) on zones of powers of two from 16 bytes to a page; what is larger,
 * or is not to be dumped, gets pages of its own from the kernel map.
 *
 * Every page of an allocation leads to its slab, and so to its size: free
 * needs nothing but the address.
 */
#include "kernel/sys/malloc.h"

#include "kernel/sys/cdefs.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/uma_dbg.h"
#include "kernel/vm/uma_int.h"

#define KMEM_MINSHIFT 4 /* 16 bytes */
#define KMEM_NZONES   (PAGE_SHIFT - KMEM_MINSHIFT + 1)

static uma_zone_t kmemzones[KMEM_NZONES];

static const char *const kmemzone_names[KMEM_NZONES] = { "16", "32", "64",
	"128", "256", "512", "1024", "2048", "4096" };

static struct malloc_type *malloc_types; /* atomic: newest first */

/* The smallest zone whose items hold size bytes, at most a page. */
static uma_zone_t
kmemzone_lookup(size_t size)
{
	unsigned int shift = KMEM_MINSHIFT;

	while (((size_t)1 << shift) < size)
		shift++;
	return (kmemzones[shift - KMEM_MINSHIFT]);
}

void
kmeminit(void)
{
	for (unsigned int i = 0; i < KMEM_NZONES; i++) {
		kmemzones[i] = uma_zcreate(kmemzone_names[i],
		    (size_t)1 << (i + KMEM_MINSHIFT),
		    uma_debug ? mtrash_ctor : NULL,
		    uma_debug ? mtrash_dtor : NULL,
		    uma_debug ? mtrash_init : NULL,
		    uma_debug ? mtrash_fini : NULL, UMA_ALIGN_PTR,
		    UMA_ZONE_MALLOC);
	}
}

/* Put a type that is used for the first time into the list. */
static void
malloc_type_link(struct malloc_type *type)
{
	if (__predict_true(__atomic_load_n(&type->ks_linked,
			       __ATOMIC_RELAXED) != 0) ||
	    __atomic_exchange_n(&type->ks_linked, 1, __ATOMIC_RELAXED) != 0)
		return;
	type->ks_next = __atomic_load_n(&malloc_types, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&malloc_types, &type->ks_next, type,
	    false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		continue;
}

static void
malloc_type_allocated(struct malloc_type *type, size_t size)
{
	malloc_type_link(type);
	__atomic_fetch_add(&type->ks_numallocs, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&type->ks_memalloced, size, __ATOMIC_RELAXED);
}

static void
malloc_type_freed(struct malloc_type *type, size_t size)
{
	__atomic_fetch_add(&type->ks_numfrees, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&type->ks_memfreed, size, __ATOMIC_RELAXED);
}

void *
malloc(size_t size, struct malloc_type *type, int flags)
{
	void *addr;

	if (size > PAGE_SIZE || (flags & M_NODUMP) != 0) {
		addr = uma_large_malloc(size, flags);
		if (addr != NULL)
			malloc_type_allocated(type, round_page(size));
	} else {
		uma_zone_t zone = kmemzone_lookup(size);

		addr = uma_zalloc_arg(zone, type, flags);
		if (addr != NULL)
			malloc_type_allocated(type, zone->uz_keg->uk_size);
	}
	return (addr);
}

void
free(void *addr, struct malloc_type *type)
{
	struct uma_slab *slab;

	if (addr == NULL)
		return;
	slab = vtoslab(addr);
	if (slab == NULL)
		panic("free: %p, of type %s, was never allocated", addr,
		    type->ks_shortdesc);
	if (slab->us_keg == NULL) {
		malloc_type_freed(type, slab->us_size);
		uma_large_free(slab);
	} else {
		malloc_type_freed(type, slab->us_keg->uk_size);
		uma_zfree_arg(slab->us_keg->uk_zones, addr, type);
	}
}

size_t
malloc_usable_size(const void *addr)
{
	const struct uma_slab *slab = vtoslab(addr);

	KASSERT(slab != NULL, ("%s: %p was never allocated", __func__, addr));
	return (slab->us_keg == NULL ? slab->us_size : slab->us_keg->uk_size);
}

void *
realloc(void *addr, size_t size, struct malloc_type *type, int flags)
{
	size_t have = addr == NULL ? 0 : malloc_usable_size(addr);
	void *copy;

	/* Good enough: large enough, and not twice what is asked for. */
	if (addr != NULL && size <= have && (size > have / 2 || have == 16))
		return (addr);
	copy = malloc(size, type, flags);
	if (copy == NULL || addr == NULL)
		return (copy);
	__builtin_memcpy(copy, addr, size < have ? size : have);
	free(addr, type);
	return (copy);
}

void
malloc_stats_foreach(void (*visit)(const struct malloc_type_stats *stats,
			 void *arg),
    void *arg)
{
	const struct malloc_type *type =
	    __atomic_load_n(&malloc_types, __ATOMIC_ACQUIRE);

	for (; type != NULL; type = type->ks_next) {
		struct malloc_type_stats stats = {
			.mts_name = type->ks_shortdesc,
			.mts_requests = __atomic_load_n(&type->ks_numallocs,
			    __ATOMIC_RELAXED),
		};

		stats.mts_inuse = stats.mts_requests -
		    __atomic_load_n(&type->ks_numfrees, __ATOMIC_RELAXED);
		stats.mts_memuse =
		    __atomic_load_n(&type->ks_memalloced, __ATOMIC_RELAXED) -
		    __atomic_load_n(&type->ks_memfreed, __ATOMIC_RELAXED);
		visit(&stats, arg);
	}
}
