/*
 * usage: storm_kmem [SEED [STEPS]]
 *
 * Threads, each on a CPU of its own, allocate and free kernel memory at the same time,
 * in a kernel map that is too small for all of them.  A thread fills what it gets with
 * bytes that only it uses, and compares them before it frees it: addresses that two
 * threads have, a page that is used again too early and a stale translation all show.
 * In the end all addresses and pages are back.
 *
 * What threads do to each other depends on the machine; what each of them does
 * follows from the seed.
 */
#include <stdlib.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/sim.h"

#include "kernel/sys/malloc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_kern.h"
#include "kernel/vm/vm_page.h"

#define NTHREADS 4
#define NSLOTS	 12
#define MAXPAGES 6

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x2100000, 0, 0 },
	.kva_size = 192 * PAGE_SIZE,
	.ncpus = NTHREADS,
	.pinned = true,
};

static struct own {
	unsigned int cpu;
	uint32_t seed;
	struct slot {
		vm_offset_t va; /* 0: nothing */
		vm_pindex_t npages;
		uint8_t byte;
	} slots[NSLOTS];
} owns[NTHREADS];

static unsigned long seed = 1, nsteps = 20000;

/* The first byte of each page, as this CPU sees it. */
static void
access_slot(const struct slot *slot, unsigned int access)
{
	for (vm_pindex_t i = 0; i < slot->npages; i++) {
		uint8_t byte = slot->byte;

		if (!mmu_copy(slot->va + ptoa(i), access, &byte, 1))
			panic("%#jx is not mapped", (uintmax_t)slot->va);
		if (byte != slot->byte)
			panic("%#jx: %#x, not %#x", (uintmax_t)slot->va, byte,
			    slot->byte);
	}
}

static void
free_slot(struct slot *slot)
{
	access_slot(slot, MMU_READ);
	kmem_free((void *)slot->va, ptoa(slot->npages));
	slot->va = 0;
}

static void
step(struct own *own)
{
	struct slot *slot = &own->slots[sim_random(&own->seed) % NSLOTS];

	if (sim_random(&own->seed) % 1000 == 0)
		(void)kmem_settle();
	if (slot->va != 0) {
		free_slot(slot);
		return;
	}
	slot->npages = 1 + sim_random(&own->seed) % MAXPAGES;
	slot->byte = (uint8_t)(sim_random(&own->seed) * NTHREADS + own->cpu);
	slot->va =
	    (vm_offset_t)kmem_malloc(ptoa(slot->npages), M_NOWAIT | M_ZERO);
	if (slot->va != 0)
		access_slot(slot, MMU_WRITE);
}

static void
run(void *arg)
{
	struct own *own = arg;

	sim_pin(own->cpu);
	for (unsigned long i = 0; i < nsteps; i++)
		step(own);
	for (size_t i = 0; i < NSLOTS; i++) {
		if (own->slots[i].va != 0)
			free_slot(&own->slots[i]);
	}
}

static void
test_storm(void **state)
{
	struct simthread *threads[NTHREADS];
	vm_pindex_t free_before;

	(void)state;
	sim_boot(&config);
	sim_pin(0);
	kmem_free(kmem_malloc(config.kva_size, M_WAITOK), config.kva_size);
	(void)kmem_settle();
	free_before = vm_free_count();
	for (unsigned int i = 0; i < NTHREADS; i++) {
		owns[i].cpu = i;
		owns[i].seed = (uint32_t)(seed + i);
		if (i > 0)
			threads[i] = sim_start(run, &owns[i]);
	}
	run(&owns[0]);
	for (unsigned int i = 1; i < NTHREADS; i++)
		sim_join(threads[i]);
	(void)kmem_settle();
	assert_int_equal(kva_used(), 0);
	assert_int_equal(kmem_used(), 0);
	assert_int_equal(vm_free_count(), free_before);
	sim_halt();
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_storm) };

	if (argc > 1)
		seed = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		nsteps = strtoul(argv[2], NULL, 10);
	print_message("# storm_kmem %lu %lu\n", seed, nsteps);
	return (RUN_TESTS(tests, NROWS(tests)));
}
