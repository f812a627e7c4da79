/* User halves of address spaces, one call after the other, on four CPUs. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/errno.h"

#define RO VM_PROT_READ
#define RW (VM_PROT_READ | VM_PROT_WRITE)
#define RX (VM_PROT_READ | VM_PROT_EXECUTE)

#define UREAD  (MMU_USER | MMU_READ)
#define UWRITE (MMU_USER | MMU_WRITE)
#define UEXEC  (MMU_USER | MMU_EXECUTE)

#define VA    UINT64_C(0x400000)
#define NCPUS 4

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x2100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = NCPUS,
	.pinned = true,
};

/* Two address spaces: CPUs 0 and 1 use the first, 2 the second, 3 none. */
static struct pmap one, two;

static void
use(unsigned int cpu, pmap_t pmap)
{
	sim_pin(cpu);
	pmap_activate(pmap);
	sim_pin(0);
}

static void
power_on(void)
{
	sim_boot(&config);
	assert_int_equal(pmap_pinit(&one), 0);
	assert_int_equal(pmap_pinit(&two), 0);
	use(0, &one);
	use(1, &one);
	use(2, &two);
	(void)mmu_count();
}

static vm_page_t
enter(pmap_t pmap, vm_offset_t va, vm_prot_t prot)
{
	vm_page_t m = new_page();

	assert_int_equal(pmap_enter(pmap, va, m, prot, 0), 0);
	return (m);
}

/* A CPU finds m at va. */
static void
finds(unsigned int cpu, vm_offset_t va, unsigned int access, vm_page_t m)
{
	assert_ptr_equal(mmu_access(cpu, va, access), page_bytes(m));
}

static void
faults(unsigned int cpu, vm_offset_t va, unsigned int access)
{
	assert_null(mmu_access(cpu, va, access));
}

static void
test_enter(void)
{
	vm_page_t m = enter(&one, VA, RW);

	finds(0, VA, UWRITE, m);
	finds(1, VA, UREAD, m);
	faults(2, VA, UREAD);
	faults(0, VA + PAGE_SIZE, UREAD);
	assert_int_equal(pmap_extract(&one, VA + 9), VM_PAGE_TO_PHYS(m) + 9);
	assert_int_equal(pmap_extract(&two, VA), 0);
	assert_int_equal(pmap_resident_count(&one), 1);
	assert_true(pmap_page_is_mapped(m));
	assert_int_equal(mmu_count().mc_orders, 0);
}

static void
test_rights(void)
{
	static const struct {
		vm_prot_t prot;
		bool writes, executes;
	} rows[] = {
		{ RO, false, false },
		{ RW, true, false },
		{ RX, false, true },
		{ VM_PROT_ALL, true, true },
	};

	for (size_t i = 0; i < NROWS(rows); i++) {
		(void)enter(&one, VA, rows[i].prot);
		assert_non_null(mmu_access(0, VA, UREAD));
		assert_int_equal(mmu_access(0, VA, UWRITE) != NULL,
		    rows[i].writes);
		assert_int_equal(mmu_access(0, VA, UEXEC) != NULL,
		    rows[i].executes);
	}
}

static void
test_kernel_half(void)
{
	vm_page_t m = new_page();

	assert_int_equal(pmap_growkernel(VM_MIN_KVA + NBPDR), 0);
	pmap_kenter(VM_MIN_KVA, VM_PAGE_TO_PHYS(m));
	for (unsigned int cpu = 0; cpu < NCPUS; cpu++) {
		finds(cpu, VM_MIN_KVA, MMU_READ, m);
		faults(cpu, VM_MIN_KVA, UREAD);
	}
}

static void
test_replace(void)
{
	vm_page_t old = enter(&one, VA, RW);
	vm_page_t new;

	finds(1, VA, UWRITE, old);
	new = enter(&one, VA, RO);
	finds(1, VA, UREAD, new);
	assert_false(pmap_page_is_mapped(old));
	assert_true(pmap_is_modified(old));
	assert_false(pmap_is_modified(new));
	assert_int_equal(pmap_resident_count(&one), 1);
	free_page(old);
}

