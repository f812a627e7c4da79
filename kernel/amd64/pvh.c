/*
 * The PVH boot protocol's start info.
 *
 * Facts: Xen's public/arch-x86/hvm/start_info.h.  Read once, before our own
 * page tables are there: the loader put it in the first gigabyte.
 */
#include "kernel/amd64/pvh.h"

#include "kernel/amd64/vmparam.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"

#define HVM_START_MAGIC 0x336ec578
#define MEMMAP_RAM	1

struct hvm_start_info {
	uint32_t magic;
	uint32_t version; /* 1: there is a memory map */
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_pa;
	uint64_t cmdline_pa;
	uint64_t rsdp_pa;
	uint64_t memmap_pa;
	uint32_t memmap_entries;
	uint32_t reserved;
};
static_assert(sizeof(struct hvm_start_info) == 56, "the protocol's");

struct hvm_memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};
static_assert(sizeof(struct hvm_memmap_entry) == 24, "the protocol's");

static const void *
boot_ptr(vm_paddr_t pa)
{
	return ((const void *)(uintptr_t)(KERNBASE + pa));
}

/* Keep the list ascending and its entries apart. */
static void
add_ram(struct bootinfo *bi, vm_paddr_t start, vm_paddr_t end)
{
	size_t at = bi->boot_nram;

	if (start >= end || at == nitems(bi->boot_ram))
		return;
	while (at > 0 && bi->boot_ram[at - 1].phr_start > start) {
		bi->boot_ram[at] = bi->boot_ram[at - 1];
		at--;
	}
	bi->boot_ram[at] = (struct physrange){ start, end };
	bi->boot_nram++;
}

/* Join what touches or overlaps. */
static void
merge_ram(struct bootinfo *bi)
{
	size_t n = 0;

	for (size_t i = 1; i < bi->boot_nram; i++) {
		struct physrange *last = &bi->boot_ram[n];
		const struct physrange *next = &bi->boot_ram[i];

		if (next->phr_start > last->phr_end)
			bi->boot_ram[++n] = *next;
		else if (next->phr_end > last->phr_end)
			last->phr_end = next->phr_end;
	}
	if (bi->boot_nram > 0)
		bi->boot_nram = n + 1;
}

void
pvh_parse(vm_paddr_t pa, struct bootinfo *bi)
{
	const struct hvm_start_info *si = boot_ptr(pa);
	const struct hvm_memmap_entry *map;

	if (si->magic != HVM_START_MAGIC || si->version < 1)
		panic("%s: start info at %#jx: magic %#x, version %u", __func__,
		    (uintmax_t)pa, si->magic, si->version);
	if (si->cmdline_pa != 0)
		strlcpy(bi->boot_cmdline, boot_ptr(si->cmdline_pa),
		    sizeof(bi->boot_cmdline));
	bi->boot_rsdp_pa = si->rsdp_pa;

	map = boot_ptr(si->memmap_pa);
	for (uint32_t i = 0; i < si->memmap_entries; i++) {
		if (map[i].type == MEMMAP_RAM)
			add_ram(bi, round_page(map[i].addr),
			    trunc_page(map[i].addr + map[i].size));
	}
	merge_ram(bi);
}
