/*
 * Memory full of what processes map: "mapped BYTES" in the shell.
 *
 * Each address space has an object, whose pages it maps one by one.  Pages are
 * not written to, which costs an emulator's host nothing; what describes them is
 * as large as it would be: tree nodes, page tables, reverse maps.
 */
#include "kernel/machine/vmparam.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"

#define SPACE_FIRST UINT64_C(0x10000000)
#define SPACE_PAGES 32768
#define RW	    (VM_PROT_READ | VM_PROT_WRITE)

/* Every second page may only be read: large pages would need no tables. */
static vm_prot_t
prot_of(vm_pindex_t pindex)
{
	return (pindex % 2 == 0 ? RW : VM_PROT_READ);
}

/* false: no memory is left. */
static bool
map_page(struct vmspace *vm, vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;
	int error;

	VM_OBJECT_LOCK(object);
	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL);
	if (m != NULL) {
		vm_page_valid(m);
		vm_page_dirty(m);
		vm_page_activate(m);
	}
	VM_OBJECT_UNLOCK(object);
	if (m == NULL)
		return (false);
	error = pmap_enter(vm->vm_map.pmap, SPACE_FIRST + ptoa(pindex), m,
	    prot_of(pindex), VM_PROT_READ);
	VM_OBJECT_LOCK(object);
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	return (error == 0);
}

/* An address space of npages pages at most; how many it has. */
static vm_pindex_t
fill_space(vm_pindex_t npages)
{
	struct vmspace *vm = vmspace_alloc(SPACE_FIRST, VM_MAXUSER_ADDRESS);
	struct vm_map_what what = { .prot = RW, .max = RW };
	vm_pindex_t n = 0;

	if (vm == NULL)
		return (0);
	what.object = vm_object_allocate(OBJT_SWAP, npages);
	if (vm_map_fixed(&vm->vm_map, SPACE_FIRST, ptoa(npages), &what) !=
	    KERN_SUCCESS)
		panic("mapped: an empty map has no room");
	while (n < npages && map_page(vm, what.object, n))
		n++;
	return (n);
}

static void
sh_mapped(const char *args)
{
	vm_pindex_t left = atop(strtouq(args, &args)), done = 0, n;
	uint64_t nspaces = 0;

	for (; left > 0; left -= n, done += n, nspaces++) {
		n = fill_space(left < SPACE_PAGES ? left : SPACE_PAGES);
		if (n == 0)
			break;
	}
	printf("mapped: %ju pages in %ju address spaces, %ju free\n",
	    (uintmax_t)done, (uintmax_t)nspaces, (uintmax_t)vm_free_count());
}
COMMAND(mapped, "mapped", CMD_SHELL, sh_mapped,
    "BYTES: map that much in address spaces");