static void
test_rights_grow_silently(void)
{
	vm_page_t m = enter(&one, VA, RO);

	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		finds(cpu, VA, UREAD, m);
		faults(cpu, VA, UWRITE);
	}
	(void)mmu_count();
	assert_int_equal(pmap_enter(&one, VA, m, VM_PROT_ALL, 0), 0);
	assert_int_equal(mmu_count().mc_orders, 0);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		finds(cpu, VA, UWRITE, m);
		finds(cpu, VA, UEXEC, m);
	}
}

static void
test_rights_shrink(void)
{
	vm_page_t m = enter(&one, VA, VM_PROT_ALL);

	finds(1, VA, UWRITE, m);
	assert_int_equal(pmap_enter(&one, VA, m, RX, 0), 0);
	faults(1, VA, UWRITE);
	finds(1, VA, UEXEC, m);
	assert_int_equal(pmap_enter(&one, VA, m, RO, 0), 0);
	faults(1, VA, UEXEC);
	finds(1, VA, UREAD, m);
	assert_true(pmap_is_modified(m));
}

static void
test_remove_range(void)
{
	vm_page_t m[4];

	for (size_t i = 0; i < 4; i++) {
		m[i] = enter(&one, VA + ptoa(i), RW);
		finds(1, VA + ptoa(i), UWRITE, m[i]);
	}
	pmap_remove(&one, VA + PAGE_SIZE, VA + 3 * PAGE_SIZE);
	finds(1, VA, UREAD, m[0]);
	faults(1, VA + PAGE_SIZE, UREAD);
	faults(1, VA + 2 * PAGE_SIZE, UREAD);
	finds(1, VA + 3 * PAGE_SIZE, UREAD, m[3]);
	assert_int_equal(pmap_resident_count(&one), 2);
	free_page(m[1]);
	free_page(m[2]);
}

static void
test_orders_go_where_it_is_used(void)
{
	struct mmu_counts counts;

	(void)enter(&one, VA, RW);
	(void)enter(&two, VA, RW);
	pmap_remove(&two, VA, VA + PAGE_SIZE);
	counts = mmu_count();
	assert_int_equal(counts.mc_orders, 1);
	assert_int_equal(counts.mc_told, 1);
	use(2, kernel_pmap);
	(void)enter(&two, VA, RW);
	pmap_remove(&two, VA, VA + PAGE_SIZE);
	assert_int_equal(mmu_count().mc_orders, 0);
	pmap_remove(&one, VA, VA + PAGE_SIZE);
	assert_int_equal(mmu_count().mc_told, 1);
}

static void
test_one_order_for_many(void)
{
	struct mmu_counts counts;

	for (vm_pindex_t i = 0; i < TLB_NPAGES; i++)
		(void)enter(&one, VA + ptoa(i), RW);
	(void)mmu_count();
	pmap_remove(&one, 0, VM_MAXUSER_ADDRESS);
	counts = mmu_count();
	assert_int_equal(counts.mc_orders, 1);
	assert_int_equal(counts.mc_all, 0);
	assert_int_equal(pmap_resident_count(&one), 0);
}

static void
test_many_ranges_are_all(void)
{
	for (vm_pindex_t i = 0; i <= TLB_NRANGES; i++)
		(void)enter(&one, VA + 2 * ptoa(i), RW);
	(void)mmu_count();
	pmap_remove(&one, 0, VM_MAXUSER_ADDRESS);
	assert_int_equal(mmu_count().mc_all, 1);
}

static void
test_protect(void)
{
	vm_page_t m = enter(&one, VA, VM_PROT_ALL);

	finds(1, VA, UWRITE, m);
	pmap_protect(&one, VA, VA + PAGE_SIZE, RX);
	faults(1, VA, UWRITE);
	finds(1, VA, UEXEC, m);
	assert_true(pmap_is_modified(m));
	pmap_protect(&one, VA, VA + PAGE_SIZE, RW);
	faults(1, VA, UWRITE);
	faults(1, VA, UEXEC);
	(void)mmu_count();
	pmap_protect(&one, VA, VA + PAGE_SIZE, RO);
	assert_int_equal(mmu_count().mc_orders, 0);
	pmap_protect(&one, VA, VA + PAGE_SIZE, VM_PROT_NONE);
	faults(1, VA, UREAD);
	assert_false(pmap_page_is_mapped(m));
}

