/*
 * usage: storm_threads [SEED [STEPS [pcid | short]]]
 *
 * Threads of one process: each on a CPU of its own, they map, unmap, write, read,
 * protect, wire and fork one address space at the same time.  Its pages are dealt
 * out in stripes, so that entries of different threads are next to each other,
 * become one and are split again.  A thread knows each byte of its stripes, and
 * compares them here and in the children that it forks.
 *
 * With "short" they have less memory than they map, a page daemon and a disk to swap
 * to, each on a CPU of its own.
 *
 * What threads do to each other depends on the machine; what each of them does
 * follows from the seed.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/objects.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"

#include "kernel/sys/mutex.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pageout.h"

#define NTHREADS 4
#define STRIPE	 4 /* pages in a row that are one thread's */
#define NSTRIPES 8 /* of each thread */
#define NOWN	 (STRIPE * NSTRIPES)
#define FIRST	 UINT64_C(0x40000000)
#define END	 (FIRST + ptoa(NTHREADS * NOWN))
#define RW	 (VM_PROT_READ | VM_PROT_WRITE)

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x2100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = NTHREADS + 2, /* the page daemon's, and the disk's */
	.pinned = true,
};

/* What a thread knows of one of its pages. */
struct expected {
	bool mapped;
	vm_prot_t prot;
	bool wired;
	uint8_t byte; /* all over it */
};

static struct own {
	unsigned int cpu;
	uint32_t seed;
	unsigned long step;
	unsigned long nfaults, nforks, nrefused;
	struct expected pages[NOWN];
} owns[NTHREADS];

/*
 * A fork copies what is wired while others may write to it: which of their bytes
 * the child gets is not said.  That is no race that TSan should find.
 */
static pthread_rwlock_t wired_lock = PTHREAD_RWLOCK_INITIALIZER;

static struct vmspace *vm;
static unsigned long seed = 1, nsteps = 2000;

static unsigned int
below(struct own *own, unsigned int n)
{
	return (sim_random(&own->seed) % n);
}

static void
expect(const struct own *own, bool so, const char *what)
{
	if (!so)
		panic("thread %u: step %lu: %s", own->cpu, own->step, what);
}

static vm_offset_t
page_va(const struct own *own, unsigned int page)
{
	return (FIRST +
	    ptoa((page / STRIPE * NTHREADS + own->cpu) * STRIPE +
		page % STRIPE));
}

/* ---- Memory that is short ---- */

#define LEFT	 30 /* pages above what wakes the page daemon */
#define SWAP_LEN (16 << 20)

static struct {
	bool on;
	struct disk *disk;
	struct sim_disks worker;
	struct simthread *daemon;
	bool over;	   /* atomic */
	vm_object_t taken; /* it has all other pages, wired */
	vm_pindex_t ntaken;
} shortage;

static void
page_daemon(void *arg)
{
	(void)arg;
	sim_pin(NTHREADS);
	while (!__atomic_load_n(&shortage.over, __ATOMIC_ACQUIRE)) {
		if (vm_paging_needed())
			(void)vm_pageout_pass();
		else
			cpu_spinwait();
	}
}

static void
take_memory(void)
{
	shortage.taken = vm_object_allocate(OBJT_SWAP, vm_cnt.v_page_count);
	mtx_lock(&vm_mtx);
	while (vm_cnt.v_free_count > vm_cnt.v_free_min + LEFT) {
		vm_page_t m = vm_page_alloc(shortage.taken, shortage.ntaken++,
		    VM_ALLOC_NORMAL | VM_ALLOC_WIRED);

		assert_non_null(m);
		vm_page_valid(m);
		vm_page_xunbusy(m);
	}
	mtx_unlock(&vm_mtx);
}

static void
give_memory(void)
{
	mtx_lock(&vm_mtx);
	for (vm_pindex_t i = 0; i < shortage.ntaken; i++)
		vm_page_unwire(vm_page_lookup(shortage.taken, i), PQ_INACTIVE);
	mtx_unlock(&vm_mtx);
	vm_object_deallocate(shortage.taken);
}

static void
shortage_begin(void)
{
	shortage.disk =
	    sim_disk_create(&(struct sim_disk_config){ .media_len = SWAP_LEN,
		.sector_len = 512,
		.seed = (uint32_t)seed });
	assert_int_equal(sim_swap_add("swap", shortage.disk, 0, SWAP_LEN), 0);
	shortage.worker = (struct sim_disks){ .dks_disks = &shortage.disk,
		.dks_ndisks = 1,
		.dks_cpu = NTHREADS + 1 };
	sim_disks_start(&shortage.worker);
	take_memory();
	shortage.daemon = sim_start(page_daemon, NULL);
}

