/*
 * The page tables that the kernel boots with.
 *
 *	top level, entry 496   the direct map: 1 GB or 2 MB pages, 4 KB pages
 *	                       around the image
 *	           entry 511   two directory pages: the top 2 GB
 *
 * The image is mapped in 4 KB pages, each section with the rights that it
 * needs: no page can be both written and executed, and what is read only is so
 * in the direct map, too.  The rest of the top 2 GB is the window for device
 * registers and the kernel map, which pmap_kernel.c fills.
 *
 * Lock: none.  One thread makes all of this during the boot.
 */
#include "kernel/vm/pmap.h"

#include "dumper/dumper.h"
#include "kernel/amd64/bootmem.h"
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/dumpset.h"
#include "kernel/sys/image.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_phys.h"

uint64_t kernphys = KERNLOAD;
vm_offset_t dmapbase = DMAP_MIN_ADDRESS;
vm_offset_t dmapend = DMAP_MIN_ADDRESS;

extern pt_entry_t boot_pdpt_low[NPTEPG]; /* locore.S */

static struct dump_range devices[16]; /* what pmap_mapdev() has mapped */
static size_t ndevices;

/* Boot page tables were allocated first, from one range. */
static struct physrange boot_tables; /* (c) */

static vm_offset_t devmap_next = DEVMAP_MIN;

static vm_paddr_t
boot_pa(const void *p)
{
	return ((vm_offset_t)p - KERNBASE);
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

/*
 * Is there memory in [start, start + len)?  All that firmware reports, also
 * beyond hw.physmem: its own tables, which lie on the same large pages, are read
 * through the direct map.
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
		if (*pmap_kernel_pde(va) == 0) {
			pt = boot_alloc(1);
			*pmap_kernel_pde(va) = boot_pa(pt) | ENTRY_TABLE;
		}
		pt[va >> PAGE_SHIFT & (NPTEPG - 1)] =
		    (va - KERNBASE) | image_rights(va);
	}
	*pmap_kernel_pde(DEVMAP_MIN) = boot_pa(boot_alloc(1)) | ENTRY_TABLE;
	pml4[NPTEPG - 1] = boot_pa(pdpt) | ENTRY_TABLE;
}

void
pmap_load(void)
{
	load_cr4(rcr4() | CR4_PGE);
	load_cr3(KPML4phys);
	/* CR3 has PCID 0 now, as turning them on demands. */
	if (cpu_has_pcid())
		load_cr4(rcr4() | CR4_PCIDE);
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
	pmap_init();
	boot_tables = boot_taken;
}

bool
pmap_is_boot_table(vm_paddr_t pa)
{
	return (pa >= boot_tables.phr_start && pa < boot_tables.phr_end);
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
		*pmap_kernel_pte(va + off) =
		    (start + off) | ENTRY_DATA | AMD64_PTE_NC;
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
	pmap_cpu_invalidate(TLB_ALL_CPUS,
	    &(struct tlb_flush){ .tlf_all = true });
}

void
pmap_guard(vm_offset_t va)
{
	*pmap_kernel_pte(va) = 0;
	invlpg(va);
}

vm_paddr_t
pmap_image_extract(vm_offset_t va)
{
	if (va < (vm_offset_t)_text || va >= (vm_offset_t)_end)
		return (0);
	return (va - KERNBASE);
}
