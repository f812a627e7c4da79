/* The caches of free pages, one for each CPU, and that no reserve is lost in them. */
#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/sim.h"

#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define NCPUS 4

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x2100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = NCPUS,
	.pinned = true,
};

/* What threads have taken: a list through next for each. */
static uint32_t taken[NCPUS];

static int
boot(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	(void)vm_pgcache_drain();
	for (int i = 0; i < NCPUS; i++)
		taken[i] = VM_PAGE_NONE;
	return (0);
}

static int
halt(void **state)
{
	(void)state;
	assert_null(audit_pages());
	sim_halt();
	return (0);
}

static void
take_all(unsigned int cpu, int req)
{
	vm_page_t m;

	while ((m = vm_page_alloc_noobj(req)) != NULL) {
		m->next = taken[cpu];
		taken[cpu] = (uint32_t)(m - vm_page_array);
	}
}

static void
give_back(unsigned int cpu)
{
	while (taken[cpu] != VM_PAGE_NONE) {
		vm_page_t m = &vm_page_array[taken[cpu]];

		taken[cpu] = m->next;
		m->next = VM_PAGE_NONE;
		vm_page_free(m);
	}
}

/* The cache has it, and others find it there. */
static void
test_page_goes_to_its_cpu(void **state)
{
	vm_pindex_t before = vm_cnt.v_free_count;
	vm_page_t m = vm_page_alloc_noobj(VM_ALLOC_NORMAL), other;

	(void)state;
	assert_int_equal(vm_free_count(), before - 1);
	vm_page_free(m);
	assert_int_equal(vm_free_count(), before);
	assert_true(vm_cnt.v_free_count < before);
	assert_true((vm_page_aflags(m) & VPG_FREE) != 0);
	assert_null(audit_pages());

	sim_pin(1);
	other = vm_page_alloc_noobj(VM_ALLOC_NORMAL);
	assert_non_null(other);
	assert_ptr_not_equal(other, m);
	sim_pin(0);
	assert_ptr_equal(vm_page_alloc_noobj(VM_ALLOC_NORMAL), m);
	vm_page_free(m);
	vm_page_free(other);
}

static void
test_drain(void **state)
{
	vm_pindex_t before = vm_cnt.v_free_count, cached;

	(void)state;
	for (unsigned int cpu = 0; cpu < NCPUS; cpu++) {
		sim_pin(cpu);
		vm_page_free(vm_page_alloc_noobj(VM_ALLOC_NORMAL));
		vm_page_free(vm_page_alloc_noobj(VM_ALLOC_NORMAL |
		    VM_ALLOC_USER));
	}
	cached = before - vm_cnt.v_free_count;
	assert_true(cached >= 2 * NCPUS);
	assert_int_equal(vm_pgcache_drain(), cached);
	assert_int_equal(vm_cnt.v_free_count, before);
	assert_int_equal(vm_pgcache_drain(), 0);
}

/* What other CPUs have in their caches is not kept from the last requests. */
static void
test_caches_of_others(void **state)
{
	(void)state;
	for (unsigned int cpu = 1; cpu < NCPUS; cpu++) {
		sim_pin(cpu);
		vm_page_free(vm_page_alloc_noobj(VM_ALLOC_NORMAL));
	}
	sim_pin(0);
	take_all(0, VM_ALLOC_NORMAL);
	assert_int_equal(vm_free_count(), vm_cnt.v_free_reserved);
	take_all(0, VM_ALLOC_INTERRUPT);
	assert_int_equal(vm_free_count(), 0);
	give_back(0);
}

/* Nor from a request for a run, even if that needs each page of a block. */
static void
test_run_of_cached_pages(void **state)
{
	const struct vm_phys_where where = {
		.low = 0x400000,
		.high = 0x800000,
		.alignment = 0x400000,
	};
	const struct vm_phys_where inside = {
		.low = 0x600000,
		.high = 0x601000,
	};
	vm_page_t m = vm_page_alloc_contig(VM_ALLOC_NORMAL, 1, &inside);

	(void)state;
	assert_non_null(m);
	assert_null(vm_page_alloc_contig(VM_ALLOC_NORMAL, 1024, &where));
	sim_pin(1);
	vm_page_free(m);
	assert_true(vm_cnt.v_free_count < vm_free_count());
	sim_pin(0);
	m = vm_page_alloc_contig(VM_ALLOC_NORMAL, 1024, &where);
	assert_non_null(m);
	for (int i = 0; i < 1024; i++)
		vm_page_free(&m[i]);
}

/*
 * Four CPUs at a time take all that a class may have.
 */

static int class_now;

static void
take_class(void *arg)
{
	unsigned int cpu = (unsigned int)(uintptr_t)arg;

	sim_pin(cpu);
	take_all(cpu, class_now);
}

static void
test_reserves(void **state)
{
	static const int classes[] = { VM_ALLOC_NORMAL, VM_ALLOC_SYSTEM,
		VM_ALLOC_INTERRUPT };
	const vm_pindex_t left[] = { vm_cnt.v_free_reserved,
		vm_cnt.v_interrupt_free_min, 0 };

	(void)state;
	for (size_t i = 0; i < NROWS(classes); i++) {
		struct simthread *threads[NCPUS];

		class_now = classes[i];
		for (uintptr_t cpu = 0; cpu < NCPUS; cpu++)
			threads[cpu] = sim_start(take_class, (void *)cpu);
		for (int cpu = 0; cpu < NCPUS; cpu++)
			sim_join(threads[cpu]);
		assert_int_equal(vm_free_count(), left[i]);
	}
	for (unsigned int cpu = 0; cpu < NCPUS; cpu++)
		give_back(cpu);
}

static void
churn(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	vm_page_t pages[64] = { NULL };

	sim_pin(seed % NCPUS);
	for (int i = 0; i < 20000; i++) {
		vm_page_t *m = &pages[sim_random(&seed) % NROWS(pages)];

		if (*m != NULL) {
			*(uint64_t *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(*m)) = 0;
			vm_page_free(*m);
			*m = NULL;
		} else {
			*m = vm_page_alloc_noobj(sim_random(&seed) % 2 == 0 ?
				VM_ALLOC_USER :
				0);
			*(uint64_t *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(*m)) = 0;
		}
		if (i % 1000 == 0)
			(void)vm_pgcache_drain();
	}
	for (size_t i = 0; i < NROWS(pages); i++) {
		if (pages[i] != NULL)
			vm_page_free(pages[i]);
	}
}

static void
test_churn(void **state)
{
	struct simthread *threads[NCPUS];
	vm_pindex_t before = vm_free_count();

	(void)state;
	for (uintptr_t cpu = 0; cpu < NCPUS; cpu++)
		threads[cpu] = sim_start(churn, (void *)cpu);
	for (int cpu = 0; cpu < NCPUS; cpu++)
		sim_join(threads[cpu]);
	assert_int_equal(vm_free_count(), before);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, boot, halt)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOOTED(test_page_goes_to_its_cpu),
		BOOTED(test_drain),
		BOOTED(test_caches_of_others),
		BOOTED(test_run_of_cached_pages),
		BOOTED(test_reserves),
		BOOTED(test_churn),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
