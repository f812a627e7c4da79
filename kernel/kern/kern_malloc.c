/*
 * malloc(9) on zones of powers of two from 16 bytes to a page; what is larger,
 * or is not to be dumped, gets pages of its own from the kernel map.
 *
 * Every page of an allocation leads to its slab, and so to its size: free
 * needs nothing but the address.
 *
 * Lock: none.  An allocation belongs to the caller; the list of types and their
 * counts are atomic.
 */
#include "kernel/sys/malloc.h"

#include "kernel/sys/cdefs.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/memguard.h"
#include "kernel/vm/redzone.h"
#include "kernel/vm/uma_dbg.h"
#include "kernel/vm/uma_malloc.h"

#define KMEM_MINSHIFT 4 /* 16 bytes */
#define KMEM_NZONES   (PAGE_SHIFT - KMEM_MINSHIFT + 1)

static uma_zone_t kmemzones[KMEM_NZONES];

static const char *const kmemzone_names[KMEM_NZONES] = { "16", "32", "64",
	"128", "256", "512", "1024", "2048", "4096" };

static struct malloc_type *malloc_types; /* atomic: newest first */

static size_t
kmemzone_size(unsigned int i)
{
	return ((size_t)1 << (i + KMEM_MINSHIFT));
}

/* The smallest zone whose items hold size bytes, which is at most a page. */
static unsigned int
kmemzone_lookup(size_t size)
{
	unsigned int i = 0;

	while (kmemzone_size(i) < size)
		i++;
	return (i);
}

void
kmeminit(void)
{
	for (unsigned int i = 0; i < KMEM_NZONES; i++) {
		kmemzones[i] = uma_zcreate(kmemzone_names[i], kmemzone_size(i),
		    uma_debug ? mtrash_ctor : NULL,
		    uma_debug ? mtrash_dtor : NULL,
		    uma_debug ? mtrash_init : NULL,
		    uma_debug ? mtrash_fini : NULL, UMA_ALIGN_PTR,
		    UMA_ZONE_MALLOC);
	}
	memguard_init();
}

/* Add a type to the list when it is first used. */
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

void
malloc_type_allocated(struct malloc_type *type, size_t size)
{
	malloc_type_link(type);
	__atomic_fetch_add(&type->ks_numallocs, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&type->ks_memalloced, size, __ATOMIC_RELAXED);
}

void
malloc_type_freed(struct malloc_type *type, size_t size)
{
	__atomic_fetch_add(&type->ks_numfrees, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&type->ks_memfreed, size, __ATOMIC_RELAXED);
}

static void *
malloc_plain(size_t size, struct malloc_type *type, int flags)
{
	void *addr;

	if (size > PAGE_SIZE || (flags & M_NODUMP) != 0) {
		addr = uma_large_malloc(size, type, flags);
		if (addr != NULL)
			malloc_type_allocated(type, round_page(size));
	} else {
		unsigned int i = kmemzone_lookup(size);

		addr = uma_zalloc_arg(kmemzones[i], type, flags);
		if (addr != NULL)
			malloc_type_allocated(type, kmemzone_size(i));
	}
	return (addr);
}

static void *
malloc_owned(size_t size, struct malloc_type *type, int flags)
{
	void *addr = malloc_plain(size, type, flags);

	if (addr != NULL)
		uma_malloc_own(addr, size, type);
	return (addr);
}

static void *
malloc_redzone(size_t size, struct malloc_type *type, int flags)
{
	void *raw = malloc_plain(redzone_size_ntor(size), type, flags);
	size_t room;

	if (raw == NULL)
		return (NULL);
	room = uma_malloc_size(raw);
	uma_malloc_own(raw, room, type);
	return (redzone_setup(raw, room, size, type));
}

/* NULL: it is not to be guarded, or cannot be. */
static void *
malloc_guarded(size_t size, struct malloc_type *type, int flags)
{
	void *addr = NULL;

	if (size == 0)
		size = 1;
	if ((flags & M_NODUMP) == 0 && memguard_cmp(type->ks_shortdesc, size))
		addr = memguard_alloc(size, type->ks_shortdesc, flags);
	if (addr != NULL)
		malloc_type_allocated(type, size);
	return (addr);
}

void *
malloc(size_t size, struct malloc_type *type, int flags)
{
	if (__predict_false(memguard_mapsize != 0)) {
		void *addr = malloc_guarded(size, type, flags);

		if (addr != NULL)
			return (addr);
	}
	if (__predict_false(redzone_enable))
		return (malloc_redzone(size, type, flags));
	if (__predict_false(uma_debug))
		return (malloc_owned(size, type, flags));
	return (malloc_plain(size, type, flags));
}

void
malloc_wrong_type(const void *addr, const struct malloc_type *was,
    const struct malloc_type *type)
{
	panic("free: %p, of type %s, is freed as of %s", addr,
	    was->ks_shortdesc, type->ks_shortdesc);
}

/* The zones' own address of an allocation, whose red zones are checked. */
static void *
leave_redzone(void *addr, const struct malloc_type *type)
{
	size_t room = uma_malloc_size(addr);

	if (room == 0)
		return (addr);
	redzone_check(addr, room, type);
	return (redzone_addr_ntor(addr));
}

void
free(void *addr, struct malloc_type *type)
{
	size_t size;

	if (addr == NULL)
		return;
	if (is_memguard_addr(addr)) {
		malloc_type_freed(type,
		    memguard_free(addr, type->ks_shortdesc));
		return;
	}
	if (__predict_false(redzone_enable))
		addr = leave_redzone(addr, type);
	size = uma_malloc_free(addr, type);
	if (size == 0)
		panic("free: %p, of type %s, was never allocated", addr,
		    type->ks_shortdesc);
	malloc_type_freed(type, size);
}

size_t
malloc_usable_size(const void *addr)
{
	size_t size;

	if (is_memguard_addr(addr))
		return (memguard_get_req_size(addr));
	if (redzone_enable)
		return (redzone_get_size(addr));
	if (!uma_malloc_usable(addr, &size))
		panic("%s: %p was never allocated", __func__, addr);
	return (size);
}

/* It is large enough for size bytes. */
static void *
malloc_shrink(void *addr, size_t size, const struct malloc_type *type)
{
	if (uma_debug && !redzone_enable && !is_memguard_addr(addr))
		uma_malloc_own(addr, size, type);
	return (addr);
}

void *
realloc(void *addr, size_t size, struct malloc_type *type, int flags)
{
	size_t have = addr == NULL ? 0 : malloc_usable_size(addr);
	void *copy;

	/*
	 * Keep the item if it is large enough and less than twice the new size.
	 */
	if (addr != NULL && size <= have && (size > have / 2 || have == 16))
		return (malloc_shrink(addr, size, type));
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
