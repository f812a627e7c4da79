/* Pages, blocks of pages and kernel addresses, against simple models. */
#include <pthread.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/malloc.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_kva.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

static int
boot(void **state)
{
	(void)state;
	sim_boot(&sim_small);
	return (0);
}

static int
halt(void **state)
{
	(void)state;
	sim_halt();
	return (0);
}

/* Pages that the free lists hold. */
static vm_pindex_t
free_list_pages(void)
{
	vm_pindex_t npages = 0;

	(void)vm_pgcache_drain();
	for (int pool = 0; pool < VM_NFREEPOOL; pool++) {
		for (int order = 0; order < VM_NFREEORDER; order++)
			npages +=
			    vm_phys_free_blocks((enum vm_freepool)pool, order)
			    << order;
	}
	return (npages);
}

static vm_pindex_t
free_list_blocks(void)
{
	vm_pindex_t nblocks = 0;

	(void)vm_pgcache_drain();
	for (int pool = 0; pool < VM_NFREEPOOL; pool++) {
		for (int order = 0; order < VM_NFREEORDER; order++)
			nblocks +=
			    vm_phys_free_blocks((enum vm_freepool)pool, order);
	}
	return (nblocks);
}

static void
test_counts_add_up(void **state)
{
	(void)state;
	assert_int_equal(vm_cnt.v_page_count, 0x9e + 0x2000);
	assert_int_equal(vm_free_count() + vm_wire_count(),
	    vm_cnt.v_page_count);
	assert_int_equal(free_list_pages(), vm_free_count());
}

static void
test_page_and_address(void **state)
{
	(void)state;
	assert_null(PHYS_TO_VM_PAGE(0));
	assert_null(PHYS_TO_VM_PAGE(0x9f000));
	assert_null(PHYS_TO_VM_PAGE(0x2100000));
	assert_ptr_equal(PHYS_TO_VM_PAGE(0x1000), &vm_page_array[0]);
	assert_ptr_equal(PHYS_TO_VM_PAGE(0x100000), &vm_page_array[0x9e]);
	for (vm_pindex_t i = 0; i < vm_page_array_size; i++)
		assert_ptr_equal(
		    PHYS_TO_VM_PAGE(VM_PAGE_TO_PHYS(&vm_page_array[i])),
		    &vm_page_array[i]);
}

/* As many segments as there can be: tiny, large, side by side, far apart. */
static void
test_many_segments(void **state)
{
	vm_paddr_t ram[2 * VM_PHYSSEG_MAX + 2] = { 0 };
	const struct sim_config config = { .ram = ram,
		.kva_size = 64 << 20,
		.ncpus = 1 };
	vm_paddr_t pa = 0x1000;
	vm_pindex_t idx = 0;

	(void)state;
	for (int i = 0; i < VM_PHYSSEG_MAX; i++) {
		ram[2 * i] = pa;
		pa += i % 5 == 4 ? 16 << 20 : ptoa(1 + i % 3);
		ram[2 * i + 1] = pa;
		pa += i % 3 == 0 ? 0 : i % 3 == 1 ? PAGE_SIZE : 64 << 20;
	}
	sim_boot(&config);
	for (int i = 0; i < VM_PHYSSEG_MAX; i++) {
		for (pa = ram[2 * i]; pa < ram[2 * i + 1]; pa += PAGE_SIZE) {
			assert_ptr_equal(PHYS_TO_VM_PAGE(pa),
			    &vm_page_array[idx]);
			assert_int_equal(VM_PAGE_TO_PHYS(&vm_page_array[idx]),
			    pa);
			idx++;
		}
		if (pa != ram[2 * i + 2])
			assert_null(PHYS_TO_VM_PAGE(pa));
	}
	assert_int_equal(idx, vm_page_array_size);
	assert_null(PHYS_TO_VM_PAGE(UINT64_MAX));
	sim_halt();
}

/* Early memory is registered by the time that anybody can ask. */
static void
test_page_array_is_dumped(void **state)
{
	vm_paddr_t array = DMAP_TO_PHYS((vm_offset_t)vm_page_array);
	vm_paddr_t start, end;

	(void)state;
	for (vm_paddr_t pa = array;
	     pa < array + vm_page_array_size * sizeof(struct vm_page);
	     pa += PAGE_SIZE)
		assert_true(sim_bulk(pa));

	/* A page of it describes 128 pages; its second, of both segments. */
	assert_true(vm_page_array_describes(array, 0, &start, &end));
	assert_int_equal(start, 0x1000);
	assert_int_equal(end, 0x1000 + ptoa(128));
	assert_false(vm_page_array_describes(array, 1, &start, &end));
	array += PAGE_SIZE;
	assert_true(vm_page_array_describes(array, 0, &start, &end));
	assert_int_equal(start, 0x1000 + ptoa(128));
	assert_int_equal(end, 0x9f000);
	assert_true(vm_page_array_describes(array, 1, &start, &end));
	assert_int_equal(start, 0x100000);
	assert_int_equal(end, 0x100000 + ptoa(256 - 0x9e));
	assert_false(vm_page_array_describes(array, 2, &start, &end));
	assert_false(vm_page_array_describes(0x1000, 0, &start, &end));
}

