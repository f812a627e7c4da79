/*
 * The kernel map: addresses of the top 2 GB that are mapped page by page.
 *
 * Page tables are made by pmap_growkernel() and stay, so that an entry can be
 * written without a lock by whoever owns its address.
 *
 * Lock: pmap_lock, to add page tables.
 */
#include "kernel/vm/pmap.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/pmap_tlb.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/dumpset.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"

uint64_t KPML4phys;
vm_offset_t kernel_vm_end = VM_MIN_KVA;

pt_entry_t *kernel_pd[NKPD];

pt_entry_t *
pmap_kernel_pde(vm_offset_t va)
{
	uint64_t i = (va - KERNBASE) / NBPDR;

	return (&kernel_pd[i / NPTEPG][i % NPTEPG]);
}

pt_entry_t *
pmap_kernel_pte(vm_offset_t va)
{
	pt_entry_t *pt =
	    (pt_entry_t *)PHYS_TO_DMAP(*pmap_kernel_pde(va) & AMD64_PTE_FRAME);

	return (&pt[va >> PAGE_SHIFT & (NPTEPG - 1)]);
}

/* Is there memory in [start, start + len)? */
static bool
has_memory(vm_paddr_t start, vm_size_t len)
{
	for (const vm_paddr_t *pair = dump_avail; pair[1] != 0; pair += 2) {
		if (pair[0] < start + len && start < pair[1])
			return (true);
	}
	return (false);
}

/* Add the page table that maps kernel_vm_end.  pmap_lock is held. */
static int
grow_locked(void)
{
	vm_page_t m = vm_page_alloc_noobj(VM_ALLOC_SYSTEM | VM_ALLOC_WIRED |
	    VM_ALLOC_ZERO);

	if (m == NULL)
		return (ENOMEM);
	vm_page_aflag_set(m, VPG_TABLE);
	/* A dump of version 1 has copies of page tables, not these. */
	dump_add_page(VM_PAGE_TO_PHYS(m));
	*pmap_kernel_pde(kernel_vm_end) = VM_PAGE_TO_PHYS(m) | ENTRY_TABLE;
	__atomic_store_n(&kernel_vm_end, kernel_vm_end + NBPDR,
	    __ATOMIC_RELEASE);
	return (0);
}

int
pmap_growkernel(vm_offset_t end)
{
	int error = 0;

	KASSERT(end <= VM_MAX_KVA, ("%s: %#jx", __func__, (uintmax_t)end));
	if (__atomic_load_n(&kernel_vm_end, __ATOMIC_ACQUIRE) >= end)
		return (0);
	mtx_lock_spin(&pmap_lock);
	while (error == 0 && kernel_vm_end < end)
		error = grow_locked();
	mtx_unlock_spin(&pmap_lock);
	return (error);
}

void
pmap_kenter(vm_offset_t va, vm_paddr_t pa)
{
	KASSERT(va >= VM_MIN_KVA && va < kernel_vm_end,
	    ("%s: %#jx", __func__, (uintmax_t)va));
	KASSERT((*pmap_kernel_pte(va) & AMD64_PTE_V) == 0,
	    ("%s: %#jx is mapped", __func__, (uintmax_t)va));
	*pmap_kernel_pte(va) = pa | ENTRY_DATA;
}

void
pmap_kremove(vm_offset_t va, vm_size_t npages)
{
	KASSERT(va >= VM_MIN_KVA && va + ptoa(npages) <= kernel_vm_end,
	    ("%s: %#jx, %ju pages", __func__, (uintmax_t)va,
		(uintmax_t)npages));
	for (vm_size_t i = 0; i < npages; i++)
		*pmap_kernel_pte(va + ptoa(i)) = 0;
}

void
pmap_kforget(const struct kva_range *ranges, unsigned int nranges)
{
	struct tlb_gather gather = { 0 };

	for (unsigned int i = 0; i < nranges; i++)
		tlb_gather_range(&gather, TLB_ALL_CPUS, ranges[i].kr_start,
		    ranges[i].kr_end);
	tlb_gather_finish(&gather);
}

uint64_t *
pmap_entry(vm_offset_t va, unsigned int level)
{
	vm_paddr_t table_pa = KPML4phys;

	for (unsigned int at = 3;; at--) {
		unsigned int i = va >> (12 + 9 * at) & (NPTEPG - 1);
		pt_entry_t *entry;

		if (!has_memory(table_pa, PAGE_SIZE))
			return (NULL);
		entry = &((pt_entry_t *)PHYS_TO_DMAP(table_pa))[i];
		if (at == level)
			return (entry);
		if (amd64_pte_decode(*entry, at).pte_kind != PTE_TABLE)
			return (NULL);
		table_pa = *entry & AMD64_PTE_FRAME;
	}
}

vm_paddr_t
pmap_kextract(vm_offset_t va)
{
	vm_paddr_t image_pa;

	/* These two must also work when the page tables are broken. */
	if (VIRT_IN_DMAP(va))
		return (DMAP_TO_PHYS(va));
	if ((image_pa = pmap_image_extract(va)) != 0)
		return (image_pa);
	for (unsigned int level = 4; level-- > 0;) {
		const uint64_t *entry = pmap_entry(va, level);
		struct pte pte;

		if (entry == NULL)
			return (0);
		pte = amd64_pte_decode(*entry, level);
		if (pte.pte_kind == PTE_PAGE)
			return (pte.pte_pa +
			    (va & ((UINT64_C(1) << pte.pte_shift) - 1)));
	}
	return (0);
}
