/* Large pages: made of 512 small ones, and taken apart. */
#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/errno.h"

#define RO VM_PROT_READ
#define RW (VM_PROT_READ | VM_PROT_WRITE)

#define VA    (4 * NBPDR)
#define AT(i) (VA + ptoa(i))

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x2100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static struct pmap pmap;
static vm_page_t run; /* 512 pages, as a large page wants them */
static vm_pindex_t free_before;

static vm_page_t hoard[0x3000];
static size_t nhoard;

static void
power_on(void)
{
	static const struct vm_phys_where where = { 0, UINT64_MAX, NBPDR, 0 };

	sim_boot(&config);
	assert_int_equal(pmap_pinit(&pmap), 0);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		sim_pin(cpu);
		pmap_activate(&pmap);
	}
	run = vm_page_alloc_contig(VM_ALLOC_SYSTEM | VM_ALLOC_USER |
		VM_ALLOC_WIRED,
	    NPTEPG, &where);
	assert_non_null(run);
	free_before = vm_free_count();
	nhoard = 0;
}

static void
enter(vm_pindex_t i, vm_prot_t prot, unsigned int flags)
{
	assert_int_equal(pmap_enter(&pmap, AT(i), &run[i], prot, flags), 0);
}

static void
enter_all(vm_prot_t prot)
{
	for (vm_pindex_t i = 0; i < NPTEPG; i++)
		enter(i, prot, prot);
}

static bool
is_large(void)
{
	return (pmap_find(&pmap, VA).mp_level == 1 &&
	    (*pmap_find(&pmap, VA).mp_pte & AMD64_PTE_V) != 0);
}

/* All pages but these are where they were, on both CPUs. */
static void
all_there_but(vm_pindex_t start, vm_pindex_t end)
{
	for (vm_pindex_t i = 0; i < NPTEPG; i++) {
		void *want = i >= start && i < end ? NULL : page_bytes(&run[i]);

		for (unsigned int cpu = 0; cpu < 2; cpu++)
			assert_ptr_equal(mmu_access(cpu, AT(i),
					     MMU_USER | MMU_READ),
			    want);
		assert_int_equal(pmap_page_is_mapped(&run[i]), want != NULL);
	}
	assert_int_equal(pmap_resident_count(&pmap), NPTEPG - (end - start));
}

static void
test_made(void)
{
	enter_all(RO);
	assert_true(is_large());
	assert_int_equal(pmap.pm_tables, 3);
	/* Three tables and a chunk; the fourth table is free again. */
	assert_int_equal(vm_free_count(), free_before - 3);
	assert_null(pmap_pv_next(pmap_pv_first(run)));
	all_there_but(0, 0);
	assert_int_equal(pmap_extract(&pmap, AT(300) + 7),
	    VM_PAGE_TO_PHYS(&run[300]) + 7);
	assert_true(mmu_knows(0, AT(511)));
	assert_true(pmap_is_referenced(&run[511]));
}

/* Translations of small pages, and the table, are gone when it is made. */
static void
test_made_while_used(void)
{
	for (vm_pindex_t i = 0; i < NPTEPG; i++) {
		enter(i, RW, RW);
		if (i < NPTEPG - 1)
			assert_non_null(mmu_access(1, AT(i),
			    MMU_USER | MMU_WRITE));
	}
	assert_true(is_large());
	assert_false(mmu_knows(1, AT(5)));
	all_there_but(0, 0);
}

static void
test_not_made(void)
{
	static const struct {
		vm_prot_t prot;
		unsigned int flags;
	} odd[] = {
		{ RO, RO },
		{ VM_PROT_ALL, RW },
		{ RW, VM_PROT_READ }, /* clean */
		{ RW, RW | PMAP_ENTER_WIRED },
	};

	for (size_t i = 0; i < NROWS(odd); i++) {
		enter_all(RW);
		assert_true(is_large());
		pmap_remove(&pmap, VA, VA + NBPDR);
		pmap_clear_modify(&run[9]);
		for (vm_pindex_t page = 0; page < NPTEPG; page++)
			enter(page, page == 9 ? odd[i].prot : RW,
			    page == 9 ? odd[i].flags : RW);
		assert_false(is_large());
		pmap_remove(&pmap, VA, VA + NBPDR);
	}
}

/* All of them are alike, and still it is not. */
static void
test_never_made(void)
{
	for (vm_pindex_t i = 0; i < NPTEPG; i++)
		enter(i, RW, VM_PROT_READ);
	assert_false(is_large());
	assert_false(pmap_is_modified(&run[0]));
	for (vm_pindex_t i = 0; i < NPTEPG; i++)
		enter(i, RW, RW | PMAP_ENTER_WIRED);
	assert_false(is_large());
	pmap_unwire(&pmap, VA, VA + NBPDR);
	assert_int_equal(pmap_wired_count(&pmap), 0);
}

