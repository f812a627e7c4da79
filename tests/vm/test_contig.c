/* Runs of pages for devices, for which pages of objects move away. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/sys/malloc.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_object.h"

#define VA UINT64_C(0x400000)
#define RW (VM_PROT_READ | VM_PROT_WRITE)

#define ALL_RAM 0x100000, 0x1100000

static MALLOC_DEFINE(M_DEVICE, "device", "of a device");

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ ALL_RAM, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static vm_object_t object;
static vm_pindex_t npages; /* of the object, at first */
static vm_pindex_t step;   /* all but each step-th page are given back */
static struct pmap space;

/* A page says which it is, but those that are given back. */
static bool
is_kept(vm_pindex_t i)
{
	return (i % step == 0);
}

static vm_page_t
page_at(vm_pindex_t i)
{
	vm_page_t m;

	mtx_lock(&vm_mtx);
	m = vm_page_lookup(object, i);
	mtx_unlock(&vm_mtx);
	return (m);
}

static bool
add_page(vm_pindex_t i)
{
	vm_page_t m;

	mtx_lock(&vm_mtx);
	m = vm_page_alloc(object, i, VM_ALLOC_NORMAL);
	if (m != NULL) {
		vm_page_valid(m);
		vm_page_dirty(m);
		vm_page_activate(m);
		vm_page_xunbusy(m);
		*(vm_pindex_t *)page_bytes(m) = i;
	}
	mtx_unlock(&vm_mtx);
	return (m != NULL);
}

/* All memory is the object's; then it keeps one page of each so many. */
static void
fragment(vm_pindex_t keep)
{
	sim_boot(&config);
	sim_pin(0);
	/* Page tables for addresses are made once. */
	kva_free(kva_alloc(config.kva_size), config.kva_size);
	object = vm_object_allocate(OBJT_SWAP, 100000);
	step = keep;
	for (npages = 0; add_page(npages);)
		npages++;
	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; i < npages; i++) {
		if (!is_kept(i))
			vm_page_free(vm_page_lookup(object, i));
	}
	mtx_unlock(&vm_mtx);
}

/* The bytes of a run: the MMU's kernel addresses are none of this process. */
static uint8_t *
run_bytes(const void *mem)
{
	return ((uint8_t *)PHYS_TO_DMAP(pmap_kextract((vm_offset_t)mem)));
}

/* The object has what it had. */
static void
check_object(void)
{
	for (vm_pindex_t i = 0; i < npages; i++) {
		vm_page_t m = page_at(i);

		assert_int_equal(m != NULL, is_kept(i));
		if (m == NULL)
			continue;
		assert_int_equal(*(vm_pindex_t *)page_bytes(m), i);
		assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
		assert_true(vm_page_active(m));
	}
	assert_null(audit_pages());
}

static void
check_run(const void *mem, size_t size, const struct vm_phys_where *where)
{
	vm_paddr_t pa = pmap_kextract((vm_offset_t)mem);

	for (size_t off = 0; off < size; off += PAGE_SIZE)
		assert_int_equal(pmap_kextract((vm_offset_t)mem + off),
		    pa + off);
	assert_int_equal(pa & (where->alignment - 1), 0);
	assert_true(pa >= where->low && pa + size <= where->high);
	if (where->boundary != 0)
		assert_true((pa ^ (pa + size - 1)) < where->boundary);
}

static const struct request {
	const char *name;
	size_t size;
	struct vm_phys_where where;
	bool served;
} requests[] = {
	{ "contig: a page", 4096, { ALL_RAM, 4096, 0 }, true },
	{ "contig: a byte", 1, { ALL_RAM, 4096, 0 }, true },
	{ "contig: 64 KB", 65536, { ALL_RAM, 4096, 0 }, true },
	{ "contig: aligned", 65536, { ALL_RAM, 1 << 20, 0 }, true },
	{ "contig: within a boundary", 65536, { ALL_RAM, 4096, 65536 }, true },
	{ "contig: at an address", 65536, { 0x400000, 0x410000, 4096, 0 },
	    true },
	{ "contig: 4 MB", 4 << 20, { ALL_RAM, 4096, 0 }, true },
	{ "contig: nothing", 0, { ALL_RAM, 4096, 0 }, false },
	{ "contig: more than a block", 17 << 20, { ALL_RAM, 4096, 0 }, false },
	{ "contig: not in memory", 4096, { 0x2000000, 0x3000000, 4096, 0 },
	    false },
	{ "contig: over its boundary", 65536, { ALL_RAM, 4096, 32768 }, false },
};