#define NRUNS 512

struct run {
	vm_page_t m;
	vm_pindex_t npages;
};

/* A run is aligned, in bounds, and not allocated twice: each page says so. */
static void
claim_run(const struct run *run, const struct vm_phys_where *where)
{
	vm_paddr_t start = VM_PAGE_TO_PHYS(run->m);
	vm_paddr_t end = start + ptoa(run->npages);

	assert_int_equal(start & (where->alignment - 1), 0);
	assert_true(start >= where->low && end <= where->high);
	if (where->boundary != 0)
		assert_true((start ^ (end - 1)) < where->boundary);
	for (vm_pindex_t i = 0; i < run->npages; i++) {
		assert_null(run->m[i].object);
		run->m[i].object = run->m;
	}
}

static void
free_run(struct run *run)
{
	for (vm_pindex_t i = 0; i < run->npages; i++) {
		assert_ptr_equal(run->m[i].object, run->m);
		run->m[i].object = NULL;
		vm_page_free(&run->m[i]);
	}
	run->m = NULL;
}

static void
test_contiguous_storm(void **state)
{
	static struct run runs[NRUNS];
	vm_pindex_t free_before = vm_free_count();
	vm_pindex_t blocks_before = free_list_blocks();
	uint32_t seed = 1;
	size_t served = 0;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		struct run *run = &runs[sim_random(&seed) % NRUNS];
		struct vm_phys_where where = {
			.low = ptoa(sim_random(&seed) % 0x800),
			.high = 0x2100000 - ptoa(sim_random(&seed) % 0x800),
			.alignment = PAGE_SIZE << sim_random(&seed) % 6,
			.boundary = sim_random(&seed) % 2 == 0 ? 0 : 1 << 18,
		};
		int user = sim_random(&seed) % 2 == 0 ? VM_ALLOC_USER : 0;

		if (run->m != NULL) {
			free_run(run);
			continue;
		}
		run->npages = 1 + sim_random(&seed) % 40;
		run->m = vm_page_alloc_contig(VM_ALLOC_INTERRUPT | user,
		    run->npages, &where);
		if (run->m != NULL) {
			claim_run(run, &where);
			served++;
		}
	}
	assert_true(served > 1000);
	for (size_t i = 0; i < NRUNS; i++) {
		if (runs[i].m != NULL)
			free_run(&runs[i]);
	}
	assert_int_equal(vm_free_count(), free_before);
	assert_int_equal(free_list_pages(), free_before);
	assert_in_range(free_list_blocks(), 1, blocks_before + 1);
}

static void
test_refused_runs(void **state)
{
	struct vm_phys_where where = { .high = UINT64_MAX, .boundary = 4096 };

	(void)state;
	assert_null(vm_page_alloc_contig(0, 2, &where));
	where.boundary = 0;
	assert_null(vm_page_alloc_contig(0, 0, &where));
	assert_null(vm_page_alloc_contig(0, 4097, &where));
	where.high = 0x1fff;
	assert_null(vm_page_alloc_contig(0, 1, &where));
}

/* Each class stops where it should, to the page. */
static void
test_classes(void **state)
{
	static vm_page_t pages[0x2100];
	static const int classes[] = { VM_ALLOC_NORMAL, VM_ALLOC_SYSTEM,
		VM_ALLOC_INTERRUPT };
	const vm_pindex_t left[] = { vm_cnt.v_free_reserved,
		vm_cnt.v_interrupt_free_min, 0 };
	size_t npages = 0;

	(void)state;
	for (size_t i = 0; i < NROWS(classes); i++) {
		while ((pages[npages] = vm_page_alloc_noobj(classes[i])) !=
		    NULL)
			npages++;
		assert_int_equal(vm_free_count(), left[i]);
	}
	while (npages > 0)
		vm_page_free(pages[--npages]);
	assert_int_equal(free_list_pages(), vm_free_count());
}

static void *
alloc_waiting(void *arg)
{
	(void)arg;
	return (vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WAITOK));
}

