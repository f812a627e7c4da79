/* The kernel map, by the kernel's own page tables under the MMU of mmu.c. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/malloc.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_kern.h"

#define KVA VM_MIN_KVA

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x2100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 4,
	.pinned = true,
};

static int
boot(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	assert_int_equal(pmap_growkernel(KVA + NBPDR), 0);
	return (0);
}

static int
halt(void **state)
{
	(void)state;
	sim_halt();
	return (0);
}

static void
test_enter_is_seen(void **state)
{
	vm_page_t m = new_page();

	(void)state;
	assert_null(mmu_access(1, KVA, MMU_READ));
	pmap_kenter(KVA, VM_PAGE_TO_PHYS(m));
	assert_ptr_equal(mmu_access(1, KVA + 5, MMU_WRITE), page_bytes(m) + 5);
	assert_int_equal(pmap_kextract(KVA + 5), VM_PAGE_TO_PHYS(m) + 5);
	assert_int_equal(mmu_count().mc_orders, 0);
}

static void
test_rights(void **state)
{
	(void)state;
	pmap_kenter(KVA, VM_PAGE_TO_PHYS(new_page()));
	assert_null(mmu_access(0, KVA, MMU_EXECUTE));
	assert_null(mmu_access(0, KVA, MMU_READ | MMU_USER));
	assert_non_null(mmu_access(0, KVA, MMU_READ));
}

static void
test_remove_reaches_all_cpus(void **state)
{
	struct mmu_counts counts;

	(void)state;
	for (vm_offset_t i = 0; i < 3; i++) {
		pmap_kenter(KVA + ptoa(i), VM_PAGE_TO_PHYS(new_page()));
		for (unsigned int cpu = 0; cpu < 4; cpu++)
			assert_non_null(mmu_access(cpu, KVA + ptoa(i),
			    MMU_READ));
	}
	(void)mmu_count();
	unmap_kernel(KVA, 2);
	counts = mmu_count();
	assert_int_equal(counts.mc_orders, 1);
	assert_int_equal(counts.mc_told, 3);
	assert_int_equal(counts.mc_all, 0);
	for (unsigned int cpu = 0; cpu < 4; cpu++) {
		assert_null(mmu_access(cpu, KVA, MMU_READ));
		assert_null(mmu_access(cpu, KVA + PAGE_SIZE, MMU_READ));
		assert_true(mmu_knows(cpu, KVA + 2 * PAGE_SIZE));
	}
}

static void
test_many_pages_are_one_order(void **state)
{
	struct mmu_counts counts;

	(void)state;
	for (vm_offset_t i = 0; i <= TLB_NPAGES; i++)
		pmap_kenter(KVA + ptoa(i), VM_PAGE_TO_PHYS(new_page()));
	(void)mmu_access(0, KVA, MMU_READ);
	unmap_kernel(KVA, TLB_NPAGES + 1);
	counts = mmu_count();
	assert_int_equal(counts.mc_orders, 1);
	assert_int_equal(counts.mc_all, 1);
	assert_null(mmu_access(0, KVA, MMU_READ));
}

static void
test_nothing_removed_tells_nobody(void **state)
{
	(void)state;
	unmap_kernel(KVA, 0);
	assert_int_equal(mmu_count().mc_orders, 0);
}

/*
 * Kernel memory that is freed.
 */

#define NFREED 256

static void
test_frees_are_told_together(void **state)
{
	vm_offset_t va[NFREED];
	vm_page_t m[NFREED];

	(void)state;
	for (int i = 0; i < NFREED; i++) {
		va[i] = (vm_offset_t)kmem_malloc(PAGE_SIZE, M_WAITOK);
		m[i] = PHYS_TO_VM_PAGE(pmap_kextract(va[i]));
		assert_non_null(mmu_access(1, va[i], MMU_WRITE));
	}
	(void)mmu_count();
	for (int i = 0; i < NFREED; i++) {
		kmem_free((void *)va[i], PAGE_SIZE);
		assert_int_equal(pmap_kextract(va[i]), 0);
		assert_false((m[i]->flags & VPG_FREE) != 0 &&
		    mmu_knows(1, va[i]));
	}
	assert_int_equal(kmem_used(), 0);
	(void)kmem_settle();
	assert_true(mmu_count().mc_orders <= NFREED / 64 + 2);
	for (int i = 0; i < NFREED; i++) {
		assert_false(mmu_knows(1, va[i]));
		assert_true((m[i]->flags & VPG_FREE) != 0);
	}
	assert_int_equal(kva_used(), 0);
	assert_false(kmem_settle());
}