static void
test_not_in_place(void)
{
	for (vm_pindex_t i = 0; i < NPTEPG; i++)
		assert_int_equal(pmap_enter(&pmap, AT(i), &run[i ^ 1], RO, RO),
		    0);
	assert_false(is_large());
}

static void
test_removed(void)
{
	enter_all(RW);
	(void)mmu_access(1, AT(77), MMU_USER | MMU_WRITE);
	pmap_remove(&pmap, 0, VM_MAXUSER_ADDRESS);
	all_there_but(0, NPTEPG);
	assert_int_equal(pmap.pm_tables, 1);
	assert_true(pmap_is_modified(&run[500]));
}

static void
test_part_removed(void)
{
	enter_all(RW);
	all_there_but(0, 0);
	pmap_remove(&pmap, AT(100), AT(200));
	assert_false(is_large());
	all_there_but(100, 200);
	assert_true(pmap_is_modified(&run[150]));
}

static void
test_part_protected(void)
{
	enter_all(RW);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		(void)mmu_access(cpu, AT(10), MMU_USER | MMU_WRITE);
	pmap_protect(&pmap, AT(10), AT(11), RO);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		assert_null(mmu_access(cpu, AT(10), MMU_USER | MMU_WRITE));
		assert_non_null(mmu_access(cpu, AT(11), MMU_USER | MMU_WRITE));
	}
	all_there_but(0, 0);
}

static void
test_all_protected(void)
{
	enter_all(RW);
	(void)mmu_access(1, AT(10), MMU_USER | MMU_WRITE);
	pmap_protect(&pmap, VA, VA + NBPDR, RO);
	assert_true(is_large());
	assert_null(mmu_access(1, AT(10), MMU_USER | MMU_WRITE));
	assert_true(pmap_is_modified(&run[0]));
	assert_true(pmap_is_modified(&run[511]));
}

static void
test_one_page_removed(void)
{
	enter_all(RO);
	all_there_but(0, 0);
	pmap_remove_all(&run[3]);
	all_there_but(3, 4);
	pmap_remove_all(&run[0]);
	pmap_remove_all(&run[1]);
	pmap_remove_all(&run[2]);
	all_there_but(0, 4);
}

static void
test_one_page_cleaned(void)
{
	enter_all(RW);
	(void)mmu_access(1, AT(8), MMU_USER | MMU_WRITE);
	pmap_clear_modify(&run[8]);
	assert_false(pmap_is_modified(&run[8]));
	assert_true(pmap_is_modified(&run[7]));
	assert_non_null(mmu_access(1, AT(8), MMU_USER | MMU_WRITE));
	assert_true(pmap_is_modified(&run[8]));
}

static void
test_one_page_read_only(void)
{
	enter_all(RW);
	(void)mmu_access(1, AT(8), MMU_USER | MMU_WRITE);
	pmap_remove_write(&run[8]);
	assert_null(mmu_access(1, AT(8), MMU_USER | MMU_WRITE));
	assert_non_null(mmu_access(1, AT(9), MMU_USER | MMU_WRITE));
	assert_true(pmap_is_modified(&run[8]));
}

/* Counted for each page, though there is one bit for all. */
static void
test_referenced(void)
{
	enter_all(RO);
	assert_int_equal(pmap_ts_referenced(&run[0]), 1);
	assert_int_equal(pmap_ts_referenced(&run[0]), 0);
	assert_int_equal(pmap_ts_referenced(&run[40]), 1);
	assert_int_equal(pmap_ts_referenced(&run[40]), 0);
	assert_true(is_large());
}

static void
test_entered_into(void)
{
	vm_page_t m = new_page();

	enter_all(RO);
	all_there_but(0, 0);
	assert_int_equal(pmap_enter(&pmap, AT(6), m, RW, 0), 0);
	assert_ptr_equal(mmu_access(1, AT(6), MMU_USER | MMU_WRITE),
	    page_bytes(m));
	enter(6, RO, RO);
	assert_true(is_large());
	all_there_but(0, 0);
}

static void
test_copied(void)
{
	struct pmap other;

	enter_all(RO);
	assert_int_equal(pmap_pinit(&other), 0);
	pmap_copy(&other, &pmap, VA, AT(100));
	assert_int_equal(pmap_resident_count(&other), 0);
	assert_int_equal(other.pm_tables, 1);
	pmap_copy(&pmap, &other, VA, AT(100));
	assert_true(is_large());
	pmap_release(&other);
}

