/* Pages for tests to map. */
#ifndef TESTS_VM_PAGES_H
#define TESTS_VM_PAGES_H

#include <assert.h>

#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

static inline vm_page_t
new_page(void)
{
	vm_page_t m = vm_page_alloc_noobj(VM_ALLOC_SYSTEM | VM_ALLOC_USER |
	    VM_ALLOC_WIRED);

	assert(m != NULL);
	return (m);
}

static inline void
free_page(vm_page_t m)
{
	if (vm_page_unwire_noq(m))
		vm_page_free(m);
}

/* Its bytes, in this process. */
static inline char *
page_bytes(vm_page_t m)
{
	return ((char *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)));
}

/* Its words are first, first + step, first + 2 * step ... */
static inline void
page_fill(vm_page_t m, uint32_t first, uint32_t step)
{
	uint32_t *words = (uint32_t *)page_bytes(m);

	for (uint32_t i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		words[i] = first + i * step;
}

static inline bool
page_filled(vm_page_t m, uint32_t first, uint32_t step)
{
	const uint32_t *words = (const uint32_t *)page_bytes(m);

	for (uint32_t i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
		if (words[i] != first + i * step)
			return (false);
	}
	return (true);
}

/* Unmap pages of the kernel map, on all CPUs. */
static inline void
unmap_kernel(vm_offset_t va, vm_size_t npages)
{
	struct kva_range range = { va, va + ptoa(npages) };

	pmap_kremove(va, npages);
	pmap_kforget(&range, 1);
}

#endif
