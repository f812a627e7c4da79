/*
 * usage: storm_swap [SEED [STEPS [THREADS]]]
 *
 * Processes with one object each read, write, fork and exit, and so that there is
 * memory for them their pages leave it at any time, for disks that fail and that
 * come and go.  What is read is compared with plain arrays.
 *
 * One thread does the same each time with the same seed.  More of them, with
 * processes of their own, share memory and swap, and show races under TSan.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/objects.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"

#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_pageout.h"

#define NTHREADS 4  /* at most */
#define NPROCS	 6  /* of each thread */
#define SIZE	 64 /* pages of a process */
#define NDISKS	 2
#define AUDIT	 1000 /* steps from one look at everything to the next */

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x240000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = NTHREADS + 2, /* for disks and for the page daemon */
	.pinned = true,
};

static struct disk *disks[NDISKS];
static struct sim_disks worker = { .dks_disks = disks,
	.dks_ndisks = NDISKS,
	.dks_cpu = NTHREADS + 1 };
static bool over;
static unsigned long seed_arg = 1, nsteps = 20000, nthreads = 1;

struct proc_model {
	vm_object_t object; /* NULL: not born */
	bool needs_copy;
	uint32_t patterns[SIZE]; /* 0: zeros */
};

struct world {
	unsigned int cpu;
	uint32_t seed;
	struct proc_model procs[NPROCS];
	uint64_t nread, nwritten, nfailed; /* pages; requests of both kinds */
};

static struct world worlds[NTHREADS];

static uint32_t
below(struct world *world, uint32_t n)
{
	return (sim_random(&world->seed) % n);
}

/* ---- Memory for others ---- */

/* Any object, or NULL.  Locked. */
static vm_object_t
any_object(struct world *world)
{
	vm_object_t object;
	uint32_t n = 0;

	TAILQ_FOREACH(object, &vm_object_list, object_list)
		n++;
	if (n == 0)
		return (NULL);
	n = below(world, n);
	TAILQ_FOREACH(object, &vm_object_list, object_list) {
		if (n-- == 0)
			break;
	}
	return ((object->flags & OBJ_DEAD) != 0 ? NULL : object);
}

/*
 * Up to max consecutive pages of any object that are not busy, which are shared-busy
 * then.  Locked.
 */
static int
collect(struct world *world, int max, vm_page_t *ma)
{
	vm_object_t object = any_object(world);
	vm_page_t m;
	int n = 0;

	if (object == NULL)
		return (0);
	m = vm_page_find_least(object, below(world, SIZE));
	while (m != NULL && n < max && !vm_page_busied(m) &&
	    vm_page_all_valid(m)) {
		(void)vm_page_trysbusy(m);
		ma[n++] = m;
		m = vm_page_lookup(object, (vm_pindex_t)m->pindex + 1);
	}
	return (n);
}

/* Clean pages go, dirty ones go if they could be written. */
static void
release(vm_page_t m)
{
	if (m->dirty == 0 && vm_page_tryupgrade(m))
		vm_page_free(m);
	else
		vm_page_sunbusy(m);
}

static void
evict(struct world *world)
{
	vm_page_t ma[VM_PAGER_MAXPAGES];
	int rtvals[VM_PAGER_MAXPAGES];
	vm_object_t object;
	int n;

	mtx_lock(&vm_mtx);
	n = collect(world, 1 + (int)below(world, VM_PAGER_MAXPAGES), ma);
	if (n > 0 && (ma[0]->dirty != 0 || below(world, 8) == 0)) {
		object = vm_page_object(ma[0]);
		vm_object_pip_add(object, 1);
		mtx_unlock(&vm_mtx);
		vm_pager_put_pages(object, ma, n, VM_PAGER_PUT_SYNC, rtvals);
		mtx_lock(&vm_mtx);
		for (int i = 0; i < n; i++)
			world->nfailed += rtvals[i] != VM_PAGER_OK;
		world->nwritten += (uint64_t)n;
		vm_object_pip_wakeup(object);
	}
	for (int i = 0; i < n; i++)
		release(ma[i]);
	mtx_unlock(&vm_mtx);
}

/* Pages are written while all go on. */
static void
launder(struct world *world)
{
	vm_page_t ma[VM_PAGER_MAXPAGES];
	int n;

	mtx_lock(&vm_mtx);
	n = collect(world, VM_PAGER_MAXPAGES, ma);
	for (int i = 0; i < n; i++) {
		vm_page_launder(ma[i]);
		vm_page_sunbusy(ma[i]);
	}
	mtx_unlock(&vm_mtx);
	(void)vm_pageout_launder(below(world, 64));
}

/* No memory: have others do with less.  Lets go of the lock. */
static void
make_room(struct world *world)
{
	mtx_unlock(&vm_mtx);
	for (int i = 0; i < 4; i++)
		evict(world);
	mtx_lock(&vm_mtx);
}

