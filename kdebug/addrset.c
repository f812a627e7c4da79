/*
 * A set of addresses as a hash table with open addressing: see addrset.h.
 *
 * At most half of the slots are in use, so each search ends.
 */
#include "kdebug/addrset.h"

#include <stdlib.h>

#define FIRST_NSLOTS 256

void
addrset_fini(struct addrset *as)
{
	free(as->as_slots);
	*as = (struct addrset){ 0 };
}

/* SplitMix64's finalizer: every bit of va reaches the low ones. */
static size_t
hash(const struct addrset *as, uint64_t va)
{
	va ^= as->as_seed;
	va = (va ^ va >> 30) * 0xbf58476d1ce4e5b9u;
	va = (va ^ va >> 27) * 0x94d049bb133111ebu;
	return ((size_t)(va ^ va >> 31));
}

/* The slot that holds va, or the free one where it belongs. */
static uint64_t *
find(const struct addrset *as, uint64_t va)
{
	size_t mask = as->as_nslots - 1;
	size_t i = hash(as, va) & mask;

	while (as->as_slots[i] != 0 && as->as_slots[i] != va)
		i = (i + 1) & mask;
	return (&as->as_slots[i]);
}

/* Double the slots.  Half of them at least stay free, so find() ends. */
static int
grow(struct addrset *as)
{
	struct addrset bigger = { .as_count = as->as_count };

	bigger.as_nslots =
	    as->as_nslots != 0 ? 2 * as->as_nslots : FIRST_NSLOTS;
	bigger.as_slots = calloc(bigger.as_nslots, sizeof(*bigger.as_slots));
	if (bigger.as_slots == NULL)
		return (-1);
	bigger.as_seed = (uint64_t)(uintptr_t)bigger.as_slots;
	for (size_t i = 0; i < as->as_nslots; i++) {
		if (as->as_slots[i] != 0)
			*find(&bigger, as->as_slots[i]) = as->as_slots[i];
	}
	free(as->as_slots);
	*as = bigger;
	return (0);
}

enum addrset_result
addrset_add(struct addrset *as, uint64_t va)
{
	uint64_t *slot;

	if (2 * as->as_count >= as->as_nslots && grow(as) != 0)
		return (ADDRSET_NOMEM);
	slot = find(as, va);
	if (*slot == va)
		return (ADDRSET_SEEN);
	*slot = va;
	as->as_count++;
	return (ADDRSET_ADDED);
}
