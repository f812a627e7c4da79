/*
 * The pager of anonymous memory: zeros, until there is something on swap.
 *
 * There are no devices for swap yet, so nothing ever is: what is not in memory is
 * zeros, and what is stays there.
 */
#include "kernel/vm/vm_pager.h"

static vm_object_t
swap_pager_alloc(void *handle, vm_ooffset_t size, vm_prot_t prot,
    vm_ooffset_t offset)
{
	(void)handle;
	(void)prot;
	return (vm_object_allocate(OBJT_SWAP, atop(round_page(offset + size))));
}

static int
swap_pager_getpages(vm_object_t object, vm_page_t *ma, int count, int *rbehind,
    int *rahead)
{
	(void)object;
	(void)ma;
	(void)count;
	*rbehind = *rahead = 0;
	return (VM_PAGER_FAIL);
}

static void
swap_pager_putpages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals)
{
	(void)object;
	(void)ma;
	(void)flags;
	for (int i = 0; i < count; i++)
		rtvals[i] = VM_PAGER_AGAIN;
}

static bool
swap_pager_haspage(vm_object_t object, vm_pindex_t pindex, int *before,
    int *after)
{
	(void)object;
	(void)pindex;
	*before = *after = 0;
	return (false);
}

const struct pagerops swappagerops = {
	.pgo_alloc = swap_pager_alloc,
	.pgo_getpages = swap_pager_getpages,
	.pgo_putpages = swap_pager_putpages,
	.pgo_haspage = swap_pager_haspage,
};
