/*
 * The kernel's page tables.
 *
 *	top level, entry 496   the direct map: 1 GB or 2 MB pages, 4 KB pages
 *	                       around the image
 *	           entry 511   two directory pages: the top 2 GB
 *
 * The image is mapped in 4 KB pages, each section with the rights that it
 * needs: no page can be both written and executed, and what is read only is so
 * in the direct map, too.  The rest of the top 2 GB is the window for device
 * registers and the kernel map; the latter's page tables are made by
 * pmap_growkernel() and stay.
 */
#include "kernel/vm/pmap.h"

#include "dumper/dumper.h"
#include "format/paging_amd64.h"
#include "kernel/amd64/bootmem.h"
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/ipi.h"
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/dumpset.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/image.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_page.h"

/* An entry that leads to a table, and one that maps a kernel page of data. */
#define ENTRY_TABLE (AMD64_PTE_V | AMD64_PTE_RW)
#define ENTRY_DATA                                                             \
	(AMD64_PTE_V | AMD64_PTE_RW | AMD64_PTE_A | AMD64_PTE_M |              \
	    AMD64_PTE_G | AMD64_PTE_NX)

#define NPTEPG 512
#define NBPDR  UINT64_C(0x200000)
#define NBPDP  UINT64_C(0x40000000)
#define NKPD   2 /* directory pages of the top 2 GB */

typedef uint64_t pt_entry_t;

uint64_t KPML4phys;
uint64_t kernphys = KERNLOAD;
vm_offset_t dmapbase = DMAP_MIN_ADDRESS;
vm_offset_t dmapend = DMAP_MIN_ADDRESS;
vm_offset_t kernel_vm_end = VM_MIN_KVA;

extern pt_entry_t boot_pdpt_low[NPTEPG]; /* locore.S */

static struct dump_range devices[16]; /* what pmap_mapdev() has mapped */
static size_t ndevices;

static struct mtx pmap_lock = MTX_INITIALIZER("pmap");

/* Boot page tables were allocated first, from one range. */
static struct physrange boot_tables; /* (c) */

/*
 * The directories of the top 2 GB, through which its page tables are reached.
 */
static pt_entry_t *kernel_pd[NKPD]; /* (c) */
static vm_offset_t devmap_next = DEVMAP_MIN;

static vm_paddr_t
boot_pa(const void *p)
{
	return ((vm_offset_t)p - KERNBASE);
}

static pt_entry_t *
pde(vm_offset_t va)
{
	uint64_t i = (va - KERNBASE) / NBPDR;

	return (&kernel_pd[i / NPTEPG][i % NPTEPG]);
}

/* The entry for va, whose page table exists. */
static pt_entry_t *
vtopte(vm_offset_t va)
{
	pt_entry_t *pt = (pt_entry_t *)PHYS_TO_DMAP(*pde(va) & AMD64_PTE_FRAME);

	return (&pt[va >> PAGE_SHIFT & (NPTEPG - 1)]);
}