/* All that goes on is over then. */
static void
shortage_settle(void)
{
	__atomic_store_n(&shortage.over, true, __ATOMIC_RELEASE);
	sim_join(shortage.daemon);
	sim_disks_drain();
	print_message("# pages freed %ju, laundered %ju\n",
	    (uintmax_t)vm_cnt.v_dfree, (uintmax_t)vm_cnt.v_laundered);
	assert_true(vm_cnt.v_dfree > 0 && vm_cnt.v_laundered > 0);
}

/* Swap has nothing any more. */
static void
shortage_end(void)
{
	give_memory();
	assert_int_equal(swapoff_one("swap"), 0);
	sim_disks_stop(&shortage.worker);
	sim_disk_destroy(shortage.disk);
}

/* ---- Accesses, with their faults ---- */

static int
copy(struct own *own, struct vmspace *in, unsigned int page,
    unsigned int access, uint8_t *bytes)
{
	vm_offset_t va = page_va(own, page);
	vm_prot_t prot =
	    (access & MMU_WRITE) != 0 ? VM_PROT_WRITE : VM_PROT_READ;
	int error = KERN_SUCCESS;

	while (error == KERN_SUCCESS &&
	    !mmu_copy(va, MMU_USER | access, bytes, PAGE_SIZE)) {
		own->nfaults++;
		error = vm_fault(&in->vm_map, va, prot, VM_FAULT_NORMAL);
	}
	return (error);
}

static int
expected_error(const struct expected *e, vm_prot_t access)
{
	return (!e->mapped		 ? KERN_INVALID_ADDRESS :
		(access & ~e->prot) != 0 ? KERN_PROTECTION_FAILURE :
					   KERN_SUCCESS);
}

static void
check_page(struct own *own, struct vmspace *in, unsigned int page)
{
	const struct expected *e = &own->pages[page];
	int wanted = expected_error(e, VM_PROT_READ);
	uint8_t bytes[PAGE_SIZE];

	expect(own, copy(own, in, page, MMU_READ, bytes) == wanted, "a read");
	if (wanted != KERN_SUCCESS)
		return;
	expect(own,
	    bytes[0] == e->byte && memcmp(bytes, bytes + 1, PAGE_SIZE - 1) == 0,
	    "bytes of a page");
}

static void
write_page(struct own *own, struct vmspace *in, unsigned int page,
    struct expected *e)
{
	int wanted = expected_error(e, VM_PROT_WRITE);
	uint8_t bytes[PAGE_SIZE], byte = (uint8_t)below(own, 256);

	memset(bytes, byte, sizeof(bytes));
	if (e->wired)
		pthread_rwlock_rdlock(&wired_lock);
	expect(own, copy(own, in, page, MMU_WRITE, bytes) == wanted, "a write");
	if (e->wired)
		pthread_rwlock_unlock(&wired_lock);
	if (wanted == KERN_SUCCESS)
		e->byte = byte;
}

/* ---- One step of each kind, on a part of a stripe ---- */

struct range {
	unsigned int first, end; /* own pages */
	vm_offset_t start_va, end_va;
};

static struct range
any_range(struct own *own)
{
	unsigned int stripe = below(own, NSTRIPES) * STRIPE;
	unsigned int first = below(own, STRIPE);
	unsigned int end = first + 1 + below(own, STRIPE - first);
	vm_offset_t va = page_va(own, stripe);

	return ((struct range){ stripe + first, stripe + end, va + ptoa(first),
	    va + ptoa(end) });
}

static void
step_map(struct own *own)
{
	const struct vm_map_what what = { .prot = RW, .max = RW };
	struct range r = any_range(own);

	expect(own,
	    vm_map_fixed(&vm->vm_map, r.start_va, r.end_va - r.start_va,
		&what) == KERN_SUCCESS,
	    "mapping");
	for (unsigned int i = r.first; i < r.end; i++)
		own->pages[i] = (struct expected){ true, RW, false, 0 };
}

static void
step_unmap(struct own *own)
{
	struct range r = any_range(own);

	expect(own,
	    vm_map_remove(&vm->vm_map, r.start_va, r.end_va) == KERN_SUCCESS,
	    "unmapping");
	for (unsigned int i = r.first; i < r.end; i++)
		own->pages[i].mapped = false;
}

static void
step_protect(struct own *own)
{
	struct range r = any_range(own);
	vm_prot_t prot = below(own, 2) == 0 ? RW : VM_PROT_READ;

	expect(own,
	    vm_map_protect(&vm->vm_map, r.start_va, r.end_va, prot, 0) ==
		KERN_SUCCESS,
	    "protecting");
	for (unsigned int i = r.first; i < r.end; i++)
		own->pages[i].prot = prot;
}

