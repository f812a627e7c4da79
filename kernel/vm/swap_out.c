/*
 * Pages to swap.
 *
 * A run of blocks is taken for as many pages in a row, and they are noted
 * before the write, so that lack of memory for the notes is seen while nothing
 * has happened yet.  Nobody reads them meanwhile, since the pages are busy.  The
 * pages are clean when all is on the disk, and not before.  After an error they
 * are dirty, and the blocks bad.
 *
 * Lock: vm_mtx, not held over requests to the device.
 */
#include "kernel/vm/swap_pager.h"

/*
 * Take blocks in a row for as many of the pages as there are, and note them.
 * How many: 0 if there is no block, or no memory to note it.
 */
static unsigned int
reserve_row(vm_object_t object, vm_page_t *ma, unsigned int count,
    swblk_t *first)
{
	unsigned int n = count, noted = 0;
	swblk_t old;

	VM_OBJECT_ASSERT_LOCKED(object);
	*first = swap_dev_alloc(&n);
	if (*first == SWAPBLK_NONE)
		return (0);
	while (noted < n &&
	    swap_meta_set(object, ma[noted]->pindex, *first + noted, &old)) {
		if (old != SWAPBLK_NONE)
			swap_dev_free(old);
		noted++;
	}
	for (unsigned int i = noted; i < n; i++)
		swap_dev_free(*first + i);
	return (noted);
}

/* A page is on swap, or could not be put there. */
static int
finish_out(vm_object_t object, vm_page_t m, int error)
{
	if (error == 0) {
		vm_page_undirty(m);
		return (VM_PAGER_OK);
	}
	swap_dev_bad(swap_meta_take(object, m->pindex));
	vm_page_dirty(m);
	return (VM_PAGER_ERROR);
}

void
swap_pager_putpages(vm_object_t object, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals)
{
	unsigned int n, left = (unsigned int)count;
	swblk_t first;
	int error;

	(void)flags;
	VM_OBJECT_LOCK(object);
	while (left > 0 && (n = reserve_row(object, ma, left, &first)) > 0) {
		VM_OBJECT_UNLOCK(object);
		error = swap_dev_io(BIO_WRITE, first, ma, n);
		VM_OBJECT_LOCK(object);
		for (unsigned int i = 0; i < n; i++)
			*rtvals++ = finish_out(object, *ma++, error);
		left -= n;
	}
	VM_OBJECT_UNLOCK(object);
	while (left-- > 0)
		*rtvals++ = VM_PAGER_AGAIN;
}
