/*
 * Where the kernel's page tables start, in a dump of all of memory; and in a
 * minidump, whose page-table section may lack some of the kernel's addresses:
 * those of i386's trampolines are above all that it spans.
 *
 * The kernel's symbols give the *virtual* address of a variable that holds the
 * root's physical address (amd64, i386), or of the root table itself (arm64).
 * To read it, one must know where in memory the kernel was loaded, which the
 * dump does not say: boot loaders put it at 2 MB on older machines and at any
 * multiple of 2 MB on newer ones.
 *
 * So load addresses are tried, and each is put to a test that chance does not
 * pass: translated through the root that it leads to, the symbol's virtual
 * address must give the physical address at which the symbol was read.
 *
 * If no root passes, the entry for the kernel itself may be what broke.  Then
 * the direct map decides, where its address is known: it maps the root, too.
 *
 * In the core of a virtual machine, all this is spared: the CPUs' control
 * registers are there.  A CPU in user mode may have tables in which the kernel
 * is missing, so they are tried as well.
 */
#include "libkvm/kvm_int.h"

#define LOAD_ALIGN UINT64_C(0x200000)
#define MAX_TRIES  65536 /* in 128 GB; loaders stay in the first four */

/* A way to the root: through which symbol, and how. */
struct route {
	enum dump_arch arch;
	const struct paging *paging;
	const char *symbol;
	unsigned int pointer_len; /* of the root's address at the symbol; 0:
				     the root is at the symbol */
	uint64_t kernbase;	  /* if the kernel has no such symbol */
	uint64_t load_va_off;	  /* from kernbase to what LOAD_ALIGN holds */
	uint64_t dmapbase;	  /* 0: not known */
	uint64_t cr4;		  /* the paging bits of CR4, if this is it */
};

/* Bits of CR4 that choose the form of page tables: Intel SDM vol. 3, 4.1.1. */
#define CR4_PAE	   UINT64_C(0x20)
#define CR4_LA57   UINT64_C(0x1000)
#define CR4_PAGING (CR4_PAE | CR4_LA57)

/*
 * The address in CR3 has 52 bits.  The lowest are flags or, with CR4.PCIDE, the
 * number of an address space; a PAE root needs but 32 bytes.
 */
#define CR3_ADDR     UINT64_C(0x000ffffffffff000)
#define CR3_ADDR_PAE UINT64_C(0x00000000ffffffe0)

/*
 * Sources: FreeBSD's sys/amd64/amd64/pmap.c (KPML4phys), sys/amd64/include/
 * vmparam.h (DMAP_MIN_ADDRESS), sys/i386/i386/pmap.c (IdlePDPT, IdlePTD, since
 * FreeBSD 13 IdlePTD_nopae), sys/arm64/arm64/locore.S (pagetable_l0_ttbr1).  An
 * i386 kernel has both symbols and runs in either mode.
 */
static const struct route routes[] = {
	{ ARCH_AMD64, &paging_amd64, "KPML4phys", 8,
	    UINT64_C(0xffffffff80000000), LOAD_ALIGN,
	    UINT64_C(0xfffff80000000000), CR4_PAE },
	{ ARCH_I386, &paging_i386_pae, "IdlePDPT", 4, 0xc0000000, 0, 0,
	    CR4_PAE },
	{ ARCH_I386, &paging_i386, "IdlePTD", 4, 0xc0000000, 0, 0, 0 },
	{ ARCH_I386, &paging_i386, "IdlePTD_nopae", 4, 0xc0000000, 0, 0, 0 },
	{ ARCH_ARM64, &paging_arm64_4k, "pagetable_l0_ttbr1", 0,
	    UINT64_C(0xffff000000000000), 0, 0, 0 },
	{ ARCH_ARM64, &paging_arm64_16k, "pagetable_l0_ttbr1", 0,
	    UINT64_C(0xffff000000000000), 0, 0, 0 },
};

