/*
 * Trash patterns, and who has which item.
 *
 * Each slab has a bit for every item that a user has.  A free that finds it
 * clear is a double free, whatever caches the item went through since; an
 * allocation that finds it set means that UMA itself went wrong.
 *
 * Lock: none.  An item belongs to the caller, and bits of a slab are atomic.
 */
#include "kernel/vm/uma_dbg.h"

#include "kernel/sys/systm.h"
#include "kernel/vm/uma_int.h"

/* An item's zone by name, for a callback that was not told. */
static const char *
item_owner(const void *mem)
{
	const struct uma_slab *slab = vtoslab(mem);

	return (slab == NULL || slab->us_keg == NULL ? "?" :
						       slab->us_keg->uk_name);
}

/* Items need not be aligned to words. */
static void
trash_fill(uint8_t *mem, size_t size)
{
	const uint32_t junk = UMA_JUNK;

	for (size_t off = 0; off + sizeof(junk) <= size; off += sizeof(junk))
		__builtin_memcpy(mem + off, &junk, sizeof(junk));
}

/* The first word that is no longer junk, NULL if all are. */
static const uint8_t *
trash_find(const uint8_t *mem, size_t size, uint32_t *word)
{
	for (size_t off = 0; off + sizeof(*word) <= size;
	     off += sizeof(*word)) {
		__builtin_memcpy(word, mem + off, sizeof(*word));
		if (*word != UMA_JUNK)
			return (mem + off);
	}
	return (NULL);
}

int
trash_ctor(void *mem, int size, void *arg, int flags)
{
	const uint8_t *at;
	uint32_t word;

	(void)arg;
	(void)flags;
	at = trash_find(mem, (size_t)size, &word);
	if (at != NULL)
		panic("UMA: zone %s: item %p (%d bytes) modified after free: "
		      "%#x at %p",
		    item_owner(mem), mem, size, word, (const void *)at);
	return (0);
}

void
trash_dtor(void *mem, int size, void *arg)
{
	(void)arg;
	trash_fill(mem, (size_t)size);
}

int
trash_init(void *mem, int size, int flags)
{
	(void)flags;
	trash_fill(mem, (size_t)size);
	return (0);
}

void
trash_fini(void *mem, int size)
{
	(void)trash_ctor(mem, size, NULL, 0);
}

/* Where an item of malloc keeps its last type. */
static uint8_t *
mtrash_type(void *mem, int size)
{
	return ((uint8_t *)mem + size - sizeof(struct malloc_type *));
}

int
mtrash_ctor(void *mem, int size, void *arg, int flags)
{
	const struct malloc_type *type;
	const uint8_t *at;
	uint32_t word;

	(void)arg;
	(void)flags;
	at = trash_find(mem, (size_t)size - sizeof(type), &word);
	if (at == NULL)
		return (0);
	__builtin_memcpy(&type, mtrash_type(mem, size), sizeof(type));
	panic("UMA: zone %s: item %p (%d bytes) modified after free: "
	      "%#x at %p; last used by %s",
	    item_owner(mem), mem, size, word, (const void *)at,
	    type == NULL ? "nobody" : type->ks_shortdesc);
}

void
mtrash_dtor(void *mem, int size, void *arg)
{
	const struct malloc_type *type = arg;

	trash_fill(mem, (size_t)size - sizeof(type));
	__builtin_memcpy(mtrash_type(mem, size), &type, sizeof(type));
}

int
mtrash_init(void *mem, int size, int flags)
{
	(void)flags;
	mtrash_dtor(mem, size, NULL);
	return (0);
}

void
mtrash_fini(void *mem, int size)
{
	(void)mtrash_ctor(mem, size, NULL, 0);
}

/* The word and bit that say whether a user has this item. */
static uint64_t *
item_bit(uma_zone_t zone, void *item, uint64_t *bit)
{
	struct uma_slab *slab = vtoslab(item);
	uint32_t idx;

	if (slab == NULL)
		panic("UMA: zone %s: %p is no item at all", zone->uz_name,
		    item);
	if (slab->us_keg != zone->uz_keg)
		panic("UMA: zone %s: %p belongs to zone %s", zone->uz_name,
		    item, item_owner(item));
	idx = slab_item_index(slab, item);
	if (idx >= slab->us_keg->uk_ipers)
		panic("UMA: zone %s: %p lies behind the last item of its slab",
		    zone->uz_name, item);
	if (slab_item(slab, idx) != item)
		panic("UMA: zone %s: %p is misaligned: its item is %p",
		    zone->uz_name, item, slab_item(slab, idx));
	*bit = (uint64_t)1 << idx % 64;
	return (
	    &slab->us_bits[UMA_SLAB_WORDS(slab->us_keg->uk_ipers) + idx / 64]);
}

void
uma_dbg_alloc(uma_zone_t zone, void *item)
{
	uint64_t bit;
	uint64_t *word = item_bit(zone, item, &bit);

	if ((__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit) != 0)
		panic("UMA: zone %s: item %p allocated twice", zone->uz_name,
		    item);
}

void
uma_dbg_free(uma_zone_t zone, void *item)
{
	uint64_t bit;
	uint64_t *word = item_bit(zone, item, &bit);

	if ((__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED) & bit) == 0)
		panic("UMA: zone %s: item %p freed twice", zone->uz_name, item);
}