static void
test_wired(void)
{
	vm_page_t m = new_page();

	assert_int_equal(pmap_enter(&one, VA, m, RW, PMAP_ENTER_WIRED), 0);
	assert_int_equal(pmap_wired_count(&one), 1);
	pmap_unwire(&one, VA, VA + PAGE_SIZE);
	assert_int_equal(pmap_wired_count(&one), 0);
	assert_int_equal(pmap_enter(&one, VA, m, RW, PMAP_ENTER_WIRED), 0);
	assert_int_equal(pmap_enter(&one, VA, m, RW, PMAP_ENTER_WIRED), 0);
	assert_int_equal(pmap_wired_count(&one), 1);
	assert_int_equal(mmu_count().mc_orders, 0);
	pmap_remove(&one, VA, VA + PAGE_SIZE);
	assert_int_equal(pmap_wired_count(&one), 0);
	assert_int_equal(pmap_resident_count(&one), 0);
}

static void
test_remove_all(void)
{
	vm_page_t m = enter(&one, VA, RW);
	struct mmu_counts counts;

	assert_int_equal(pmap_enter(&one, 8 * VA, m, RO, 0), 0);
	assert_int_equal(pmap_enter(&two, VA, m, RW, 0), 0);
	finds(1, VA, UREAD, m);
	finds(2, VA, UWRITE, m);
	(void)mmu_count();
	pmap_remove_all(m);
	counts = mmu_count();
	assert_int_equal(counts.mc_orders, 1);
	assert_int_equal(counts.mc_told, 2);
	assert_false(pmap_page_is_mapped(m));
	faults(1, VA, UREAD);
	faults(2, VA, UREAD);
	assert_true(pmap_is_modified(m));
	assert_true(pmap_is_referenced(m));
	free_page(m);
}

static void
test_remove_write(void)
{
	vm_page_t m = enter(&one, VA, RW);

	assert_int_equal(pmap_enter(&two, VA, m, RW, 0), 0);
	finds(0, VA, UREAD, m);
	finds(2, VA, UWRITE, m);
	pmap_remove_write(m);
	faults(0, VA, UWRITE);
	faults(2, VA, UWRITE);
	finds(2, VA, UREAD, m);
	assert_true(pmap_is_modified(m));
}

static void
test_modified(void)
{
	vm_page_t m = enter(&one, VA, RW);

	finds(0, VA, UREAD, m);
	assert_false(pmap_is_modified(m));
	finds(1, VA, UWRITE, m);
	assert_true(pmap_is_modified(m));
	pmap_clear_modify(m);
	assert_false(pmap_is_modified(m));
	finds(1, VA, UREAD, m);
	assert_false(pmap_is_modified(m));
	finds(1, VA, UWRITE, m);
	assert_true(pmap_is_modified(m));
	pmap_remove_all(m);
	pmap_clear_modify(m);
	assert_false(pmap_is_modified(m));
}

static void
test_modified_by_the_fault(void)
{
	vm_page_t m = new_page();

	assert_int_equal(pmap_enter(&one, VA, m, RW, VM_PROT_WRITE), 0);
	assert_true(pmap_is_modified(m));
	pmap_clear_modify(m);
	assert_int_equal(pmap_enter(&one, VA, m, RO, VM_PROT_WRITE), 0);
	assert_false(pmap_is_modified(m));
}

static void
test_referenced(void)
{
	vm_page_t m = enter(&one, VA, RW);

	assert_int_equal(pmap_enter(&two, VA, m, RO, 0), 0);
	assert_false(pmap_is_referenced(m));
	finds(0, VA, UREAD, m);
	finds(2, VA, UREAD, m);
	assert_true(pmap_is_referenced(m));
	assert_int_equal(pmap_ts_referenced(m), 2);
	assert_int_equal(pmap_ts_referenced(m), 0);
	assert_false(pmap_is_referenced(m));
	finds(1, VA, UREAD, m);
	pmap_remove_all(m);
	assert_int_equal(pmap_ts_referenced(m), 1);
	assert_int_equal(pmap_ts_referenced(m), 0);
}