static void
set_root(kvm_t *kd, const struct route *route, kpaddr_t pa)
{
	kd->kd_root = (struct vm_root){
		.vr_paging = route->paging,
		.vr_level = route->paging->pg_nlevels - 1,
		.vr_pa = pa,
	};
	kd->kd_core.kc_page_size = UINT32_C(1)
	    << route->paging->pg_level[0].shift;
}

/* Take the root that the symbol leads to, if it is at pa. */
static bool
read_root(kvm_t *kd, const struct route *route, kpaddr_t pa)
{
	uint64_t root = pa;

	if (route->pointer_len != 0 &&
	    kvm_read_phys_uint(kd, pa, route->pointer_len, &root) != 0)
		return (false);
	if (root % 32 != 0) /* a PAE root; others are page aligned */
		return (false);
	set_root(kd, route, root);
	return (true);
}

static bool
is_mapped_to(kvm_t *kd, kvaddr_t va, kpaddr_t pa)
{
	struct phys_run run;

	return (translate(kd, va, 1, &run) == 0 && run.pa == pa);
}

/* Is the symbol at va really at physical address pa? */
static bool
try_symbol_at(kvm_t *kd, const struct route *route, kvaddr_t va, kpaddr_t pa)
{
	return (read_root(kd, route, pa) && is_mapped_to(kd, va, pa));
}

/* How much of a segment is in the file, whatever its header says. */
static uint64_t
bytes_in_file(const kvm_t *kd, const struct elf_segment *seg)
{
	uint64_t file_len = kd->kd_image->im_len;
	uint64_t len = seg->es_end - seg->es_start;
	uint64_t left = seg->es_off < file_len ? file_len - seg->es_off : 0;

	return (len < left ? len : left);
}

/* Try the places in memory at which the kernel can have been loaded. */
static bool
try_load_addresses(kvm_t *kd, const struct route *route, kvaddr_t va,
    uint64_t sym_off)
{
	unsigned int ntries = 0;

	for (size_t i = 0; i < kd->kd_nsegs; i++) {
		const struct elf_segment *seg = &kd->kd_segs[i];
		kpaddr_t end = seg->es_start + bytes_in_file(kd, seg);
		kpaddr_t pa =
		    (seg->es_start + LOAD_ALIGN - 1) & ~(LOAD_ALIGN - 1);

		for (; pa >= seg->es_start && pa < end; pa += LOAD_ALIGN) {
			if (++ntries > MAX_TRIES)
				return (false);
			if (try_symbol_at(kd, route, va, pa + sym_off))
				return (true);
		}
	}
	return (false);
}

/* Where the symbol at va is, by the dump's word or else by custom. */
static kpaddr_t
likely_pa(const kvm_t *kd, kvaddr_t kernbase, kvaddr_t va)
{
	if (kd->kd_load_delta_va != 0)
		return (va - kd->kd_load_delta_va + kd->kd_load_delta_pa);
	return (va - kernbase);
}

static bool
find_symbol(kvm_t *kd, const struct route *route, kvaddr_t *kernbase,
    kvaddr_t *va)
{
	if (!kvm_lookup(kd, "kernbase", kernbase))
		*kernbase = route->kernbase;
	return (kvm_lookup(kd, route->symbol, va));
}

/*
 * The likely places first: where an auxiliary header says, physical memory
 * mapped from kernbase on, and mapped one to one (i386 with split addresses).
 */
static bool
try_route(kvm_t *kd, const struct route *route)
{
	kvaddr_t kernbase, va;

	return (find_symbol(kd, route, &kernbase, &va) &&
	    (try_symbol_at(kd, route, va, likely_pa(kd, kernbase, va)) ||
		try_symbol_at(kd, route, va, va - kernbase) ||
		try_symbol_at(kd, route, va, va) ||
		try_load_addresses(kd, route, va,
		    va - kernbase - route->load_va_off)));
}