static void
test_request(void **state)
{
	const struct request *row = *state;
	const struct vm_phys_where *where = &row->where;
	size_t size = row->size == 0 ? 0 : round_page(row->size);
	vm_pindex_t before;
	void *mem;

	fragment(3);
	before = vm_free_count();
	mem = contigmalloc(row->size, M_DEVICE, M_WAITOK | M_ZERO, where->low,
	    where->high, where->alignment, where->boundary);
	assert_int_equal(mem != NULL, row->served);
	if (mem != NULL) {
		check_run(mem, size, where);
		for (size_t off = 0; off < size; off++)
			assert_int_equal(run_bytes(mem)[off], 0);
		memset(run_bytes(mem), 0xee, size);
		assert_int_equal(vm_free_count(), before - atop(size));
	}
	check_object();
	if (mem != NULL)
		contigfree(mem, size, M_DEVICE);
	(void)kmem_settle();
	assert_int_equal(vm_free_count(), before);
	assert_int_equal(kva_used(), 0);
	check_object();
	sim_halt();
}

/* What is mapped and written to there moves with all that. */
static void
test_mapped_page_moves(void **state)
{
	vm_page_t m;
	void *mem;

	(void)state;
	fragment(3);
	m = page_at(300);
	assert_int_equal(pmap_pinit(&space), 0);
	pmap_activate(&space);
	mtx_lock(&vm_mtx);
	vm_page_undirty(m);
	mtx_unlock(&vm_mtx);
	assert_int_equal(pmap_enter(&space, VA, m, RW, 0), 0);
	assert_non_null(mmu_access(0, VA, MMU_USER | MMU_WRITE));
	mem = contigmalloc(PAGE_SIZE, M_DEVICE, M_NOWAIT, VM_PAGE_TO_PHYS(m),
	    VM_PAGE_TO_PHYS(m) + PAGE_SIZE, PAGE_SIZE, 0);
	assert_non_null(mem);
	assert_null(mmu_access(0, VA, MMU_USER));
	assert_ptr_not_equal(page_at(300), m);
	assert_int_not_equal(vm_page_aflags(page_at(300)) & VPG_REFERENCED, 0);
	check_object();
	sim_halt();
}

/* One page in the way, which stays where it is. */
static void
wire_it(vm_page_t m)
{
	vm_page_wire(m);
}

static void
busy_it(vm_page_t m)
{
	(void)vm_page_trysbusy(m);
}

static const struct obstacle {
	const char *name;
	void (*make)(vm_page_t m);
} obstacles[] = {
	{ "contig: not over a wired page", wire_it },
	{ "contig: not over a busy page", busy_it },
};

static void
test_obstacle(void **state)
{
	const struct obstacle *row = *state;
	const struct vm_phys_where where = { ALL_RAM, PAGE_SIZE, 0 };
	vm_page_t m;
	vm_paddr_t pa;
	void *mem;

	fragment(3);
	m = page_at(300);
	pa = rounddown2(VM_PAGE_TO_PHYS(m), 65536);
	mtx_lock(&vm_mtx);
	row->make(m);
	mtx_unlock(&vm_mtx);
	assert_null(contigmalloc(65536, M_DEVICE, M_NOWAIT, pa, pa + 65536,
	    PAGE_SIZE, 0));
	assert_ptr_equal(page_at(300), m);
	mem = contigmalloc(1 << 20, M_DEVICE, M_NOWAIT, where.low, where.high,
	    PAGE_SIZE, 0);
	assert_non_null(mem);
	check_run(mem, 1 << 20, &where);
	assert_ptr_equal(page_at(300), m);
	sim_halt();
}

/* With nowhere to go, dirty pages stay, and clean ones are given up. */
static void
test_nowhere_to_go(void **state)
{
	(void)state;
	fragment(1);
	assert_null(contigmalloc(1 << 20, M_DEVICE, M_NOWAIT, ALL_RAM,
	    PAGE_SIZE, 0));
	check_object();
	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; i < npages; i++)
		vm_page_undirty(vm_page_lookup(object, i));
	mtx_unlock(&vm_mtx);
	assert_non_null(contigmalloc(1 << 20, M_DEVICE, M_NOWAIT, ALL_RAM,
	    PAGE_SIZE, 0));
	assert_null(audit_pages());
	sim_halt();
}

int
main(void)
{
	struct CMUnitTest tests[32] = {
		cmocka_unit_test(test_mapped_page_moves),
		cmocka_unit_test(test_nowhere_to_go),
	};
	size_t ntests = 2;

	ADD_ROWS(tests, ntests, requests, test_request);
	ADD_ROWS(tests, ntests, obstacles, test_obstacle);
	return (RUN_TESTS(tests, ntests));
}
