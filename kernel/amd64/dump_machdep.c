/*
 * How the dumper reads and walks this machine's memory.
 */
#include "dumper/dumper.h"
#include "kernel/amd64/bootmem.h"
#include "kernel/amd64/cpufunc.h"
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/dump_machine.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

static const void *
machine_page(void *arg, uint64_t pa)
{
	(void)arg;
	return ((const void *)PHYS_TO_DMAP(pa));
}

/* Of what is bulk, only the page array describes pages that a dump may hold. */
static bool
machine_describes(void *arg, uint64_t pa, unsigned int i,
    struct dump_range *out)
{
	(void)arg;
	return (vm_page_array_describes(pa, i, &out->r_start, &out->r_end));
}

void
cpu_describe_memory(struct dump_machine *dm)
{
	dm->dm_page = machine_page;
	dm->dm_describes = machine_describes;
	dm->dm_arch = ARCH_AMD64;
	dm->dm_root_pa = KPML4phys;
	dm->dm_phys_bits = cpu_phys_bits();
	dm->dm_kva_start = KERNBASE;
	dm->dm_kva_len = kernel_vm_end - KERNBASE;
	dm->dm_dmap_start = dmapbase;
	dm->dm_dmap_end = DMAP_MAX_ADDRESS;
	dm->dm_load_va = KERNBASE + KERNLOAD;
	dm->dm_load_pa = kernphys;
	dm->dm_devices = pmap_device_ranges(&dm->dm_ndevices);
}