/* Without memory for a table, or for reverse maps, it is forgotten. */
static void
test_no_memory(void)
{
	for (size_t left = 0; left < 3; left++) {
		enter_all(RW);
		assert_true(is_large());
		while ((hoard[nhoard] = vm_page_alloc_noobj(VM_ALLOC_NORMAL |
			    VM_ALLOC_WIRED)) != NULL)
			nhoard++;
		for (size_t i = 0; i < left; i++)
			free_page(hoard[--nhoard]);
		pmap_remove_all(&run[5]);
		assert_int_equal(pmap_resident_count(&pmap), 0);
		assert_int_equal(pmap.pm_tables, 1);
		all_there_but(0, NPTEPG);
		assert_true(pmap_is_modified(&run[6]));
		while (nhoard > 0)
			free_page(hoard[--nhoard]);
	}
}

/* Tables and a chunk are all that it takes; and they go with it. */
static void
test_entered(void)
{
	assert_int_equal(pmap_enter_large(&pmap, VA, run, RW), 0);
	assert_true(is_large());
	assert_int_equal(pmap.pm_tables, 3);
	all_there_but(0, 0);
	assert_non_null(mmu_access(1, AT(511), MMU_USER | MMU_WRITE));
	assert_null(mmu_access(1, AT(511), MMU_USER | MMU_EXECUTE));
	assert_true(pmap_is_modified(&run[300]));
	pmap_remove(&pmap, AT(7), AT(9));
	assert_false(is_large());
	all_there_but(7, 9);
	pmap_remove(&pmap, VA, VA + NBPDR);
	assert_int_equal(pmap.pm_tables, 1);
}

static void
test_entered_clean(void)
{
	assert_int_equal(pmap_enter_large(&pmap, VA, run, RO), 0);
	assert_true(is_large());
	assert_null(mmu_access(0, AT(3), MMU_USER | MMU_WRITE));
	assert_true(pmap_is_referenced(&run[3]));
	assert_false(pmap_is_modified(&run[3]));
}

/* Instead of small pages that CPUs know, some wired, and of a large one. */
static void
test_entered_instead(void)
{
	vm_page_t m = new_page();

	assert_int_equal(pmap_enter(&pmap, AT(2), m, RW, RW | PMAP_ENTER_WIRED),
	    0);
	enter(9, RW, RW);
	assert_non_null(mmu_access(1, AT(2), MMU_USER | MMU_WRITE));
	assert_int_equal(pmap_enter_large(&pmap, VA, run, RO), 0);
	assert_false(pmap_page_is_mapped(m));
	assert_int_equal(pmap_wired_count(&pmap), 0);
	all_there_but(0, 0);
	assert_int_equal(pmap_enter_large(&pmap, VA, run, RW), 0);
	assert_non_null(mmu_access(1, AT(2), MMU_USER | MMU_WRITE));
	all_there_but(0, 0);
}

static void
test_entered_no_memory(void)
{
	for (size_t left = 0; left < 3; left++) {
		while ((hoard[nhoard] = vm_page_alloc_noobj(VM_ALLOC_NORMAL |
			    VM_ALLOC_WIRED)) != NULL)
			nhoard++;
		for (size_t i = 0; i < left; i++)
			free_page(hoard[--nhoard]);
		assert_int_equal(pmap_enter_large(&pmap, VA, run, RO), ENOMEM);
		all_there_but(0, NPTEPG);
		assert_int_equal(pmap.pm_tables, 1);
		while (nhoard > 0)
			free_page(hoard[--nhoard]);
	}
}

static const struct row {
	const char *name;
	void (*func)(void);
} rows[] = {
	{ "entered as one", test_entered },
	{ "entered as one that is not written to", test_entered_clean },
	{ "entered instead of small pages, and of a large one",
	    test_entered_instead },
	{ "not entered where there is no memory", test_entered_no_memory },
	{ "made when the last page comes", test_made },
	{ "made while CPUs use the small ones", test_made_while_used },
	{ "not made of pages that differ", test_not_made },
	{ "not made of clean pages, nor of wired ones", test_never_made },
	{ "not made of pages in another order", test_not_in_place },
	{ "removed as a whole", test_removed },
	{ "a part is removed", test_part_removed },
	{ "a part is protected", test_part_protected },
	{ "protected as a whole", test_all_protected },
	{ "one of its pages is removed", test_one_page_removed },
	{ "one of its pages is cleaned", test_one_page_cleaned },
	{ "one of its pages is not written to any more",
	    test_one_page_read_only },
	{ "accesses are counted for each page", test_referenced },
	{ "another page is entered, and the old one again", test_entered_into },
	{ "a copy leaves it out", test_copied },
	{ "forgotten where there is no memory", test_no_memory },
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
	struct CMUnitTest tests[NROWS(rows)];
	size_t ntests = 0;

	ADD_ROWS(tests, ntests, rows, test_row);
	return (RUN_TESTS(tests, ntests));
}