/* A thread that may not use the reserve sleeps until there is more than it. */
static void
test_wait_for_page(void **state)
{
	vm_page_t first = NULL, m;
	pthread_t thread;
	void *got;

	(void)state;
	while ((m = vm_page_alloc_noobj(VM_ALLOC_NORMAL)) != NULL)
		first = m;
	assert_int_equal(pthread_create(&thread, NULL, alloc_waiting, NULL), 0);
	vm_page_free(first);
	assert_int_equal(pthread_join(thread, &got), 0);
	assert_ptr_equal(got, first);
	assert_int_equal(vm_free_count(), vm_cnt.v_free_reserved);
}

/* The kernel's pages lie together, the users' elsewhere. */
static void
test_pools_cluster(void **state)
{
	vm_paddr_t lo = UINT64_MAX, hi = 0;

	(void)state;
	for (int i = 0; i < 256; i++) {
		vm_paddr_t user =
		    VM_PAGE_TO_PHYS(vm_page_alloc_noobj(VM_ALLOC_USER));
		vm_paddr_t pa = VM_PAGE_TO_PHYS(vm_page_alloc_noobj(0));

		assert_false(user >= lo && user < hi);
		lo = pa < lo ? pa : lo;
		hi = pa > hi ? pa : hi;
	}
	assert_in_range(hi - lo, 0, 4 << 20);
}

static void
free_twice(void *arg)
{
	vm_page_free(arg);
	vm_page_free(arg);
}

static void
free_wired(void *arg)
{
	vm_page_wire(arg);
	vm_page_free(arg);
}

static void
test_page_panics(void **state)
{
	const char *said;

	(void)state;
#ifdef NDEBUG
	skip();
#endif
	said = sim_expect_panic(free_wired, vm_page_alloc_noobj(0));
	assert_non_null(said);
	assert_non_null(strstr(said, "in use"));
	said = sim_expect_panic(free_twice, vm_page_alloc_noobj(0));
	assert_non_null(said);
	assert_non_null(strstr(said, "free already"));
}

#define ARENA 200

/* Against an array of booleans, full and empty included. */
static void
test_kva_arena(void **state)
{
	uint64_t bits[(ARENA + 63) / 64] = { 0 };
	bool used[ARENA] = { false };
	struct kva_arena arena;
	uint32_t seed = 7;

	(void)state;
	kva_arena_init(&arena, bits, ARENA);
	for (int step = 0; step < 20000; step++) {
		vm_pindex_t npages = 1 + sim_random(&seed) % 20;
		vm_pindex_t start = kva_arena_alloc(&arena, npages);

		if (start != KVA_NONE) {
			assert_in_range(start, 0, ARENA - npages);
			for (vm_pindex_t i = start; i < start + npages; i++) {
				assert_false(used[i]);
				used[i] = true;
			}
			continue;
		}
		/* No run is that long: then free some at random. */
		for (vm_pindex_t i = 0, run = 0; i < ARENA; i++) {
			run = used[i] ? 0 : run + 1;
			assert_true(run < npages);
		}
		for (vm_pindex_t i = 0; i < ARENA; i++) {
			if (used[i] && sim_random(&seed) % 3 == 0) {
				kva_arena_free(&arena, i, 1);
				used[i] = false;
			}
		}
	}
	assert_int_equal(kva_arena_alloc(&arena, 0), KVA_NONE);
	assert_int_equal(kva_arena_alloc(&arena, ARENA + 1), KVA_NONE);
}

static void
test_kmem_storm(void **state)
{
	static struct {
		uint8_t *mem;
		size_t size;
	} all[64];
	vm_pindex_t free_before = vm_free_count();
	vm_size_t kva_before = kva_used();
	uint32_t seed = 3;

	(void)state;
	for (int step = 0; step < 4000; step++) {
		size_t i = sim_random(&seed) % NROWS(all);
		uint8_t fill = (uint8_t)i;

		if (all[i].mem != NULL) {
			assert_int_equal(all[i].mem[0], fill);
			assert_int_equal(all[i].mem[all[i].size - 1], fill);
			kmem_free(all[i].mem, all[i].size);
			all[i].mem = NULL;
			continue;
		}
		all[i].size = 1 + sim_random(&seed) % (20 * 4096);
		all[i].mem = kmem_malloc(all[i].size, M_WAITOK | M_ZERO);
		for (size_t off = 0; off < all[i].size; off += 512)
			assert_int_equal(all[i].mem[off], 0);
		memset(all[i].mem, fill, all[i].size);
	}
	for (size_t i = 0; i < NROWS(all); i++) {
		if (all[i].mem != NULL)
			kmem_free(all[i].mem, all[i].size);
	}
	(void)kmem_settle();
	assert_int_equal(vm_free_count(), free_before);
	assert_int_equal(kva_used(), kva_before);
	assert_int_equal(kmem_used(), 0);
}

