/*
 * Pages to swap and back, from the shell.
 */
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pager.h"

/* The page, exclusively busy; the object is locked then. */
static vm_page_t
grab(vm_object_t object, vm_pindex_t pindex)
{
	VM_OBJECT_LOCK(object);
	return (vm_page_grab(object, pindex,
	    VM_ALLOC_NORMAL | VM_ALLOC_WAITOK));
}

static uint64_t *
words_of(vm_page_t m)
{
	return ((uint64_t *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)));
}

/* Fill a page, write it out and forget it; is it on swap? */
static bool
put_out(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = grab(object, pindex);
	int rtval;

	for (uint64_t i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
		words_of(m)[i] = pindex << 32 | i;
	vm_page_valid(m);
	vm_page_dirty(m);
	VM_OBJECT_UNLOCK(object);
	vm_pager_put_pages(object, &m, 1, VM_PAGER_PUT_SYNC, &rtval);
	VM_OBJECT_LOCK(object);
	if (rtval == VM_PAGER_OK)
		vm_page_free(m);
	else
		vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	return (rtval == VM_PAGER_OK);
}

/* Read it again, if it is not in memory; is it the same?  It may leave again. */
static bool
get_in(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = grab(object, pindex);
	bool same = true;
	int rv = VM_PAGER_OK;

	if (!vm_page_all_valid(m)) {
		VM_OBJECT_UNLOCK(object);
		rv = vm_pager_get_pages(object, &m, 1, NULL, NULL);
		VM_OBJECT_LOCK(object);
	}
	for (uint64_t i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
		same = same && words_of(m)[i] == (pindex << 32 | i);
	if (rv == VM_PAGER_OK) {
		vm_page_deactivate(m);
		vm_page_xunbusy(m);
	} else {
		vm_page_free(m);
	}
	VM_OBJECT_UNLOCK(object);
	return (rv == VM_PAGER_OK && same);
}

static vm_object_t swapcheck_object; /* NULL: nothing is out */
static vm_pindex_t swapcheck_npages;

static void
sh_swapout(const char *args)
{
	const char *end;
	vm_pindex_t npages = strtouq(args, &end), out = 0;

	if (end == args || npages == 0 || swapcheck_object != NULL) {
		printf("swapout PAGES, and swapin before the next\n");
		return;
	}
	swapcheck_object = vm_object_allocate(OBJT_SWAP, npages);
	swapcheck_npages = npages;
	VM_OBJECT_LOCK(swapcheck_object);
	vm_object_pip_add(swapcheck_object, 1);
	VM_OBJECT_UNLOCK(swapcheck_object);
	for (vm_pindex_t i = 0; i < npages; i++)
		out += put_out(swapcheck_object, i);
	printf("swapout: %ju of %ju pages, object %p\n", (uintmax_t)out,
	    (uintmax_t)npages, (void *)swapcheck_object);
}
COMMAND(swapout, "swapout", CMD_SHELL, sh_swapout, "N: pages go to swap");

static void
sh_swapin(const char *args)
{
	vm_object_t object = swapcheck_object;
	vm_pindex_t same = 0;

	(void)args;
	if (object == NULL)
		return;
	for (vm_pindex_t i = 0; i < swapcheck_npages; i++)
		same += get_in(object, i);
	printf("swapin: %ju of %ju pages are the same\n", (uintmax_t)same,
	    (uintmax_t)swapcheck_npages);
	VM_OBJECT_LOCK(object);
	vm_object_pip_wakeup(object);
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
	swapcheck_object = NULL;
}
COMMAND(swapin, "swapin", CMD_SHELL, sh_swapin,
    "the pages of swapout come back");