/* The root at the likeliest place, if the direct map maps it. */
static bool
try_direct_map(kvm_t *kd, const struct route *route)
{
	kvaddr_t kernbase, va;

	return (route->dmapbase != 0 &&
	    find_symbol(kd, route, &kernbase, &va) &&
	    read_root(kd, route, likely_pa(kd, kernbase, va)) &&
	    is_mapped_to(kd, route->dmapbase + kd->kd_root.vr_pa,
		kd->kd_root.vr_pa));
}

static kpaddr_t
cr3_root(const struct route *route, uint64_t cr3)
{
	return (cr3 &
	    (route->paging == &paging_i386_pae ? CR3_ADDR_PAE : CR3_ADDR));
}

/*
 * The root that a CPU uses, if it maps what leads to the root to memory that is
 * in the dump.
 */
static bool
try_vcpus(kvm_t *kd, const struct route *route)
{
	kvaddr_t kernbase, va;
	struct phys_run run;
	struct file_run file;

	if (!find_symbol(kd, route, &kernbase, &va))
		return (false);
	for (size_t i = 0; i < kd->kd_core.kc_nvcpus; i++) {
		const struct kvm_vcpu *vc = &kd->kd_vcpus[i];

		if (!vc->vc_qemu ||
		    (vc->vc_state.qc_cr4 & CR4_PAGING) != route->cr4)
			continue;
		set_root(kd, route, cr3_root(route, vc->vc_state.qc_cr3));
		if (translate(kd, va, 1, &run) == 0 &&
		    kd->kd_ops->co_locate(kd, run.pa, 1, &file) == 0)
			return (true);
	}
	return (false);
}

int
root_find(kvm_t *kd)
{
	bool known = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (routes[i].arch != kd->kd_core.kc_arch)
			continue;
		known = true;
		if (try_vcpus(kd, &routes[i]) || try_route(kd, &routes[i]) ||
		    try_direct_map(kd, &routes[i])) {
			kd->kd_err[0] = '\0';
			return (0);
		}
	}
	if (!known)
		return (kvm_fail(kd, "%s: full dumps of %s are not supported",
		    kd->kd_core_path, kd->kd_core.kc_arch_name));
	return (kvm_fail(kd,
	    "%s: the kernel's page tables cannot be found: is %s the kernel that crashed?",
	    kd->kd_core_path, exec_path(kd->kd_exec)));
}

/* ---- minidumps ---- */

/*
 * Take the root that the symbol leads to, if its tables say of the symbol what
 * the section says.
 */
static bool
try_own(kvm_t *kd, const struct route *route)
{
	kvaddr_t kernbase, va;
	struct phys_run sym, again;
	uint64_t pa;

	if (!find_symbol(kd, route, &kernbase, &va) ||
	    translate(kd, va, 1, &sym) != 0)
		return (false);
	pa = sym.pa;
	if (route->pointer_len != 0 &&
	    kvm_read_phys_uint(kd, sym.pa, route->pointer_len, &pa) != 0)
		return (false);
	kd->kd_own = (struct vm_root){
		.vr_paging = route->paging,
		.vr_level = route->paging->pg_nlevels - 1,
		.vr_pa = pa,
	};
	return (pa % 32 == 0 &&
	    translate_by(kd, &kd->kd_own, va, 1, &again) == 0 &&
	    again.pa == sym.pa);
}

static bool
find_own(kvm_t *kd)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (routes[i].arch == kd->kd_core.kc_arch &&
		    routes[i].paging == kd->kd_root.vr_paging &&
		    try_own(kd, &routes[i]))
			return (true);
	}
	return (false);
}

const struct vm_root *
root_own(kvm_t *kd)
{
	/* The search may come here itself: then there are none. */
	if (!kd->kd_own_sought) {
		kd->kd_own_sought = true;
		kd->kd_own_found = find_own(kd);
	}
	return (kd->kd_own_found ? &kd->kd_own : NULL);
}
