/*
 * What the loader says: memory, command line, where ACPI's tables are.
 */
#ifndef KERNEL_AMD64_PVH_H
#define KERNEL_AMD64_PVH_H

#include "kernel/sys/param.h"
#include "kernel/vm/vm_param.h"

/* A range of memory, half-open. */
struct physrange {
	vm_paddr_t phr_start;
	vm_paddr_t phr_end;
};

struct bootinfo {
	char boot_cmdline[2048];
	vm_paddr_t boot_rsdp_pa; /* 0: not said */
	size_t boot_nram;
	struct physrange boot_ram[VM_PHYSSEG_MAX]; /* ascending, page aligned */
};

/* Read the start info at pa, which the boot page tables map. */
void pvh_parse(vm_paddr_t pa, struct bootinfo *bi);

#endif