/* Not where memory is short: what is wired may be more than there is. */
static void
step_wire(struct own *own)
{
	struct range r = any_range(own);

	if (shortage.on)
		return;
	expect(own,
	    vm_map_wire(&vm->vm_map, r.start_va, r.end_va,
		VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK) == KERN_SUCCESS,
	    "wiring");
	for (unsigned int i = r.first; i < r.end; i++)
		own->pages[i].wired = true;
}

static void
step_unwire(struct own *own)
{
	struct range r = any_range(own);

	expect(own,
	    vm_map_unwire(&vm->vm_map, r.start_va, r.end_va,
		VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK) == KERN_SUCCESS,
	    "unwiring");
	for (unsigned int i = r.first; i < r.end; i++)
		own->pages[i].wired = false;
}

/* The child has what was there, and what it writes is its own. */
static void
step_fork(struct own *own)
{
	unsigned int page = below(own, NOWN);
	struct expected e = own->pages[page];
	struct vmspace *child;

	pthread_rwlock_wrlock(&wired_lock);
	child = vmspace_fork(vm);
	pthread_rwlock_unlock(&wired_lock);
	if (child == NULL && shortage.on) {
		own->nrefused++;
		return;
	}
	expect(own, child != NULL, "a fork");
	own->nforks++;
	pmap_activate(child->vm_map.pmap);
	for (unsigned int i = 0; i < NOWN; i += 1 + below(own, 4))
		check_page(own, child, i);
	write_page(own, child, page, &e);
	pmap_activate(vm->vm_map.pmap);
	check_page(own, vm, page);
	vmspace_free(child);
}

static void
step_write(struct own *own)
{
	unsigned int page = below(own, NOWN);

	write_page(own, vm, page, &own->pages[page]);
}

static void
step_read(struct own *own)
{
	check_page(own, vm, below(own, NOWN));
}

static const struct {
	unsigned int weight;
	void (*func)(struct own *own);
} kinds[] = {
	{ 300, step_write },
	{ 300, step_read },
	{ 80, step_map },
	{ 40, step_unmap },
	{ 80, step_protect },
	{ 40, step_wire },
	{ 40, step_unwire },
	{ 20, step_fork },
};

/* ---- The storm ---- */

static void
one_step(struct own *own)
{
	unsigned int total = 0, at;
	size_t i;

	for (i = 0; i < NROWS(kinds); i++)
		total += kinds[i].weight;
	at = below(own, total);
	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	kinds[i].func(own);
}

static void
run(void *arg)
{
	struct own *own = arg;

	sim_pin(own->cpu);
	pmap_activate(vm->vm_map.pmap);
	for (own->step = 0; own->step < nsteps; own->step++)
		one_step(own);
	for (unsigned int i = 0; i < NOWN; i++)
		check_page(own, vm, i);
	pmap_activate(kernel_pmap);
}

static void
test_storm(void **state)
{
	struct simthread *threads[NTHREADS];
	vm_pindex_t npages;

	(void)state;
	sim_boot(&config);
	sim_pin(0);
	vmspace_startup();
	vm = vmspace_alloc(FIRST, END);
	assert_non_null(vm);
	if (shortage.on)
		shortage_begin();
	for (unsigned int i = 0; i < NTHREADS; i++) {
		owns[i].cpu = i;
		owns[i].seed = (uint32_t)(seed + i);
		if (i > 0)
			threads[i] = sim_start(run, &owns[i]);
	}
	run(&owns[0]);
	for (unsigned int i = 1; i < NTHREADS; i++)
		sim_join(threads[i]);
	for (unsigned int i = 0; i < NTHREADS; i++)
		print_message("# faults %lu, forks %lu, refused %lu\n",
		    owns[i].nfaults, owns[i].nforks, owns[i].nrefused);
	if (shortage.on)
		shortage_settle();
	vm_map_lock_read(&vm->vm_map);
	assert_null(vm_map_audit(&vm->vm_map));
	vm_map_unlock_read(&vm->vm_map);
	(void)audit_objects(&npages);
	assert_null(audit_pages());
	vmspace_free(vm);
	if (shortage.on)
		shortage_end();
	assert_int_equal(audit_objects(&npages), 0);
	sim_halt();
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
	};
	const char *how = argc > 3 ? argv[3] : "";

	if (argc > 1)
		seed = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		nsteps = strtoul(argv[2], NULL, 10);
	mmu_set_pcid(strcmp(how, "pcid") == 0);
	shortage.on = strcmp(how, "short") == 0;
	print_message("# storm_threads %lu %lu %s\n", seed, nsteps, how);
	return (RUN_TESTS(tests, NROWS(tests)));
}