static bool
has_1gb_pages(void)
{
	uint32_t reg[4];

	do_cpuid(0x80000000, reg);
	if (reg[0] < 0x80000001)
		return (false);
	do_cpuid(0x80000001, reg);
	return ((reg[3] & (UINT32_C(1) << 26)) != 0);
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

/*
 * The same for all memory that firmware reports, also beyond hw.physmem: its
 * own tables, which lie on the same large pages, are read through the direct
 * map.
 */
static bool
has_ram(vm_paddr_t start, vm_size_t len)
{
	for (size_t i = 0; i < bootinfo.boot_nram; i++) {
		const struct physrange *r = &bootinfo.boot_ram[i];

		if (r->phr_start < start + len && start < r->phr_end)
			return (true);
	}
	return (false);
}

static pt_entry_t
image_rights(vm_offset_t va)
{
	if (va < (vm_offset_t)etext)
		return (AMD64_PTE_V | AMD64_PTE_A | AMD64_PTE_G);
	if (va < (vm_offset_t)_erodata || va >= (vm_offset_t)_ksyms)
		return (AMD64_PTE_V | AMD64_PTE_A | AMD64_PTE_G | AMD64_PTE_NX);
	return (ENTRY_DATA);
}

/* Is any of the image in [start, start + len)? */
static bool
has_image(vm_paddr_t start, vm_size_t len)
{
	return (boot_pa(_text) < start + len && start < boot_pa(_end));
}

/*
 * The page table for 2 MB of memory in which the image lies: what must not be
 * written there must not be written through the direct map either.
 */
static pt_entry_t
bootstrap_dmap_pt(vm_paddr_t start)
{
	pt_entry_t *pt = boot_alloc(1);

	for (unsigned int i = 0; i < NPTEPG; i++) {
		vm_paddr_t pa = start + ptoa(i);

		pt[i] = pa |
		    (has_image(pa, PAGE_SIZE) ? image_rights(KERNBASE + pa) :
						ENTRY_DATA) |
		    AMD64_PTE_NX;
	}
	return (boot_pa(pt) | ENTRY_TABLE);
}

/* The directory for a gigabyte of memory, of 2 MB pages where there is any. */
static pt_entry_t
bootstrap_dmap_pd(vm_paddr_t start)
{
	pt_entry_t *pd = boot_alloc(1);

	for (unsigned int i = 0; i < NPTEPG; i++) {
		vm_paddr_t pa = start + i * NBPDR;

		if (has_image(pa, NBPDR))
			pd[i] = bootstrap_dmap_pt(pa);
		else if (has_ram(pa, NBPDR))
			pd[i] = pa | ENTRY_DATA | AMD64_PTE_PS;
	}
	return (boot_pa(pd) | ENTRY_TABLE);
}

static void
bootstrap_dmap(pt_entry_t *pml4)
{
	bool huge = has_1gb_pages();
	pt_entry_t *pdpt = boot_alloc(1);

	for (vm_paddr_t pa = 0; pa < DMAP_MAX_ADDRESS - DMAP_MIN_ADDRESS;
	     pa += NBPDP) {
		if (!has_ram(pa, NBPDP))
			continue;
		pdpt[pa / NBPDP] = huge && !has_image(pa, NBPDP) ?
		    pa | ENTRY_DATA | AMD64_PTE_PS :
		    bootstrap_dmap_pd(pa);
	}
	for (const vm_paddr_t *pair = dump_avail; pair[1] != 0; pair += 2)
		dmapend = dmapbase + pair[1];
	pml4[dmapbase >> 39 & (NPTEPG - 1)] = boot_pa(pdpt) | ENTRY_TABLE;
}

/* The top 2 GB: the image and the page table of the device window. */
static void
bootstrap_kernel(pt_entry_t *pml4)
{
	pt_entry_t *pdpt = boot_alloc(1);
	pt_entry_t *pt = NULL;

	for (unsigned int i = 0; i < NKPD; i++) {
		kernel_pd[i] = boot_alloc(1);
		pdpt[NPTEPG - NKPD + i] = boot_pa(kernel_pd[i]) | ENTRY_TABLE;
	}
	for (vm_offset_t va = (vm_offset_t)_text; va < (vm_offset_t)_end;
	     va += PAGE_SIZE) {
		if (*pde(va) == 0) {
			pt = boot_alloc(1);
			*pde(va) = boot_pa(pt) | ENTRY_TABLE;
		}
		pt[va >> PAGE_SHIFT & (NPTEPG - 1)] =
		    (va - KERNBASE) | image_rights(va);
	}
	*pde(DEVMAP_MIN) = boot_pa(boot_alloc(1)) | ENTRY_TABLE;
	pml4[NPTEPG - 1] = boot_pa(pdpt) | ENTRY_TABLE;
}

void
pmap_load(void)
{
	load_cr4(rcr4() | CR4_PGE);
	load_cr3(KPML4phys);
}

void
pmap_bootstrap(void)
{
	pt_entry_t *pml4 = boot_alloc(1);

	if ((vm_offset_t)_end > DEVMAP_MIN)
		panic("%s: the image ends at %p", __func__, (void *)_end);
	bootstrap_dmap(pml4);
	bootstrap_kernel(pml4);
	for (unsigned int i = 0; i < NKPD; i++)
		kernel_pd[i] =
		    (pt_entry_t *)PHYS_TO_DMAP(boot_pa(kernel_pd[i]));
	KPML4phys = boot_pa(pml4);
	pmap_load();
	boot_tables = boot_taken;
}

bool
pmap_is_boot_table(vm_paddr_t pa)
{
	return (pa >= boot_tables.phr_start && pa < boot_tables.phr_end);
}

/* Add the page table that maps kernel_vm_end.  pmap_lock is held. */
static int
grow_locked(void)
{
	vm_page_t m = vm_page_alloc_noobj(VM_ALLOC_SYSTEM | VM_ALLOC_WIRED |
	    VM_ALLOC_ZERO);

	if (m == NULL)
		return (ENOMEM);
	m->flags |= VPG_TABLE;
	/* A dump of version 1 has copies of page tables, not these. */
	dump_add_page(VM_PAGE_TO_PHYS(m));
	*pde(kernel_vm_end) = VM_PAGE_TO_PHYS(m) | ENTRY_TABLE;
	kernel_vm_end += NBPDR;
	return (0);
}

int
pmap_growkernel(vm_offset_t end)
{
	int error = 0;

	KASSERT(end <= VM_MAX_KVA, ("%s: %#jx", __func__, (uintmax_t)end));
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
	KASSERT((*vtopte(va) & AMD64_PTE_V) == 0,
	    ("%s: %#jx is mapped", __func__, (uintmax_t)va));
	*vtopte(va) = pa | ENTRY_DATA;
}

void
pmap_qremove(vm_offset_t va, vm_size_t npages)
{
	KASSERT(va >= VM_MIN_KVA && va + ptoa(npages) <= kernel_vm_end,
	    ("%s: %#jx, %ju pages", __func__, (uintmax_t)va,
		(uintmax_t)npages));
	for (vm_size_t i = 0; i < npages; i++) {
		*vtopte(va + ptoa(i)) = 0;
		invlpg(va + ptoa(i));
	}
	smp_invltlb();
}

volatile void *
pmap_mapdev(vm_paddr_t pa, vm_size_t len)
{
	vm_paddr_t start = trunc_page(pa);
	vm_size_t size = round_page(pa + len) - start;
	vm_offset_t va = devmap_next;

	if (size > DEVMAP_MAX - va || ndevices == nitems(devices))
		return (NULL);
	devices[ndevices++] = (struct dump_range){ start, start + size };
	devmap_next += size;
	for (vm_size_t off = 0; off < size; off += PAGE_SIZE)
		*vtopte(va + off) = (start + off) | ENTRY_DATA | AMD64_PTE_NC;
	return ((volatile void *)(va + (pa - start)));
}

const struct dump_range *
pmap_device_ranges(size_t *n)
{
	*n = ndevices;
	return (devices);
}

void
pmap_map_low(void)
{
	pt_entry_t *pml4 = (pt_entry_t *)PHYS_TO_DMAP(KPML4phys);

	pml4[0] = boot_pa(boot_pdpt_low) | ENTRY_TABLE;
}

void
pmap_unmap_low(void)
{
	pt_entry_t *pml4 = (pt_entry_t *)PHYS_TO_DMAP(KPML4phys);

	pml4[0] = 0;
	load_cr3(KPML4phys);
	smp_invltlb();
}

void
pmap_guard(vm_offset_t va)
{
	*vtopte(va) = 0;
	invlpg(va);
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
	/* These two must also work when the page tables are broken. */
	if (VIRT_IN_DMAP(va))
		return (DMAP_TO_PHYS(va));
	if (va >= (vm_offset_t)_text && va < (vm_offset_t)_end)
		return (va - KERNBASE);
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