/* ---- Faults ---- */

/* Read a page in, or try to.  Lets go of the lock. */
static void
page_in(struct world *world, vm_object_t object, vm_pindex_t pindex)
{
	int behind = (int)below(world, 8), ahead = (int)below(world, 8), rv;
	vm_page_t m;

	vm_object_pip_add(object, 1);
	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL);
	if (m == NULL) {
		vm_object_pip_wakeup(object);
		make_room(world);
		return;
	}
	mtx_unlock(&vm_mtx);
	rv = vm_pager_get_pages(object, &m, 1, &behind, &ahead);
	mtx_lock(&vm_mtx);
	assert_true(rv == VM_PAGER_OK || rv == VM_PAGER_ERROR);
	if (rv == VM_PAGER_OK) {
		vm_page_activate(m);
		vm_page_xunbusy(m);
	} else {
		vm_page_free(m);
	}
	world->nread++;
	world->nfailed += rv != VM_PAGER_OK;
	vm_object_pip_wakeup(object);
}

enum found { FOUND, ZEROS, LOOK_AGAIN };

/* The page that a process sees, down the chain; locked. */
static enum found
look(struct world *world, vm_object_t object, vm_pindex_t pindex,
    vm_page_t *out)
{
	for (; object != NULL; object = object->backing_object) {
		vm_page_t m = vm_page_lookup(object, pindex);

		if (m != NULL && vm_page_sleep_if_busy(m, "storm"))
			return (LOOK_AGAIN);
		if (m != NULL) {
			assert_true(vm_page_all_valid(m));
			*out = m;
			return (FOUND);
		}
		if (vm_pager_has_page(object, pindex, NULL, NULL)) {
			page_in(world, object, pindex);
			return (LOOK_AGAIN);
		}
		pindex += atop(object->backing_object_offset);
	}
	return (ZEROS);
}

static void
read_page(struct world *world, struct proc_model *proc, vm_pindex_t pindex)
{
	uint32_t pattern = proc->patterns[pindex];
	enum found found;
	vm_page_t m;

	mtx_lock(&vm_mtx);
	do
		found = look(world, proc->object, pindex, &m);
	while (found == LOOK_AGAIN);
	if (pattern == 0)
		assert_true(found == ZEROS || page_filled(m, 0, 0));
	else
		assert_true(found == FOUND && page_filled(m, pattern, pattern));
	mtx_unlock(&vm_mtx);
}

static void
write_page(struct world *world, struct proc_model *proc, vm_pindex_t pindex)
{
	uint32_t pattern = below(world, 1 << 20) + 1;
	vm_ooffset_t offset = 0;
	vm_page_t m;

	if (proc->needs_copy)
		vm_object_shadow(&proc->object, &offset, ptoa(SIZE));
	proc->needs_copy = false;
	mtx_lock(&vm_mtx);
	(void)vm_object_collapse(proc->object);
	while ((m = vm_page_grab(proc->object, pindex, VM_ALLOC_NORMAL)) ==
	    NULL)
		make_room(world);
	vm_pager_page_unswapped(m);
	page_fill(m, pattern, pattern);
	vm_page_valid(m);
	vm_page_dirty(m);
	vm_page_activate(m);
	vm_page_xunbusy(m);
	mtx_unlock(&vm_mtx);
	proc->patterns[pindex] = pattern;
}

/* ---- Processes ---- */

static void
forget_range(struct world *world, struct proc_model *proc)
{
	vm_pindex_t start = below(world, SIZE);
	vm_pindex_t end = start + 1 + below(world, (uint32_t)(SIZE - start));

	if (proc->needs_copy || proc->object->backing_object != NULL)
		return;
	mtx_lock(&vm_mtx);
	vm_object_page_remove(proc->object, start, end, 0);
	mtx_unlock(&vm_mtx);
	memset(&proc->patterns[start], 0,
	    (end - start) * sizeof(proc->patterns[0]));
}

static void
be_born(struct world *world, struct proc_model *proc)
{
	struct proc_model *parent = &world->procs[below(world, NPROCS)];

	if (parent->object != NULL) {
		vm_object_reference(parent->object);
		parent->needs_copy = true;
		*proc = *parent;
		return;
	}
	memset(proc, 0, sizeof(*proc));
	proc->object = vm_object_allocate(OBJT_SWAP, SIZE);
}

static void
swap_on(int i)
{
	char name[] = { 's', 'i', 'm', (char)('0' + i), '\0' };

	(void)sim_swap_add(name, disks[i], 0, 6 << 20);
}

static bool
memory_is_low(void)
{
	return (__atomic_load_n(&vm_cnt.v_free_count, __ATOMIC_RELAXED) <
	    vm_cnt.v_free_target);
}

/*
 * A device goes, if what is on it can be read and has room, and comes back.  One
 * thread has nobody who makes room meanwhile.
 */
