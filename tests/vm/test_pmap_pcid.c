/*
 * PCIDs: what a CPU keeps of an address space that it has not loaded, and when it
 * does not.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/vmparam.h"

#define RW	(VM_PROT_READ | VM_PROT_WRITE)
#define VA	UINT64_C(0x400000)
#define USER	(MMU_USER | MMU_READ)
#define NUMBERS 4095 /* that a CPU can give */

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x2100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

/* CPU 0 makes the calls, and has the kernel's half alone; CPU 1 has one. */
static struct pmap one, two;
static vm_page_t page_one, page_two; /* at VA */

static void
use(unsigned int cpu, pmap_t pmap)
{
	sim_pin(cpu);
	pmap_activate(pmap);
	sim_pin(0);
}

static vm_page_t
enter(pmap_t pmap)
{
	vm_page_t m = new_page();

	assert_int_equal(pmap_enter(pmap, VA, m, RW, 0), 0);
	return (m);
}

static void
power_on(void)
{
	sim_boot(&config);
	assert_int_equal(pmap_pinit(&one), 0);
	assert_int_equal(pmap_pinit(&two), 0);
	page_one = enter(&one);
	page_two = enter(&two);
	use(1, &one);
	(void)mmu_count();
}

static void
finds(unsigned int cpu, vm_page_t m)
{
	assert_ptr_equal(mmu_access(cpu, VA, USER), page_bytes(m));
}

static bool forgets = true;
static void (*before_order)(void);

void __real_pmap_pcid_forget(struct pmap *pmap);
void __wrap_pmap_pcid_forget(struct pmap *pmap);
void __real_pmap_cpu_invalidate(uint64_t mask, const struct tlb_flush *flush);
void __wrap_pmap_cpu_invalidate(uint64_t mask, const struct tlb_flush *flush);

void
__wrap_pmap_pcid_forget(struct pmap *pmap)
{
	if (forgets)
		__real_pmap_pcid_forget(pmap);
}

void
__wrap_pmap_cpu_invalidate(uint64_t mask, const struct tlb_flush *flush)
{
	if (before_order != NULL)
		before_order();
	__real_pmap_cpu_invalidate(mask, flush);
}

/* ---- Kept ---- */

static void
test_kept(void)
{
	finds(1, page_one);
	use(1, &two);
	finds(1, page_two);
	(void)mmu_count();
	for (int i = 0; i < 10; i++) {
		use(1, &one);
		finds(1, page_one);
		use(1, kernel_pmap);
		assert_null(mmu_access(1, VA, USER));
		use(1, &two);
		finds(1, page_two);
	}
	/* That of the kernel's half, where nothing is, is not kept. */
	assert_int_equal(mmu_count().mc_walks, 10);
}

static void
test_without(void)
{
	finds(1, page_one);
	use(1, &two);
	use(1, &one);
	assert_false(mmu_knows(1, VA));
	assert_int_equal(mmu_count().mc_kept, 0);
}

/* A right that grows takes nothing away. */
static void
test_kept_when_rights_grow(void)
{
	finds(1, page_one);
	use(1, &two);
	assert_int_equal(pmap_enter(&one, VA, page_one, VM_PROT_ALL, 0), 0);
	use(1, &one);
	assert_true(mmu_knows(1, VA));
	assert_ptr_equal(mmu_access(1, VA, MMU_USER | MMU_EXECUTE),
	    page_bytes(page_one));
}

/* ---- Forgotten ---- */

static void
remove_and_see(void)
{
	vm_page_t new = new_page();

	pmap_remove(&one, VA, VA + PAGE_SIZE);
	free_page(page_one);
	assert_int_equal(pmap_enter(&one, VA, new, RW, 0), 0);
	use(1, &one);
	finds(1, new);
}

static void
test_removed_meanwhile(void)
{
	finds(1, page_one);
	use(1, &two);
	(void)mmu_count();
	remove_and_see();
	assert_int_equal(mmu_count().mc_told, 0);
}

/* Its translations of other addresses go, too; those of others stay. */
static void
test_others_stay(void)
{
	use(1, &two);
	finds(1, page_two);
	use(1, kernel_pmap);
	pmap_remove(&one, VA, VA + PAGE_SIZE);
	use(1, &two);
	assert_true(mmu_knows(1, VA));
}

/* This CPU changes what it does not have loaded itself. */
static void
test_changed_by_itself(void)
{
	use(0, &one);
	finds(0, page_one);
	use(0, &two);
	use(1, &two);
	pmap_remove(&one, VA, VA + PAGE_SIZE);
	use(0, &one);
	assert_null(mmu_access(0, VA, USER));
}