static void
test_copy(void)
{
	vm_page_t shared = enter(&one, VA, RW);
	vm_page_t mine = enter(&two, VA + PAGE_SIZE, RO);
	vm_page_t m = new_page();

	assert_int_equal(pmap_enter(&one, VA + 2 * PAGE_SIZE, m, RO,
			     PMAP_ENTER_WIRED | VM_PROT_READ),
	    0);
	(void)enter(&one, VA + PAGE_SIZE, RW);
	(void)enter(&one, VA + 3 * PAGE_SIZE, RW);
	finds(0, VA, UWRITE, shared);
	pmap_copy(&two, &one, VA, VA + 3 * PAGE_SIZE);
	assert_int_equal(mmu_count().mc_orders, 0);
	assert_int_equal(*pmap_find(&two, VA).mp_pte &
		(AMD64_PTE_A | AMD64_PTE_M),
	    0);
	finds(2, VA, UWRITE, shared);
	finds(2, VA + PAGE_SIZE, UREAD, mine);
	finds(2, VA + 2 * PAGE_SIZE, UREAD, m);
	faults(2, VA + 3 * PAGE_SIZE, UREAD);
	assert_int_equal(pmap_resident_count(&two), 3);
	assert_int_equal(pmap_wired_count(&two), 0);
}

static void
test_tables_are_bulk_and_freed(void)
{
	vm_pindex_t before = vm_free_count();
	vm_page_t m = enter(&one, VA, RW);
	vm_page_t table = pmap_table_of(pmap_find(&one, VA).mp_pte);

	assert_true(sim_bulk(VM_PAGE_TO_PHYS(table)));
	assert_true(sim_bulk(one.pm_root));
	assert_int_equal(one.pm_tables, 4);
	/* The page, three tables and a chunk. */
	assert_int_equal(vm_free_count(), before - 5);
	pmap_remove(&one, VA, VA + PAGE_SIZE);
	assert_int_equal(one.pm_tables, 1);
	assert_false(sim_bulk(VM_PAGE_TO_PHYS(table)));
	/* One chunk stays, for the next. */
	assert_int_equal(vm_free_count(), before - 2);
	free_page(m);
	use(0, kernel_pmap);
	use(1, kernel_pmap);
	pmap_release(&one);
	assert_int_equal(vm_free_count(), before + 1);
}

/* More mappings of one page than a chunk has entries. */
static void
test_chunks_come_and_go(void)
{
	vm_pindex_t before = vm_free_count();
	vm_page_t m = new_page();

	for (vm_pindex_t i = 0; i < 1000; i++)
		assert_int_equal(pmap_enter(&one, VA + ptoa(i), m, RW, 0), 0);
	assert_int_equal(pmap_resident_count(&one), 1000);
	pmap_remove(&one, VA + ptoa(300), VA + ptoa(999));
	assert_int_equal(pmap_resident_count(&one), 301);
	pmap_remove_all(m);
	free_page(m);
	assert_int_equal(vm_free_count(), before - 1);
}

/* Give back all pages but n. */
static vm_pindex_t
take_all_but(vm_page_t *list, vm_pindex_t n)
{
	vm_pindex_t taken = 0;
	vm_page_t m;

	while ((m = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WIRED)) !=
	    NULL)
		list[taken++] = m;
	while (n-- > 0)
		free_page(list[--taken]);
	return (taken);
}

static void
test_no_memory(void)
{
	static vm_page_t all[0x3000];
	vm_page_t m = new_page();
	/* Three tables and a chunk are wanted. */
	for (vm_pindex_t n = 0; n < 4; n++) {
		vm_pindex_t taken = take_all_but(all, n);
		vm_pindex_t before = vm_free_count();

		(void)mmu_count();
		assert_int_equal(pmap_enter(&one, VA, m, RW, 0), ENOMEM);
		assert_int_equal(vm_free_count(), before);
		/* Another CPU may have found a table that was there for a while. */
		assert_int_equal(mmu_count().mc_told, n > 0);
		assert_int_equal(one.pm_tables, 1);
		assert_false(pmap_page_is_mapped(m));
		while (taken > 0)
			free_page(all[--taken]);
	}
	assert_int_equal(pmap_enter(&one, VA, m, RW, 0), 0);
}

