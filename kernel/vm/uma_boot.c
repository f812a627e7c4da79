/*
 * UMA before there are pages to be had: slabs out of a piece of memory that
 * vm_page_startup set aside.
 *
 * From the front come the zones and kegs that are made by hand, from the end
 * one-page slabs.  What uma_startup2 finds unused goes to the free lists; what
 * was used stays with its keg.
 *
 * Lock: none.  Only one CPU runs until uma_startup2() has returned.
 */
#include "kernel/vm/uma_boot.h"

#include "kernel/sys/dumpset.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/uma_int.h"
#include "kernel/vm/uma_machdep.h"
#include "kernel/vm/vm_page.h"

unsigned int uma_boot_pages = 48;

static uint8_t *boot_mem;
static uint8_t *boot_end;
static bool booted;

vm_size_t
uma_boot_size(void)
{
	return (ptoa(uma_boot_pages));
}

static void
boot_need(vm_size_t size)
{
	if ((vm_size_t)(boot_end - boot_mem) < size)
		panic("UMA: out of boot memory: raise vm.boot_pages from %u",
		    uma_boot_pages);
}

void *
uma_boot_take(vm_size_t size)
{
	vm_size_t len =
	    (size + UMA_CACHE_LINE - 1) & ~(vm_size_t)(UMA_CACHE_LINE - 1);
	void *mem = boot_mem;

	boot_need(len);
	boot_mem += len;
	return (mem);
}

void *
uma_startup_alloc(uma_zone_t zone, vm_size_t size, uint8_t *pflag, int wait)
{
	if (booted)
		return (uma_small_alloc(zone, size, pflag, wait));
	boot_need(size);
	boot_end -= size;
	*pflag = UMA_SLAB_BOOT;
	return (boot_end);
}

void
uma_startup(void *mem, vm_size_t size)
{
	KASSERT(mp_maxid >= 0 && mp_maxid < MAXCPU,
	    ("%s: mp_maxid %d", __func__, mp_maxid));
	boot_mem = mem;
	boot_end = boot_mem + size;
	booted = false;
	uma_startup_zones();
}

void
uma_startup2(void)
{
	vm_offset_t first = round_page((vm_offset_t)boot_mem);

	booted = true;
	for (vm_offset_t va = first; va < (vm_offset_t)boot_end;
	     va += PAGE_SIZE) {
		vm_page_t m = PHYS_TO_VM_PAGE(DMAP_TO_PHYS(va));

		dump_drop_page(VM_PAGE_TO_PHYS(m));
		if (vm_page_unwire_noq(m))
			vm_page_free(m);
	}
	boot_end = boot_mem;
}