static void
cycle_device(struct world *world)
{
	int i = (int)below(world, NDISKS);

	for (int tries = 0; tries < 1000 && memory_is_low(); tries++)
		evict(world);
	(void)swapoff_one(i == 0 ? "sim0" : "sim1");
	swap_on(i);
}

static void
do_step(struct world *world)
{
	struct proc_model *proc = &world->procs[below(world, NPROCS)];
	uint32_t what = below(world, 64);

	if (proc->object == NULL) {
		be_born(world, proc);
	} else if (what == 0) {
		vm_object_deallocate(proc->object);
		proc->object = NULL;
	} else if (what == 1) {
		forget_range(world, proc);
	} else if (what < 8) {
		evict(world);
	} else if (what < 16) {
		launder(world);
	} else if (what < 20 && nthreads == 1) {
		sim_disks_ask(&worker, 1 + below(world, 4));
	} else if (what < 40) {
		write_page(world, proc, below(world, SIZE));
	} else {
		read_page(world, proc, below(world, SIZE));
	}
}

static void
check_world(struct world *world)
{
	vm_pindex_t npages;

	if (nthreads == 1)
		sim_disks_drain();

	for (size_t i = 0; i < NPROCS; i++) {
		if (world->procs[i].object == NULL)
			continue;
		for (vm_pindex_t pindex = 0; pindex < SIZE; pindex++)
			read_page(world, &world->procs[i], pindex);
	}
	if (nthreads == 1) {
		assert_true(audit_objects(&npages) <= 2 * NPROCS);
		audit_swap();
		assert_null(audit_pages());
	}
}

static void
run_world(void *arg)
{
	struct world *world = arg;

	sim_pin(world->cpu);
	for (unsigned long step = 0; step < nsteps; step++) {
		do_step(world);
		if (step % AUDIT == 0)
			check_world(world);
		if (step % (2 * AUDIT) == AUDIT && world->cpu == 0)
			cycle_device(world);
	}
	check_world(world);
	for (size_t i = 0; i < NPROCS; i++)
		vm_object_deallocate(world->procs[i].object);
}

/* ---- The machine ---- */

/* The page daemon. */
static void
make_room_always(void *arg)
{
	struct world *world = arg;

	sim_pin(world->cpu);
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		if (memory_is_low())
			evict(world);
		else
			cpu_spinwait();
	}
}

static void
run_worlds(void)
{
	struct simthread *threads[NTHREADS];

	for (uint32_t i = 0; i < nthreads; i++) {
		worlds[i].cpu = i;
		worlds[i].seed = (uint32_t)seed_arg + i;
		if (i > 0)
			threads[i] = sim_start(run_world, &worlds[i]);
	}
	run_world(&worlds[0]);
	for (uint32_t i = 1; i < nthreads; i++)
		sim_join(threads[i]);
	for (uint32_t i = 0; i < nthreads; i++)
		print_message("# pages read %ju, written %ju, failed %ju\n",
		    (uintmax_t)worlds[i].nread, (uintmax_t)worlds[i].nwritten,
		    (uintmax_t)worlds[i].nfailed);
	print_message("# pages laundered %ju\n", (uintmax_t)vm_cnt.v_laundered);
}

static void
test_storm(void **state)
{
	struct world daemon = { .cpu = NTHREADS, .seed = 1 };
	struct simthread *daemon_thread = NULL;
	vm_pindex_t npages;

	(void)state;
	print_message("# seed %lu, %lu steps, %lu threads\n", seed_arg, nsteps,
	    nthreads);
	sim_boot(&config);
	sim_pin(0);
	for (int i = 0; i < NDISKS; i++) {
		disks[i] = sim_disk_create(&(struct sim_disk_config){
		    .media_len = 8 << 20,
		    .sector_len = 512,
		    .seed = (uint32_t)i,
		    .errors = 50 });
		swap_on(i);
	}
	worker.dks_on_demand = nthreads == 1;
	sim_disks_start(&worker);
	if (nthreads > 1)
		daemon_thread = sim_start(make_room_always, &daemon);
	run_worlds();
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	if (daemon_thread != NULL)
		sim_join(daemon_thread);
	sim_disks_drain();
	sim_disks_stop(&worker);
	assert_int_equal(audit_objects(&npages), 0);
	audit_swap();
	assert_null(audit_pages());
	assert_true(TAILQ_EMPTY(&swap_objects));
	for (int i = 0; i < NDISKS; i++)
		sim_disk_destroy(disks[i]);
	sim_halt();
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
	};

	if (argc > 1)
		seed_arg = strtoul(argv[1], NULL, 10);
	if (argc > 2)
		nsteps = strtoul(argv[2], NULL, 10);
	if (argc > 3)
		nthreads = strtoul(argv[3], NULL, 10);
	if (nthreads > NTHREADS)
		nthreads = NTHREADS;
	return (RUN_TESTS(tests, 1));
}
