/*
 * The set of pages to dump: made at boot, of all memory that there is, with
 * what the kernel has taken of its memory so far.
 */
#include "kernel/kern/kern_dumppages.h"

#include "kernel/machine/bootmem.h"
#include "kernel/sys/kernel.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_phys.h"

struct dump_pages kernel_dump_pages;

static void
dump_pages_startup(const void *arg)
{
	static struct dump_range ranges[VM_PHYSSEG_MAX];
	size_t len, nranges = 0;
	void *mem;

	(void)arg;
	for (const vm_paddr_t *pair = dump_avail; pair[1] != 0; pair += 2)
		ranges[nranges++] = (struct dump_range){ pair[0], pair[1] };
	len = dump_pages_len(ranges, nranges);
	mem = boot_alloc(atop(round_page(len)));
	if (dump_pages_init(&kernel_dump_pages, ranges, nranges, mem, len) != 0)
		panic("%s: %zu ranges of memory", __func__, nranges);
	dump_pages_install(&kernel_dump_pages);

	/* The set itself, too; boot_alloc() registers what comes after it. */
	for (vm_paddr_t pa = boot_taken.phr_start; pa < boot_taken.phr_end;
	     pa += PAGE_SIZE)
		dump_add_page(pa);
}
SYSINIT(dump_pages, SI_SUB_VM, SI_ORDER_FIRST, dump_pages_startup, NULL);