static void
test_no_memory_for_a_root(void)
{
	static vm_page_t all[0x3000];
	struct pmap three;

	(void)take_all_but(all, 0);
	assert_int_equal(pmap_pinit(&three), ENOMEM);
}

static void
test_no_memory_for_a_copy(void)
{
	static vm_page_t all[0x3000];

	(void)enter(&one, VA, RW);
	(void)take_all_but(all, 3);
	pmap_copy(&two, &one, VA, VA + PAGE_SIZE);
	assert_int_equal(pmap_resident_count(&two), 0);
	assert_int_equal(two.pm_tables, 1);
}

/* A CPU that switches away is told nothing, and comes back knowing nothing. */
static void
test_switch(void)
{
	vm_page_t m = enter(&one, VA, RW);
	vm_page_t new;

	finds(1, VA, UREAD, m);
	use(1, &two);
	faults(1, VA, UREAD);
	new = enter(&one, VA, RW);
	free_page(m);
	assert_int_equal(mmu_count().mc_told, 0);
	use(1, &one);
	finds(1, VA, UREAD, new);
	assert_int_equal(one.pm_active, 0x3);
	assert_int_equal(two.pm_active, 0x4);
}

/* ---- Refused ---- */

static void
release_loaded(void *arg)
{
	pmap_release(arg);
}

static void
release_full(void *arg)
{
	(void)enter(arg, VA, RW);
	pmap_release(arg);
}

static void
enter_outside(void *arg)
{
	(void)enter(arg, VM_MAXUSER_ADDRESS, RW);
}

static void
enter_no_read(void *arg)
{
	(void)enter(arg, VA, VM_PROT_WRITE);
}

static void
remove_odd(void *arg)
{
	pmap_remove(arg, VA, VA + 1);
}

static void
remove_backwards(void *arg)
{
	pmap_remove(arg, VA, VA - PAGE_SIZE);
}

static void
free_mapped(void *arg)
{
	free_page(enter(arg, VA, RW));
}

static const struct refusal {
	const char *name;
	void (*func)(void *arg);
	const char *said;
} refused[] = {
	{ "panics: released while a CPU uses it", release_loaded,
	    "pmap_release: CPUs 0x3 use it" },
	{ "panics: released with a mapping", release_full,
	    "pmap_release: 1 pages in 4 tables" },
	{ "panics: entered outside of the user half", enter_outside,
	    "pmap_enter: [0x800000000000, 0x800000001000)" },
	{ "panics: entered without the right to read", enter_no_read,
	    "pmap_enter: rights 0x2" },
	{ "panics: a part of a page removed", remove_odd,
	    "pmap_remove: [0x400000, 0x400001)" },
	{ "panics: a range that ends before it starts", remove_backwards,
	    "pmap_remove: [0x400000, 0x3ff000)" },
	{ "panics: a page freed that is mapped", free_mapped,
	    "vm_page_free: page" },
};

static void
test_refused(void **state)
{
	const struct refusal *row = *state;
	const char *said;

	power_on();
	said = sim_expect_panic(row->func, &one);
	assert_non_null(said);
	if (strncmp(said, row->said, strlen(row->said)) != 0)
		fail_msg("%s", said);
	sim_halt();
}

#define DEVICE UINT64_C(0xfe000000)

static void
enter_device(vm_offset_t va, vm_paddr_t pa, vm_prot_t prot, unsigned int flags)
{
	assert_int_equal(pmap_enter_device(&one, va, pa, prot, flags), 0);
	assert_int_equal(*pmap_find(&one, va).mp_pte & AMD64_PTE_NC,
	    AMD64_PTE_NC);
	assert_int_equal(pmap_extract(&one, va), pa);
}

