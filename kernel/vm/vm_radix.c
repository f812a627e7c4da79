/*
 * Pages of an object by their index.
 *
 * Owns the zone of tree nodes.  Its pages come from the free lists without
 * sleeping and go through the direct map: no map, no object and no lock above
 * vm_page_queue_free_mtx is needed for one.  There are about 10 bytes of nodes for
 * each page of an object, so they are bulk, in dumps.
 *
 * Lock: the object's.
 */
#include "kernel/vm/vm_radix.h"

#include "kernel/vm/uma.h"

static uma_zone_t vm_radix_node_zone;

void
vm_radix_zinit(void)
{
	vm_radix_node_zone =
	    uma_zcreate("RADIX NODE", sizeof(struct pctrie_node), NULL, NULL,
		NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM | UMA_ZONE_BULK);
}

static struct pctrie_node *
alloc_node(void)
{
	return (uma_zalloc(vm_radix_node_zone, M_NOWAIT));
}

static void
free_node(struct pctrie_node *node)
{
	uma_zfree(vm_radix_node_zone, node);
}

static vm_page_t
page_of(uint32_t *pindex)
{
	return (pindex == NULL ? NULL :
				 __containerof(pindex, struct vm_page, pindex));
}

int
vm_radix_insert(struct vm_radix *rtree, vm_page_t m)
{
	return (pctrie_insert(&rtree->vmr_trie, &m->pindex, alloc_node));
}

vm_page_t
vm_radix_remove(struct vm_radix *rtree, vm_pindex_t index)
{
	if (index > VM_PINDEX_MAX)
		return (NULL);
	return (page_of(pctrie_remove(&rtree->vmr_trie, (uint32_t)index,
	    free_node)));
}

vm_page_t
vm_radix_replace(struct vm_radix *rtree, vm_page_t m)
{
	return (page_of(pctrie_replace(&rtree->vmr_trie, &m->pindex)));
}

vm_page_t
vm_radix_lookup(const struct vm_radix *rtree, vm_pindex_t index)
{
	if (index > VM_PINDEX_MAX)
		return (NULL);
	return (page_of(pctrie_lookup(&rtree->vmr_trie, (uint32_t)index)));
}

vm_page_t
vm_radix_lookup_ge(const struct vm_radix *rtree, vm_pindex_t index)
{
	if (index > VM_PINDEX_MAX)
		return (NULL);
	return (page_of(pctrie_lookup_ge(&rtree->vmr_trie, (uint32_t)index)));
}