static void
test_guard_pages(void **state)
{
	uint8_t *stack = kmem_malloc_guarded(4 * PAGE_SIZE, M_WAITOK);

	(void)state;
	assert_int_equal(pmap_kextract((vm_offset_t)stack - 1), 0);
	assert_int_not_equal(pmap_kextract((vm_offset_t)stack), 0);
	assert_int_equal(pmap_kextract((vm_offset_t)stack + 4 * PAGE_SIZE), 0);
	assert_int_equal(kva_used(), 6 * PAGE_SIZE);
	kmem_free_guarded(stack, 4 * PAGE_SIZE);
	(void)kmem_settle();
	assert_int_equal(kva_used(), 0);
}

static void
kmem_too_much(void *arg)
{
	(void)kmem_malloc(*(vm_size_t *)arg, M_WAITOK);
}

static void
test_kmem_exhaustion(void **state)
{
	vm_size_t size = (64 << 20) + PAGE_SIZE;
	vm_pindex_t free_before = vm_free_count();
	const char *said;

	(void)state;
	assert_null(kmem_malloc(size, M_NOWAIT));
	assert_null(kmem_malloc(0, M_NOWAIT));
	/* Addresses enough, but not memory: nothing of it stays. */
	assert_null(kmem_malloc(40 << 20, M_NOWAIT));
	assert_int_equal(vm_free_count(), free_before);
	assert_int_equal(kva_used(), 0);
	said = sim_expect_panic(kmem_too_much, &size);
	assert_non_null(said);
	assert_non_null(strstr(said, "kernel map too small"));
}

static void *kmem_waited;

static void
kmem_wait(void *arg)
{
	(void)arg;
	kmem_waited = kmem_malloc(3 * PAGE_SIZE, M_WAITOK);
}

/* Out of addresses: one of the two that are freed is not enough. */
static void
test_kmem_waits_for_addresses(void **state)
{
	vm_offset_t all = kva_alloc(64 << 20);
	struct simthread *t;

	(void)state;
	assert_int_not_equal(all, 0);
	assert_null(kmem_malloc(PAGE_SIZE, M_NOWAIT));
	t = sim_start(kmem_wait, NULL);
	sim_wait_asleep(t);
	assert_true(kva_is_wanted());
	/* It was woken, and looks again by itself as long as that is so. */
	assert_int_not_equal(vm_pageout_turn(0), 0);
	kva_free(all, 2 * PAGE_SIZE);
	sim_wait_asleep(t);
	kva_free(all + 2 * PAGE_SIZE, PAGE_SIZE);
	sim_join(t);
	assert_false(kva_is_wanted());
	assert_ptr_equal(kmem_waited, (void *)all);
	pagedaemon_wakeup();
	assert_int_equal(vm_pageout_turn(0), 0);
	kmem_free(kmem_waited, 3 * PAGE_SIZE);
}

/* All pages of it, for as long as it is allocated. */
static void
test_nodump(void **state)
{
	uint8_t *mem = kmem_malloc(3 * PAGE_SIZE, M_WAITOK | M_NODUMP);
	vm_paddr_t pa[3];

	(void)state;
	for (size_t i = 0; i < NROWS(pa); i++) {
		pa[i] = pmap_kextract((vm_offset_t)mem + i * PAGE_SIZE);
		assert_true(sim_never_dumped(pa[i]));
	}
	kmem_free(mem, 3 * PAGE_SIZE);
	(void)kmem_settle();
	for (size_t i = 0; i < NROWS(pa); i++)
		assert_false(sim_never_dumped(pa[i]));
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, boot, halt)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOOTED(test_counts_add_up),
		BOOTED(test_page_and_address),
		cmocka_unit_test(test_many_segments),
		BOOTED(test_page_array_is_dumped),
		BOOTED(test_contiguous_storm),
		BOOTED(test_refused_runs),
		BOOTED(test_classes),
		BOOTED(test_wait_for_page),
		BOOTED(test_pools_cluster),
		BOOTED(test_page_panics),
		cmocka_unit_test(test_kva_arena),
		BOOTED(test_kmem_storm),
		BOOTED(test_guard_pages),
		BOOTED(test_kmem_exhaustion),
		BOOTED(test_kmem_waits_for_addresses),
		BOOTED(test_nodump),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
