/*
 * The pager of anonymous memory: pages to swap and back.
 *
 * A page without a block was never written out: it is zeros if it is not in
 * memory.
 *
 * Out: swap_out.c.
 *
 * In: pages that are in a row on the disk come in one request, and with them
 * neighbours that are not in memory, if the caller wants some.
 *
 * Lock: vm_mtx, not held over requests to the device.
 */
#include "kernel/vm/swap_pager.h"

#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"

/* Blocks that are freed before others may have the lock. */
#define FREE_BATCH 1024

static void
swap_pager_init(void)
{
	memset(swap_devices, 0, sizeof(swap_devices));
	swap_meta_init();
	swap_out_init();
}

static vm_object_t
swap_pager_alloc(void *handle, vm_ooffset_t size, vm_prot_t prot,
    vm_ooffset_t offset)
{
	(void)handle;
	(void)prot;
	return (vm_object_allocate(OBJT_SWAP, atop(round_page(offset + size))));
}

static bool
swap_pager_freespace(vm_object_t object, vm_pindex_t start, vm_pindex_t count)
{
	vm_pindex_t at = start;

	for (unsigned int n = 0; n < FREE_BATCH; n++) {
		if (!swap_pager_find_least(object, &at) || at - start >= count)
			return (true);
		swap_dev_free(swap_meta_take(object, at));
	}
	return (false);
}

static void
swap_pager_dealloc(vm_object_t object)
{
	while (!swap_pager_freespace(object, 0, (vm_pindex_t)UINT32_MAX + 1))
		continue;
}

_Static_assert(SWAP_RESERVED > 0, "a gap between the blocks of two devices");

/*
 * How far from pindex on, in steps of +1 or -1, blocks are in a row; at most max
 * pages.  A row is on one device, because the first blocks of each are no page's.
 */
static int
in_a_row(vm_object_t object, vm_pindex_t pindex, int step, int max)
{
	swblk_t blk = swap_meta_lookup(object, pindex);
	int n = 0;

	while (n < max) {
		pindex += (vm_pindex_t)step;
		blk += (swblk_t)step;
		if (swap_meta_lookup(object, pindex) != blk)
			break;
		n++;
	}
	return (n);
}

static bool
swap_pager_haspage(vm_object_t object, vm_pindex_t pindex, int *before,
    int *after)
{
	if (swap_meta_lookup(object, pindex) == SWAPBLK_NONE)
		return (false);
	*before = in_a_row(object, pindex, -1, VM_PAGER_MAXPAGES - 1);
	*after = in_a_row(object, pindex, 1, VM_PAGER_MAXPAGES - 1 - *before);
	return (true);
}

/* ---- In ---- */

/* Pages whose blocks are in a row, and with them neighbours. */
struct swap_in {
	struct pager_run si_run;
	swblk_t si_first; /* of the first page */
};

/* What comes with them, as far as it is in the same row. */
static void
add_neighbours(vm_object_t object, struct swap_in *si, int behind, int ahead)
{
	struct pager_run *run = &si->si_run;
	vm_pindex_t first = run->pgr_pages[0]->pindex;
	vm_pindex_t last = first + (vm_pindex_t)run->pgr_count - 1;

	vm_pager_run_extend(object, run, in_a_row(object, first, -1, behind),
	    in_a_row(object, last, 1, ahead));
	si->si_first -= (swblk_t)run->pgr_behind;
}

/* Blocks in a row: one request. */
static int
read_row(vm_object_t object, struct swap_in *si, int count)
{
	struct pager_run *run = &si->si_run;
	int error = swap_dev_io(BIO_READ, si->si_first, run->pgr_pages,
	    (unsigned int)run->pgr_count);

	VM_OBJECT_LOCK(object);
	vm_pager_run_finish(run, count, error);
	VM_OBJECT_UNLOCK(object);
	return (error == 0 ? VM_PAGER_OK : VM_PAGER_ERROR);
}

/* The pages from ma on that are in a row, and, of all of them, neighbours. */
static int
start_row(vm_object_t object, vm_page_t *ma, int count, struct swap_in *si)
{
	vm_pindex_t pindex = ma[0]->pindex;
	int n;

	VM_OBJECT_ASSERT_LOCKED(object);
	*si = (struct swap_in){
		.si_first = swap_meta_lookup(object, pindex),
	};
	if (si->si_first == SWAPBLK_NONE)
		return (0);
	n = 1 + in_a_row(object, pindex, 1, count - 1);
	vm_pager_run_init(&si->si_run, ma, n);
	return (n);
}

static int
swap_pager_getpages(vm_object_t object, vm_page_t *ma, int count, int *rbehind,
    int *rahead)
{
	int behind = *rbehind, ahead = *rahead, n, rv;
	struct swap_in si;

	*rbehind = *rahead = 0;
	do {
		VM_OBJECT_LOCK(object);
		n = start_row(object, ma, count, &si);
		if (n == count && (behind > 0 || ahead > 0)) {
			add_neighbours(object, &si, behind, ahead);
			*rbehind = si.si_run.pgr_behind;
			*rahead = si.si_run.pgr_count - *rbehind - n;
		}
		VM_OBJECT_UNLOCK(object);
		if (n == 0)
			return (VM_PAGER_FAIL);
		rv = read_row(object, &si, n);
		ma += n;
		count -= n;
		behind = ahead = 0;
	} while (rv == VM_PAGER_OK && count > 0);
	return (rv);
}

/* ---- From object to object ---- */

/* One block of src goes to dst; false: no memory to note it. */
static bool
move_block(vm_object_t src, vm_pindex_t from, vm_object_t dst, vm_pindex_t to)
{
	swblk_t none;

	if (!swap_meta_set(dst, to, swap_meta_lookup(src, from), &none))
		return (false);
	(void)swap_meta_take(src, from);
	return (true);
}

bool
swap_pager_has_own(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_lookup(object, pindex);

	return ((m != NULL && vm_page_all_valid(m)) ||
	    swap_meta_lookup(object, pindex) != SWAPBLK_NONE);
}

bool
swap_pager_copy(vm_object_t src, vm_object_t dst, vm_pindex_t first,
    unsigned int *budget)
{
	vm_pindex_t at = 0;

	while (swap_pager_find_least(src, &at)) {
		if (*budget == 0)
			return (false);
		--*budget;
		if (at < first || at - first >= dst->size ||
		    swap_pager_has_own(dst, at - first))
			swap_dev_free(swap_meta_take(src, at));
		else if (!move_block(src, at, dst, at - first))
			return (false);
	}
	return (true);
}

const struct pagerops swappagerops = {
	.pgo_init = swap_pager_init,
	.pgo_alloc = swap_pager_alloc,
	.pgo_dealloc = swap_pager_dealloc,
	.pgo_getpages = swap_pager_getpages,
	.pgo_putpages = swap_pager_putpages,
	.pgo_haspage = swap_pager_haspage,
	.pgo_hasroom = swap_dev_has_room,
	.pgo_freespace = swap_pager_freespace,
};
