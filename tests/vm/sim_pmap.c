/*
 * Page tables that the host keeps: a page of KVA is one more mapping of a page
 * of the machine's memory, so kernel code uses its address as it is.
 */
#include "tests/vm/sim_pmap.h"

#include <sys/mman.h>
#include <stdlib.h>

#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

vm_offset_t kernel_vm_end;

static struct {
	int fd;
	vm_offset_t start;
	vm_size_t size;
	vm_paddr_t *ptes; /* 0, or a page's address */
} kva;

int
pmap_growkernel(vm_offset_t end)
{
	vm_offset_t have = __atomic_load_n(&kernel_vm_end, __ATOMIC_RELAXED);

	while (end > have &&
	    !__atomic_compare_exchange_n(&kernel_vm_end, &have, end, false,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		continue;
	return (0);
}

static vm_paddr_t *
pte(vm_offset_t va)
{
	if (va < kva.start || va - kva.start >= kva.size)
		panic("%s: %#jx is not KVA", __func__, (uintmax_t)va);
	return (&kva.ptes[atop(va - kva.start)]);
}

void
pmap_kenter(vm_offset_t va, vm_paddr_t pa)
{
	if (va >= __atomic_load_n(&kernel_vm_end, __ATOMIC_RELAXED))
		panic("%s: %#jx: no page table", __func__, (uintmax_t)va);
	if (*pte(va) != 0)
		panic("%s: %#jx is mapped", __func__, (uintmax_t)va);
	*pte(va) = pa;
	if (mmap((void *)va, PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, kva.fd, (off_t)pa) == MAP_FAILED)
		panic("%s: mmap", __func__);
}

void
pmap_kremove(vm_offset_t va, vm_size_t npages)
{
	for (vm_size_t i = 0; i < npages; i++)
		*pte(va + ptoa(i)) = 0;
	if (npages > 0 &&
	    mmap((void *)va, ptoa(npages), PROT_NONE,
		MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0) == MAP_FAILED)
		panic("%s: mmap", __func__);
}

void
pmap_kforget(const struct kva_range *ranges, unsigned int nranges)
{
	(void)ranges, (void)nranges;
}

vm_paddr_t
pmap_kextract(vm_offset_t va)
{
	if (VIRT_IN_DMAP(va))
		return (DMAP_TO_PHYS(va));
	if (va < kva.start || va - kva.start >= kva.size || *pte(va) == 0)
		return (0);
	return (*pte(va) + (va & PAGE_MASK));
}

/*
 * There are no user halves: no page has mappings that know something of it.
 */

void
pmap_remove_all(vm_page_t m)
{
	(void)m;
}

void
pmap_remove_write(vm_page_t m)
{
	(void)m;
}

bool
pmap_is_modified(vm_page_t m)
{
	(void)m;
	return (false);
}

void
pmap_clear_modify(vm_page_t m)
{
	(void)m;
}

int
pmap_ts_referenced(vm_page_t m)
{
	return ((vm_page_aflag_clear(m, VPG_REFERENCED) & VPG_REFERENCED) != 0);
}

vm_offset_t
sim_pmap_boot(int fd, vm_size_t kva_size)
{
	void *mem =
	    mmap(NULL, kva_size, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);

	if (mem == MAP_FAILED)
		panic("%s: %zu bytes", __func__, kva_size);
	kva.fd = fd;
	kva.start = kernel_vm_end = (vm_offset_t)mem;
	kva.size = kva_size;
	kva.ptes = calloc(atop(kva_size), sizeof(*kva.ptes));
	return (kva.start);
}

void
sim_pmap_halt(void)
{
	munmap((void *)kva.start, kva.size);
	free(kva.ptes);
}
