/*
 * The table of what libkvm knows of each machine: see arch.h.
 */
#include "libkvm/arch.h"

#include <stddef.h>

/*
 * The address in CR3 has 52 bits.  The lowest are flags or, with CR4.PCIDE, the
 * number of an address space; a PAE root needs but 32 bytes.
 */
#define CR3_ADDR     UINT64_C(0x000ffffffffff000)
#define CR3_ADDR_PAE UINT64_C(0x00000000ffffffe0)

#define NROUTES(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Sources: FreeBSD's sys/amd64/amd64/pmap.c (KPML4phys), sys/amd64/include/
 * vmparam.h (DMAP_MIN_ADDRESS), sys/i386/i386/pmap.c (IdlePDPT, IdlePTD, since
 * FreeBSD 13 IdlePTD_nopae), sys/arm64/arm64/locore.S (pagetable_l0_ttbr1).
 */
static const struct root_route amd64_routes[] = {
	{ .rte_paging = &paging_amd64,
	    .rte_symbol = "KPML4phys",
	    .rte_pointer_len = 8,
	    .rte_kernbase = UINT64_C(0xffffffff80000000),
	    .rte_load_va_off = LOAD_ALIGN,
	    .rte_dmapbase = UINT64_C(0xfffff80000000000),
	    .rte_cr4 = CR4_PAE,
	    .rte_cr3_addr = CR3_ADDR },
};

static const struct root_route arm64_routes[] = {
	{ .rte_paging = &paging_arm64_4k,
	    .rte_symbol = "pagetable_l0_ttbr1",
	    .rte_kernbase = UINT64_C(0xffff000000000000) },
	{ .rte_paging = &paging_arm64_16k,
	    .rte_symbol = "pagetable_l0_ttbr1",
	    .rte_kernbase = UINT64_C(0xffff000000000000) },
};

/* A kernel has symbols of both forms and runs in either. */
static const struct root_route i386_routes[] = {
	{ .rte_paging = &paging_i386_pae,
	    .rte_symbol = "IdlePDPT",
	    .rte_pointer_len = 4,
	    .rte_kernbase = 0xc0000000,
	    .rte_cr4 = CR4_PAE,
	    .rte_cr3_addr = CR3_ADDR_PAE },
	{ .rte_paging = &paging_i386,
	    .rte_symbol = "IdlePTD",
	    .rte_pointer_len = 4,
	    .rte_kernbase = 0xc0000000,
	    .rte_cr3_addr = CR3_ADDR },
	{ .rte_paging = &paging_i386,
	    .rte_symbol = "IdlePTD_nopae",
	    .rte_pointer_len = 4,
	    .rte_kernbase = 0xc0000000,
	    .rte_cr3_addr = CR3_ADDR },
};

static const struct kvm_arch arches[ARCH_COUNT] = {
	/* sys/amd64/include/counter.h: zpcpu pointers. */
	[ARCH_AMD64] = { .kar_routes = amd64_routes,
	    .kar_nroutes = NROUTES(amd64_routes),
	    .kar_zpcpu_is_offset = true },
	[ARCH_ARM] = { .kar_nroutes = 0 },
	[ARCH_ARM64] = { .kar_routes = arm64_routes,
	    .kar_nroutes = NROUTES(arm64_routes) },
	[ARCH_I386] = { .kar_routes = i386_routes,
	    .kar_nroutes = NROUTES(i386_routes) },
	[ARCH_RISCV] = { .kar_nroutes = 0 },
};

#if defined(__x86_64__)
#define HOST_ARCH ARCH_AMD64
#elif defined(__arm__)
#define HOST_ARCH ARCH_ARM
#elif defined(__aarch64__)
#define HOST_ARCH ARCH_ARM64
#elif defined(__i386__)
#define HOST_ARCH ARCH_I386
#elif defined(__riscv)
#define HOST_ARCH ARCH_RISCV
#else
#define HOST_ARCH ARCH_COUNT
#endif

const struct kvm_arch *
kvm_arch(enum dump_arch arch)
{
	return (&arches[arch]);
}

bool
kvm_arch_is_host(enum dump_arch arch)
{
	return (arch == HOST_ARCH);
}
