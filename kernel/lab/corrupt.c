/*
 * Page tables to die of: "corrupt LEVEL KIND" in the shell.
 *
 * What is overwritten is an entry that the kernel can do without, so that what
 * the dumper finds there is all the harm:
 *
 *	0, PTE		the last page of the device window
 *	1, PDE		a table between the image and that window
 *	2, PDPTE	the upper gigabyte, for which kmem is grown on purpose
 *	3, PML4E	all of the kernel map, in a copy of the top-level table:
 *			the CPUs stay with the original, the dumper gets the copy
 */
#include "kernel/machine/pmap.h"
#include "kernel/machine/vmparam.h"
#include "kernel/sys/command.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define V_RW UINT64_C(0x3) /* valid and writable */

#define UPPER_GIGABYTE (KERNBASE + (UINT64_C(1) << 30))
#define A_TABLE	       (UINT64_C(2) << 20) /* what a page table maps */

static vm_paddr_t
fresh_page(void)
{
	return (VM_PAGE_TO_PHYS(vm_page_alloc_noobj(VM_ALLOC_NORMAL |
	    VM_ALLOC_WIRED | VM_ALLOC_WAITOK)));
}

/* By level, the address whose entry is spare. */
static const vm_offset_t spare[] = {
	DEVMAP_MAX - PAGE_SIZE,
	KERNBASE + 8 * A_TABLE,
	UPPER_GIGABYTE,
	KERNBASE,
};

static void
copy_root(void)
{
	vm_paddr_t copy = fresh_page();

	memcpy((void *)PHYS_TO_DMAP(copy), (void *)PHYS_TO_DMAP(KPML4phys),
	    PAGE_SIZE);
	KPML4phys = copy;
}

/* A page whose entries are all valid and nearly all wrong. */
static vm_paddr_t
random_page(void)
{
	vm_paddr_t pa = fresh_page();
	uint64_t *entry = (uint64_t *)PHYS_TO_DMAP(pa);
	uint64_t v = pa;

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*entry); i++) {
		v = v * UINT64_C(6364136223846793005) + 1442695040888963407;
		entry[i] = v | V_RW;
	}
	return (pa);
}

/* 0: no such kind. */
static uint64_t
bad_entry(const char *kind, const uint64_t *entry)
{
	if (strcmp(kind, "reserved") == 0)
		return (UINT64_C(0x000f000000000000) | V_RW);
	if (strcmp(kind, "beyond") == 0)
		return (UINT64_C(0x0000007fff000000) | V_RW);
	if (strcmp(kind, "device") == 0)
		return (UINT64_C(0x00000000fed00000) | V_RW);
	if (strcmp(kind, "itself") == 0)
		return (trunc_page(DMAP_TO_PHYS((vm_offset_t)entry)) | V_RW);
	if (strcmp(kind, "random") == 0)
		return (random_page() | V_RW);
	return (0);
}

static bool
corrupt(unsigned int level, const char *kind)
{
	uint64_t *entry, bad;

	if (level == 2 && pmap_growkernel(spare[level] + A_TABLE) != 0)
		return (false);
	if (level == 3)
		copy_root();
	entry = pmap_entry(spare[level], level);
	if ((bad = bad_entry(kind, entry)) == 0)
		return (false);
	*entry = bad;
	printf("corrupt: level %u for %#jx is %#jx\n", level,
	    (uintmax_t)spare[level], (uintmax_t)bad);
	return (true);
}

static void
sh_corrupt(const char *args)
{
	const char *kind;
	uint64_t level = strtouq(args, &kind);

	while (*kind == ' ')
		kind++;
	if (kind == args || level >= nitems(spare) ||
	    !corrupt((unsigned int)level, kind))
		printf(
		    "corrupt 0|1|2|3 reserved|beyond|device|itself|random\n");
}
COMMAND(corrupt, "corrupt", CMD_SHELL, sh_corrupt,
    "LEVEL KIND: spoil a page-table entry");