static const struct freed_row {
	const char *name;
	vm_size_t size;
	bool low;
	unsigned int orders;
} freed_rows[] = {
	{ "freed: later, a page", PAGE_SIZE, false, 0 },
	{ "freed: later, 63 pages", 63 * PAGE_SIZE, false, 0 },
	{ "freed: at once, more than a CPU gathers", 80 * PAGE_SIZE, false, 1 },
	{ "freed: at once, while memory is low", PAGE_SIZE, true, 1 },
};

static void
test_freed(void **state)
{
	const struct freed_row *row = *state;
	void *mem;

	(void)boot(state);
	mem = kmem_malloc(row->size, M_WAITOK);
	while (row->low && vm_cnt.v_free_count > vm_cnt.v_free_target)
		(void)new_page();
	(void)mmu_count();
	kmem_free(mem, row->size);
	assert_int_equal(mmu_count().mc_orders, row->orders);
	assert_int_equal(kva_used(), row->orders == 0 ? row->size : 0);
	assert_int_equal(kmem_settle(), row->orders == 0);
	assert_int_equal(kva_used(), 0);
	sim_halt();
}

/* One order is enough for what all CPUs have freed, stacks included. */
static void
test_freed_everywhere_is_told_once(void **state)
{
	struct mmu_counts counts;
	vm_offset_t va[4];

	(void)state;
	for (unsigned int cpu = 0; cpu < NROWS(va); cpu++) {
		va[cpu] =
		    (vm_offset_t)kmem_malloc_guarded(3 * PAGE_SIZE, M_WAITOK);
		assert_non_null(mmu_access(3 - cpu, va[cpu], MMU_WRITE));
	}
	(void)mmu_count();
	for (unsigned int cpu = 0; cpu < NROWS(va); cpu++) {
		sim_pin(cpu);
		kmem_free_guarded((void *)va[cpu], 3 * PAGE_SIZE);
		assert_true(mmu_knows(3 - cpu, va[cpu]));
	}
	assert_int_equal(kva_used(), NROWS(va) * 5 * PAGE_SIZE);
	assert_true(kmem_settle());
	counts = mmu_count();
	assert_int_equal(counts.mc_orders, 1);
	for (unsigned int cpu = 0; cpu < NROWS(va); cpu++)
		assert_false(mmu_knows(3 - cpu, va[cpu]));
	assert_int_equal(kva_used(), 0);
	assert_false(kmem_settle());
}

#define NMEANWHILE 80

static vm_offset_t told_va, meanwhile_va[NMEANWHILE];

/* CPU 1, while CPU 0 tells. */
static void
free_meanwhile(void)
{
	sim_pin(1);
	assert_true(mmu_knows(1, told_va));
	for (size_t i = 0; i < NROWS(meanwhile_va); i++)
		kmem_free((void *)meanwhile_va[i], PAGE_SIZE);
	assert_int_not_equal(kva_alloc(PAGE_SIZE), told_va);
	sim_pin(0);
}

/* While one CPU tells the others, another one gathers on. */
static void
test_freed_while_others_are_told(void **state)
{
	(void)state;
	told_va = (vm_offset_t)kmem_malloc(PAGE_SIZE, M_WAITOK);
	assert_non_null(mmu_access(1, told_va, MMU_WRITE));
	for (size_t i = 0; i < NROWS(meanwhile_va); i++)
		meanwhile_va[i] = (vm_offset_t)kmem_malloc(PAGE_SIZE, M_WAITOK);
	kmem_free((void *)told_va, PAGE_SIZE);
	(void)mmu_count();
	mmu_before_order(free_meanwhile);
	assert_true(kmem_settle());
	assert_int_equal(mmu_count().mc_orders, 1);
	assert_false(mmu_knows(1, told_va));
	assert_int_equal(kva_used(), (NMEANWHILE + 1) * PAGE_SIZE);
	assert_true(kmem_settle());
	assert_int_equal(kva_used(), PAGE_SIZE);
}

/* Who finds too few pages, or addresses, gets those that were freed. */
static void
test_freed_is_found(void **state)
{
	void *mem[8];
	vm_size_t npages = 0;

	(void)state;
	for (size_t i = 0; i < NROWS(mem); i++)
		mem[i] = kmem_malloc(PAGE_SIZE, M_WAITOK);
	for (size_t i = 0; i < NROWS(mem); i++)
		kmem_free(mem[i], PAGE_SIZE);
	assert_int_equal(kva_used(), sizeof(mem) / sizeof(mem[0]) * PAGE_SIZE);
	assert_int_not_equal(kva_alloc(kva_size()), 0);
	kva_free(VM_MIN_KVA, kva_size());
	mem[0] = kmem_malloc(PAGE_SIZE, M_WAITOK);
	kmem_free(mem[0], PAGE_SIZE);
	while (vm_page_alloc_noobj(VM_ALLOC_INTERRUPT | VM_ALLOC_WIRED) != NULL)
		npages++;
	assert_true(npages > 0);
	assert_int_equal(vm_free_count(), 0);
	assert_int_equal(kva_used(), 0);
}