/* A CPU that has it loaded is told, and keeps the rest. */
static void
test_loaded(void)
{
	use(0, &one);
	finds(0, page_one);
	finds(1, page_one);
	(void)mmu_count();
	pmap_remove(&one, VA, VA + PAGE_SIZE);
	assert_int_equal(mmu_count().mc_told, 1);
	assert_null(mmu_access(1, VA, USER));
	use(0, &two);
	use(0, &one);
	assert_int_equal(mmu_count().mc_kept, 1);
}

static void
load_two(void)
{
	before_order = NULL;
	use(1, &two);
}

/* The interrupt comes after the CPU has loaded another address space. */
static void
test_late_order(void)
{
	finds(1, page_one);
	before_order = load_two;
	remove_and_see();
}

/* What was asked to be forgotten, and was not, is found by the MMU. */
static void
forget_nothing(void *arg)
{
	(void)arg;
	finds(1, page_one);
	use(1, &two);
	forgets = false;
	remove_and_see();
}

static void
test_mutant(void)
{
	const char *said = sim_expect_panic(forget_nothing, NULL);

	forgets = true;
	assert_non_null(said);
	assert_non_null(strstr(said, "cpu1: stale"));
}

/* ---- The kernel's half ---- */

static void
test_kernel_half(void)
{
	vm_page_t m = new_page();

	assert_int_equal(pmap_growkernel(VM_MIN_KVA + NBPDR), 0);
	pmap_kenter(VM_MIN_KVA, VM_PAGE_TO_PHYS(m));
	assert_non_null(mmu_access(1, VM_MIN_KVA, MMU_READ));
	use(1, &two);
	assert_non_null(mmu_access(1, VM_MIN_KVA, MMU_READ));
	unmap_kernel(VM_MIN_KVA, 1);
	free_page(m);
	assert_null(mmu_access(1, VM_MIN_KVA, MMU_READ));
	use(1, &one);
	assert_null(mmu_access(1, VM_MIN_KVA, MMU_READ));
}

/* ---- Numbers ---- */

/* Whatever number two gets, it does not see what was known under it. */
static void
test_numbers_end(void)
{
	vm_page_t later = new_page();

	for (int i = 0; i < 2 * NUMBERS; i++) {
		vm_page_t m = i < NUMBERS ? page_two : later;

		finds(1, page_one);
		assert_int_equal(pmap_enter(&two, VA, m, RW, 0), 0);
		use(1, &two);
		finds(1, m);
		pmap_remove(&two, VA, VA + PAGE_SIZE);
		use(1, &one);
	}
	assert_true(one.pm_pcids[1].pcid_gen >= 2);
	assert_true(two.pm_pcids[1].pcid_number <= NUMBERS);
}

static void
test_number_of_an_old_generation(void)
{
	finds(1, page_one);
	for (int i = 0; i < NUMBERS; i++) {
		use(1, &two);
		pmap_pcid_forget(&two);
		use(1, kernel_pmap);
	}
	(void)mmu_count();
	use(1, &one);
	assert_int_equal(mmu_count().mc_kept, 0);
	finds(1, page_one);
}

/* An address space begins where another was, in memory, too. */
static void
test_new_in_its_place(void)
{
	use(1, &two);
	finds(1, page_two);
	use(1, &one);
	pmap_remove(&two, 0, VM_MAXUSER_ADDRESS);
	pmap_release(&two);
	free_page(page_two);
	assert_int_equal(pmap_pinit(&two), 0);
	use(1, &two);
	assert_null(mmu_access(1, VA, USER));
}

static const struct row {
	const char *name;
	bool pcid;
	void (*func)(void);
} rows[] = {
	{ "kept: two address spaces with one address", true, test_kept },
	{ "kept: when rights grow", true, test_kept_when_rights_grow },
	{ "not kept: without PCIDs", false, test_without },
	{ "forgotten: a page removed meanwhile", true, test_removed_meanwhile },
	{ "forgotten: nothing of others", true, test_others_stay },
	{ "forgotten: by the CPU that removes it", true,
	    test_changed_by_itself },
	{ "forgotten: where it is loaded", true, test_loaded },
	{ "forgotten: where it was loaded just now", true, test_late_order },
	{ "a stale translation is found", true, test_mutant },
	{ "the kernel's half is forgotten under all", true, test_kernel_half },
	{ "numbers begin again", true, test_numbers_end },
	{ "a number of an old generation is not good", true,
	    test_number_of_an_old_generation },
	{ "a new address space in the place of one", true,
	    test_new_in_its_place },
};

static void
test_row(void **state)
{
	const struct row *row = *state;

	mmu_set_pcid(row->pcid);
	power_on();
	row->func();
	sim_halt();
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows)];
	size_t ntests = 0;

	ADD_ROWS(tests, ntests, rows, test_row);
	return (RUN_TESTS(tests, ntests));
}
