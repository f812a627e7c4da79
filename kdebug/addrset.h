/*
 * A set of addresses: the elements of a list that were seen, so that a walk of
 * a circular list ends.
 */
#ifndef KDEBUG_ADDRSET_H
#define KDEBUG_ADDRSET_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty set. */
struct addrset {
	uint64_t *as_slots; /* the set's; 0: free.  Linear probing. */
	size_t as_nslots;   /* a power of two, or 0 */
	size_t as_count;
	uint64_t as_seed; /* so that a dump cannot aim at one slot */
};

enum addrset_result {
	ADDRSET_ADDED,
	ADDRSET_SEEN, /* it was in the set already */
	ADDRSET_NOMEM
};

void addrset_fini(struct addrset *as);

/* Add va, which is not 0. */
enum addrset_result addrset_add(struct addrset *as, uint64_t va);

#endif
