/*
 * Pages of an object by their index: pctrie.h over vm_page's pindex.
 *
 * Nodes come from a zone of their own without sleeping, so the callers, which
 * hold the object's lock, need neither let go of it nor fear that memory for a
 * node wants a page of an object.
 */
#ifndef KERNEL_VM_VM_RADIX_H
#define KERNEL_VM_VM_RADIX_H

#include "kernel/sys/pctrie.h"
#include "kernel/vm/vm_page.h"

/* All zeros: empty. */
struct vm_radix {
	struct pctrie vmr_trie;
};

/* Once UMA works: the zone of nodes. */
void vm_radix_zinit(void);

/* Insert m by m->pindex, which is not in the tree.  0 or ENOMEM. */
int vm_radix_insert(struct vm_radix *rtree, vm_page_t m);

/* Take out the page of that index and return it; NULL: there is none. */
vm_page_t vm_radix_remove(struct vm_radix *rtree, vm_pindex_t index);

/* Put m in the place of the page of its index, which is returned. */
vm_page_t vm_radix_replace(struct vm_radix *rtree, vm_page_t m);

/* The page of that index, or the first from there on; NULL: there is none. */
vm_page_t vm_radix_lookup(const struct vm_radix *rtree, vm_pindex_t index);
vm_page_t vm_radix_lookup_ge(const struct vm_radix *rtree, vm_pindex_t index);

#endif