static void
test_tables_are_dumped(void **state)
{
	vm_paddr_t table = *pmap_kernel_pde(KVA) & AMD64_PTE_FRAME;

	(void)state;
	assert_true(sim_dumped(table));
	assert_true((PHYS_TO_VM_PAGE(table)->flags & VPG_TABLE) != 0);
}

/* What the MMU is for: each row breaks a rule, and is caught. */

static void
break_entry(void *arg)
{
	pt_entry_t *pte = pmap_kernel_pte(KVA);

	pmap_kenter(KVA, VM_PAGE_TO_PHYS(new_page()));
	(void)mmu_access(1, KVA, MMU_WRITE);
	*pte = (*pte & ~*(pt_entry_t *)arg) | ((pt_entry_t *)arg)[1];
	(void)mmu_access(1, KVA, MMU_READ);
}

static void
break_free(void *arg)
{
	vm_page_t m = new_page();

	(void)arg;
	pmap_kenter(KVA, VM_PAGE_TO_PHYS(m));
	(void)mmu_access(1, KVA, MMU_READ);
	free_page(m);
	unmap_kernel(KVA, 1);
}

static void
break_table(void *arg)
{
	(void)arg;
	pmap_kenter(KVA, VM_PAGE_TO_PHYS(new_page()));
	(void)mmu_access(1, KVA, MMU_READ);
	*pmap_kernel_pde(KVA) = 0;
	(void)mmu_access(1, KVA + PAGE_SIZE, MMU_READ);
}

static const struct broken_row {
	const char *name;
	void (*func)(void *arg);
	pt_entry_t change[2]; /* bits to clear and to set */
	const char *said;
} broken[] = {
	{ "caught: use of a translation that is gone", break_entry,
	    { AMD64_PTE_V, 0 }, "mmu: cpu1: stale translation of" },
	{ "caught: use of another page", break_entry, { 0, UINT64_C(1) << 50 },
	    "mmu: cpu1: stale translation of" },
	{ "caught: a right that was taken away", break_entry,
	    { AMD64_PTE_RW, 0 }, "mmu: cpu1: stale translation of" },
	{ "caught: a dirty bit that would be lost", break_entry,
	    { AMD64_PTE_M, 0 }, "mmu: cpu1: a write to" },
	{ "caught: a page freed before CPUs are told", break_free, { 0, 0 },
	    "mmu: page" },
	{ "caught: use of a page table that is gone", break_table, { 0, 0 },
	    "mmu: cpu1: stale page table for" },
};

static void
test_broken(void **state)
{
	const struct broken_row *row = *state;
	const char *said;
	pt_entry_t change[2];

	(void)boot(state);
	memcpy(change, row->change, sizeof(change));
	said = sim_expect_panic(row->func, change);
	assert_non_null(said);
	if (strncmp(said, row->said, strlen(row->said)) != 0)
		fail_msg("%s", said);
	sim_halt();
}

int
main(void)
{
	struct CMUnitTest tests[10 + NROWS(freed_rows) + NROWS(broken)] = {
		cmocka_unit_test_setup_teardown(test_enter_is_seen, boot, halt),
		cmocka_unit_test_setup_teardown(test_rights, boot, halt),
		cmocka_unit_test_setup_teardown(test_remove_reaches_all_cpus,
		    boot, halt),
		cmocka_unit_test_setup_teardown(test_many_pages_are_one_order,
		    boot, halt),
		cmocka_unit_test_setup_teardown(
		    test_nothing_removed_tells_nobody, boot, halt),
		cmocka_unit_test_setup_teardown(test_tables_are_dumped, boot,
		    halt),
		cmocka_unit_test_setup_teardown(test_frees_are_told_together,
		    boot, halt),
		cmocka_unit_test_setup_teardown(test_freed_is_found, boot,
		    halt),
		cmocka_unit_test_setup_teardown(
		    test_freed_everywhere_is_told_once, boot, halt),
		cmocka_unit_test_setup_teardown(
		    test_freed_while_others_are_told, boot, halt),
	};
	size_t ntests = 10;

	ADD_ROWS(tests, ntests, freed_rows, test_freed);
	ADD_ROWS(tests, ntests, broken, test_broken);
	return (RUN_TESTS(tests, ntests));
}
