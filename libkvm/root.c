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
#include "libkvm/arch.h"
#include "libkvm/core_elf.h"

#define MAX_TRIES 65536 /* in 128 GB; loaders stay in the first four */

static void
set_root(kvm_t *kd, const struct root_route *route, kpaddr_t pa)
{
	kd->kd_root = (struct vm_root){
		.vr_paging = route->rte_paging,
		.vr_level = route->rte_paging->pg_nlevels - 1,
		.vr_pa = pa,
	};
	kd->kd_core.kc_page_size = UINT32_C(1)
	    << route->rte_paging->pg_level[0].shift;
}

/* Take the root that the symbol leads to, if it is at pa. */
static bool
read_root(kvm_t *kd, const struct root_route *route, kpaddr_t pa)
{
	uint64_t root = pa;

	if (route->rte_pointer_len != 0 &&
	    kvm_read_phys_uint(kd, pa, route->rte_pointer_len, &root) != 0)
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
try_symbol_at(kvm_t *kd, const struct root_route *route, kvaddr_t va,
    kpaddr_t pa)
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
try_load_addresses(kvm_t *kd, const struct root_route *route, kvaddr_t va,
    uint64_t sym_off)
{
	const struct elf_state *state = elf_state(kd);
	unsigned int ntries = 0;

	for (size_t i = 0; i < state->els_nsegs; i++) {
		const struct elf_segment *seg = &state->els_segs[i];
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
	const struct elf_state *state = elf_state(kd);

	if (state->els_delta_va != 0)
		return (va - state->els_delta_va + state->els_delta_pa);
	return (va - kernbase);
}

static bool
find_symbol(kvm_t *kd, const struct root_route *route, kvaddr_t *kernbase,
    kvaddr_t *va)
{
	if (!kvm_lookup(kd, "kernbase", kernbase))
		*kernbase = route->rte_kernbase;
	return (kvm_lookup(kd, route->rte_symbol, va));
}

/*
 * The likely places first: where an auxiliary header says, physical memory
 * mapped from kernbase on, and mapped one to one (i386 with split addresses).
 */
static bool
try_route(kvm_t *kd, const struct root_route *route)
{
	kvaddr_t kernbase, va;

	return (find_symbol(kd, route, &kernbase, &va) &&
	    (try_symbol_at(kd, route, va, likely_pa(kd, kernbase, va)) ||
		try_symbol_at(kd, route, va, va - kernbase) ||
		try_symbol_at(kd, route, va, va) ||
		try_load_addresses(kd, route, va,
		    va - kernbase - route->rte_load_va_off)));
}

/* The root at the likeliest place, if the direct map maps it. */
static bool
try_direct_map(kvm_t *kd, const struct root_route *route)
{
	kvaddr_t kernbase, va;

	return (route->rte_dmapbase != 0 &&
	    find_symbol(kd, route, &kernbase, &va) &&
	    read_root(kd, route, likely_pa(kd, kernbase, va)) &&
	    is_mapped_to(kd, route->rte_dmapbase + kd->kd_root.vr_pa,
		kd->kd_root.vr_pa));
}

/*
 * The root that a CPU uses, if it maps what leads to the root to memory that is
 * in the dump.
 */
static bool
try_vcpus(kvm_t *kd, const struct root_route *route)
{
	kvaddr_t kernbase, va;
	struct phys_run run;
	struct file_run file;

	if (!find_symbol(kd, route, &kernbase, &va))
		return (false);
	for (size_t i = 0; i < kd->kd_core.kc_nvcpus; i++) {
		const struct kvm_vcpu *vc = &kd->kd_core.kc_vcpus[i];

		if (!vc->vc_qemu ||
		    (vc->vc_state.qc_cr4 & CR4_PAGING) != route->rte_cr4)
			continue;
		set_root(kd, route, vc->vc_state.qc_cr3 & route->rte_cr3_addr);
		if (translate(kd, va, 1, &run) == 0 &&
		    kd->kd_ops->co_locate(kd, run.pa, 1, &file) == 0)
			return (true);
	}
	return (false);
}

int
root_find(kvm_t *kd)
{
	const struct kvm_arch *ka = kvm_arch(kd->kd_core.kc_arch);

	if (ka->kar_nroutes == 0)
		return (kvm_fail(kd, "%s: full dumps of %s are not supported",
		    kd->kd_core_path, kd->kd_core.kc_arch_name));
	for (size_t i = 0; i < ka->kar_nroutes; i++) {
		const struct root_route *route = &ka->kar_routes[i];

		if (try_vcpus(kd, route) || try_route(kd, route) ||
		    try_direct_map(kd, route)) {
			kd->kd_err[0] = '\0';
			return (0);
		}
	}
	if (kvm_load_symbols(kd) != 0)
		return (-1);
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
try_own(kvm_t *kd, const struct root_route *route)
{
	kvaddr_t kernbase, va;
	struct phys_run sym, again;
	uint64_t pa;

	if (!find_symbol(kd, route, &kernbase, &va) ||
	    translate(kd, va, 1, &sym) != 0)
		return (false);
	pa = sym.pa;
	if (route->rte_pointer_len != 0 &&
	    kvm_read_phys_uint(kd, sym.pa, route->rte_pointer_len, &pa) != 0)
		return (false);
	kd->kd_own = (struct vm_root){
		.vr_paging = route->rte_paging,
		.vr_level = route->rte_paging->pg_nlevels - 1,
		.vr_pa = pa,
	};
	return (pa % 32 == 0 &&
	    translate_by(kd, &kd->kd_own, va, 1, &again) == 0 &&
	    again.pa == sym.pa);
}

static bool
find_own(kvm_t *kd)
{
	const struct kvm_arch *ka = kvm_arch(kd->kd_core.kc_arch);

	for (size_t i = 0; i < ka->kar_nroutes; i++) {
		const struct root_route *route = &ka->kar_routes[i];

		if (route->rte_paging == kd->kd_root.vr_paging &&
		    try_own(kd, route))
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