/* It has no page, so nothing but its address leads to it. */
static void
test_device(void)
{
	vm_page_t m;

	enter_device(VA, DEVICE, RW, PMAP_ENTER_WIRED);
	assert_int_equal(pmap_wired_count(&one), 1);
	assert_ptr_equal(mmu_access(1, VA, UWRITE),
	    (void *)PHYS_TO_DMAP(DEVICE));
	enter_device(VA, DEVICE, RO, 0);
	assert_int_equal(pmap_wired_count(&one), 0);
	assert_null(mmu_access(1, VA, UWRITE));
	enter_device(VA, DEVICE + PAGE_SIZE, RW, 0);
	assert_ptr_equal(mmu_access(1, VA, UWRITE),
	    (void *)PHYS_TO_DMAP(DEVICE + PAGE_SIZE));
	pmap_protect(&one, VA, VA + PAGE_SIZE, RO);
	assert_null(mmu_access(1, VA, UWRITE));
	pmap_copy(&two, &one, VA, VA + PAGE_SIZE);
	assert_ptr_equal(mmu_access(2, VA, UREAD),
	    (void *)PHYS_TO_DMAP(DEVICE + PAGE_SIZE));
	m = enter(&one, VA, RW);
	assert_ptr_equal(mmu_access(1, VA, UWRITE), page_bytes(m));
	pmap_remove(&one, VA, VA + PAGE_SIZE);
	pmap_remove(&two, VA, VA + PAGE_SIZE);
	assert_null(mmu_access(2, VA, UREAD));
	assert_int_equal(pmap_resident_count(&one), 0);
	free_page(m);
}

static void
test_device_never_large(void)
{
	const vm_offset_t va = 4 * NBPDR;

	for (vm_pindex_t i = 0; i < NPTEPG; i++)
		enter_device(va + ptoa(i), DEVICE + ptoa(i), RW, 0);
	assert_int_equal(pmap_find(&one, va).mp_level, 0);
	assert_int_equal(pmap_resident_count(&one), NPTEPG);
	pmap_remove(&one, va, va + NBPDR);
	assert_int_equal(one.pm_tables, 1);
}

static const struct row {
	const char *name;
	void (*func)(void);
} rows[] = {
	{ "a page that is entered is seen", test_enter },
	{ "a device's memory is entered, uncached", test_device },
	{ "a device's memory is no large page", test_device_never_large },
	{ "rights are those that were given", test_rights },
	{ "the kernel's half is in all, and not for users", test_kernel_half },
	{ "another page replaces the first", test_replace },
	{ "more rights need no orders", test_rights_grow_silently },
	{ "fewer rights reach all CPUs", test_rights_shrink },
	{ "a range is removed, and no more", test_remove_range },
	{ "orders go where the pmap is loaded",
	    test_orders_go_where_it_is_used },
	{ "many pages are one order", test_one_order_for_many },
	{ "many ranges are an order to forget all", test_many_ranges_are_all },
	{ "protecting takes rights away, and gives none", test_protect },
	{ "wired mappings are counted", test_wired },
	{ "a page is removed from everywhere", test_remove_all },
	{ "a page is not written to any more", test_remove_write },
	{ "writes are noted", test_modified },
	{ "the write that faulted is noted", test_modified_by_the_fault },
	{ "accesses are noted and counted", test_referenced },
	{ "a copy has what was not there, not wired", test_copy },
	{ "page tables are bulk, and freed when empty",
	    test_tables_are_bulk_and_freed },
	{ "chunks of reverse maps come and go", test_chunks_come_and_go },
	{ "no memory for tables or reverse maps", test_no_memory },
	{ "no memory for a new address space", test_no_memory_for_a_root },
	{ "no memory for a copy", test_no_memory_for_a_copy },
	{ "a CPU that switches away is told nothing", test_switch },
};

static void
test_row(void **state)
{
	const struct row *row = *state;

	power_on();
	row->func();
	sim_halt();
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + NROWS(refused)];
	size_t ntests = 0;

	ADD_ROWS(tests, ntests, rows, test_row);
	ADD_ROWS(tests, ntests, refused, test_refused);
	return (RUN_TESTS(tests, ntests));
}
