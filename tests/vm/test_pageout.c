/*
 * The page daemon: which pages it frees, which it writes and in what runs, and whom
 * it has killed.  The pager is this file's: linked in place of the other.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_cpu.h"
#include "kernel/sys/clock.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pageout.h"
#include "kernel/vm/vm_pager.h"

#define VA UINT64_C(0x400000)
#define RW (VM_PROT_READ | VM_PROT_WRITE)

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x1100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static vm_object_t object;
static struct pmap space;

/*
 * The pager: says what it is told to, and remembers what it was asked.
 */

static struct {
	int says; /* VM_PAGER_* */
	bool full;
	unsigned int ncalls;
	int npages;	   /* of all calls */
	vm_pindex_t first; /* of the last call */
	int count;
	void (*meanwhile)(vm_page_t first);
} pager;

void __wrap_vm_pager_put_pages(vm_object_t obj, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals);

void
__wrap_vm_pager_put_pages(vm_object_t obj, vm_page_t *ma, int count,
    unsigned int flags, int *rtvals)
{
	assert_int_equal(flags, 0);
	assert_int_equal(obj->paging_in_progress, 1);
	assert_in_range(count, 1, VM_PAGER_MAXPAGES);
	pager.ncalls++;
	pager.first = ma[0]->pindex;
	pager.count = count;
	pager.npages += count;
	if (pager.meanwhile != NULL)
		pager.meanwhile(ma[0]);
	mtx_lock(&vm_mtx);
	for (int i = 0; i < count; i++) {
		assert_true(vm_page_busied(ma[i]) && !vm_page_xbusied(ma[i]));
		assert_int_equal(ma[i]->pindex, pager.first + (uint32_t)i);
		rtvals[i] = pager.says;
		if (pager.says == VM_PAGER_OK)
			vm_page_undirty(ma[i]);
	}
	mtx_unlock(&vm_mtx);
}

bool __wrap_vm_pager_has_room(vm_object_t obj);

bool
__wrap_vm_pager_has_room(vm_object_t obj)
{
	assert_ptr_equal(obj, object);
	return (!pager.full);
}

static int
power_on(void **state)
{
	(void)state;
	memset(&pager, 0, sizeof(pager));
	sim_boot(&config);
	sim_pin(0);
	object = vm_object_allocate(OBJT_SWAP, 100000);
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	assert_null(audit_pages());
	vm_pageout_set_oom(NULL);
	sim_halt();
	return (0);
}

/* ---- Pages in all their states, by a letter ---- */

static vm_page_t
make_page(vm_pindex_t pindex, char kind)
{
	vm_page_t m;

	mtx_lock(&vm_mtx);
	m = vm_page_alloc(object, pindex, VM_ALLOC_NORMAL);
	assert_non_null(m);
	vm_page_valid(m);
	if (strchr("DdaBwr", kind) != NULL)
		vm_page_dirty(m);
	if (strchr("aA", kind) != NULL)
		vm_page_activate(m);
	else if (strchr("DBr", kind) != NULL)
		vm_page_launder(m);
	else
		vm_page_deactivate(m);
	if (kind == 'r' || kind == 'R')
		vm_page_reference(m);
	if (kind == 'w')
		vm_page_wire(m);
	if (kind == 'i')
		vm_page_set_invalid(m, 0, PAGE_SIZE);
	if (kind == 'p') {
		vm_page_dirty(m);
		vm_page_set_invalid(m, 0, 512);
	}
	if (strchr("bB", kind) == NULL)
		vm_page_xunbusy(m);
	mtx_unlock(&vm_mtx);
	return (m);
}

/* Pages of that kind until memory is low; how many. */
static vm_pindex_t
fill_memory(vm_pindex_t first, char kind)
{
	vm_pindex_t n = 0;

	while (!vm_paging_needed())
		(void)make_page(first + n++, kind);
	return (n);
}

static vm_page_t
page_at(vm_pindex_t pindex)
{
	vm_page_t m;

	mtx_lock(&vm_mtx);
	m = vm_page_lookup(object, pindex);
	mtx_unlock(&vm_mtx);
	return (m);
}

static const struct inactive {
	const char *name;
	char kind;
	vm_pindex_t freed;
	enum vm_pqueue queue; /* of what is not freed */
} inactives[] = {
	{ "inactive: clean", 'c', 1, PQ_NONE },
	{ "inactive: not valid", 'i', 1, PQ_NONE },
	{ "inactive: dirty", 'd', 0, PQ_LAUNDRY },
	{ "inactive: dirty in part", 'p', 0, PQ_LAUNDRY },
	{ "inactive: used again", 'R', 0, PQ_ACTIVE },
	{ "inactive: busy", 'b', 0, PQ_INACTIVE },
};

static void
test_inactive(void **state)
{
	const struct inactive *row = *state;
	vm_page_t m;

	assert_int_equal(power_on(state), 0);
	m = make_page(7, row->kind);
	assert_int_equal(vm_pageout_scan_inactive(10), row->freed);
	if (row->freed == 0) {
		assert_ptr_equal(page_at(7), m);
		assert_int_equal(vm_page_queue(m), row->queue);
	} else {
		assert_null(page_at(7));
	}
	assert_int_equal(power_off(state), 0);
}

/* No more than are wanted, the oldest first. */
static void
test_inactive_order(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 10; i++)
		(void)make_page(i, 'c');
	assert_int_equal(vm_pageout_scan_inactive(4), 4);
	assert_null(page_at(3));
	assert_non_null(page_at(4));
	assert_int_equal(vm_pageout_scan_inactive(100), 6);
	assert_int_equal(object->resident_page_count, 0);
}

/* ---- act_count ---- */

static void
test_act_counts(void **state)
{
	vm_page_t m = make_page(0, 'A');

	(void)state;
	vm_pageout_scan_active(1, 0);
	assert_int_equal(m->act_count, ACT_INIT - ACT_DECLINE);
	vm_page_reference(m);
	vm_pageout_scan_active(1, 0);
	assert_int_equal(m->act_count, ACT_INIT - 1 + ACT_ADVANCE + 1);
	for (int i = 0; i < 30; i++) {
		vm_page_reference(m);
		vm_pageout_scan_active(1, 0);
	}
	assert_int_equal(m->act_count, ACT_MAX);
	for (int i = 0; i < ACT_MAX - 1; i++)
		vm_pageout_scan_active(1, 0);
	assert_true(vm_page_active(m));
	vm_pageout_scan_active(1, 0);
	assert_true(vm_page_inactive(m));
}

/* After passes that freed nothing, what is not used does not stay active. */
static void
test_haste(void **state)
{
	vm_page_t m = make_page(0, 'A');

	(void)state;
	m->act_count = ACT_MAX;
	for (int pass = 0; pass < 6; pass++)
		vm_pageout_scan_active(1, pass);
	assert_int_equal(m->act_count, 1);
	m->act_count = ACT_MAX;
	vm_pageout_scan_active(1, 1000);
	assert_true(vm_page_inactive(m));
}

static void
test_active_wanted(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 10; i++)
		make_page(i, 'A')->act_count = 1;
	vm_pageout_scan_active(3, 0);
	assert_int_equal(vm_pageq_count(PQ_INACTIVE), 3);
	assert_true(vm_page_inactive(page_at(2)));
	assert_true(vm_page_active(page_at(3)));
}

/* ---- Runs ---- */

static const struct run {
	const char *name;
	const char *before; /* a letter for each page; "." is none */
	const char *written;
} runs[] = {
	{ "run: alone", "D", "W" },
	{ "run: with neighbours", "..ddDdd.", "..WWWWW." },
	{ "run: not over a hole", "d.dD.d", "..WW.." },
	{ "run: not what is active", "adDdA", ".WWW." },
	{ "run: not what is clean", "cdDc", ".WW." },
	{ "run: not what is busy", "bdDdb", ".WWW." },
	{ "run: not what is wired", "wDw", ".W." },
	{ "run: not what is valid in part", "pDp", ".W." },
	{ "run: all 32", "Ddddddddddddddddddddddddddddddddddd",
	    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW..." },
	{ "run: 15 before it", "ddddddddddddddddddDd", "...WWWWWWWWWWWWWWWWW" },
	{ "run: none for one that is used", "dr", ".." },
	{ "run: none for one that is busy", "dB", ".." },
};

static void
test_run(void **state)
{
	const struct run *row = *state;
	const char *first = strchr(row->written, 'W');

	assert_int_equal(power_on(state), 0);
	for (size_t i = 0; row->before[i] != '\0'; i++) {
		if (row->before[i] != '.')
			(void)make_page(i, row->before[i]);
	}
	(void)vm_pageout_launder(1);
	assert_int_equal(pager.ncalls, first != NULL);
	if (first != NULL) {
		assert_int_equal(pager.first, first - row->written);
		assert_int_equal(pager.count, strspn(first, "W"));
	}
	assert_int_equal(object->paging_in_progress, 0);
	assert_int_equal(power_off(state), 0);
}

static const struct outcome {
	const char *name;
	int says;
	vm_pindex_t clean;
	enum vm_pqueue queue;
	bool dirty;
} outcomes[] = {
	{ "written", VM_PAGER_OK, 3, PQ_INACTIVE, false },
	{ "outside of the object", VM_PAGER_BAD, 3, PQ_INACTIVE, false },
	{ "not now", VM_PAGER_AGAIN, 0, PQ_LAUNDRY, true },
	{ "no room", VM_PAGER_FAIL, 0, PQ_ACTIVE, true },
	{ "an error", VM_PAGER_ERROR, 0, PQ_ACTIVE, true },
};

static void
test_outcome(void **state)
{
	const struct outcome *row = *state;

	assert_int_equal(power_on(state), 0);
	(void)make_page(20, 'c'); /* the others go before it */
	for (vm_pindex_t i = 0; i < 3; i++)
		(void)make_page(i, 'D');
	pager.says = row->says;
	assert_int_equal(vm_pageout_launder(3), row->clean);
	for (vm_pindex_t i = 0; i < 3; i++) {
		assert_false(vm_page_busied(page_at(i)));
		assert_int_equal(vm_page_queue(page_at(i)), row->queue);
		assert_int_equal(page_at(i)->dirty != 0, row->dirty);
	}
	if (row->clean > 0) {
		assert_int_equal(vm_pageout_scan_inactive(3), 3);
		assert_non_null(page_at(20));
	}
	assert_int_equal(power_off(state), 0);
}

/* A pager that has no room is not asked for the same pages for ever. */
static void
test_launder_is_bounded(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 100; i += 2)
		(void)make_page(i, 'D');
	pager.says = VM_PAGER_AGAIN;
	assert_int_equal(vm_pageout_launder(1000), 0);
	assert_int_equal(pager.ncalls, 50);
}

/* Nor are neighbours, which go along with each of them. */
static void
test_lap_is_bounded(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 100; i++)
		(void)make_page(i, 'D');
	pager.says = VM_PAGER_AGAIN;
	assert_int_equal(vm_pageout_launder(1000), 0);
	assert_in_range(pager.npages, 100, 100 + VM_PAGER_MAXPAGES);
}

/* ---- In the background ---- */

/*
 * 100 pages are dirty, none next to another, and some 4,000 clean.  The page daemon
 * has freed so many marks, squared: dirty pages count so often.
 */
static const struct laundry_row {
	const char *name;
	vm_pindex_t marks;
	uint64_t target, rate, max;
	int says;
	int turns;		     /* that wrote something */
	vm_pindex_t laundered, left; /* the queue, afterwards */
} laundry_rows[] = {
	{ "background: few are dirty", 10, 40, 400, 4000, VM_PAGER_OK, 0, 0,
	    100 },
	{ "background: many are, for what is freed", 40, 40, 400, 4000,
	    VM_PAGER_OK, 4, 40, 60 },
	{ "background: faster", 40, 40, 800, 4000, VM_PAGER_OK, 2, 40, 60 },
	{ "background: the last turn writes the rest", 40, 45, 400, 4000,
	    VM_PAGER_OK, 5, 45, 55 },
	{ "background: all of them", 40, 4000, 400, 4000, VM_PAGER_OK, 10, 100,
	    0 },
	{ "background: at most", 40, 4000, 400, 200, VM_PAGER_OK, 5, 50, 50 },
	{ "background: of no rate", 40, 40, 0, 4000, VM_PAGER_OK, 0, 0, 100 },
	{ "background: of no target", 40, 0, 400, 4000, VM_PAGER_OK, 0, 0,
	    100 },
	{ "background: no room", 40, 40, 400, 4000, VM_PAGER_AGAIN, 0, 0, 100 },
};

/* The turns of one run that wrote something. */
static int
run_in_background(void)
{
	int turns = 0;
	int timo;

	while ((timo = vm_laundry_turn()) != 0) {
		assert_int_equal(timo, hz / 10);
		turns++;
	}
	return (turns);
}

static void
free_marks(vm_pindex_t marks)
{
	vm_laundry_freed(marks * marks *
	    (vm_cnt.v_free_target - vm_cnt.v_free_min));
}

static void
test_laundry(void **state)
{
	const struct laundry_row *row = *state;

	assert_int_equal(power_on(state), 0);
	for (vm_pindex_t i = 0; i < 100; i++)
		(void)make_page(2 * i, 'D');
	vm_background_launder_target = row->target;
	vm_background_launder_rate = row->rate;
	vm_background_launder_max = row->max;
	pager.says = row->says;

	/* Nobody has asked. */
	assert_int_equal(vm_laundry_turn(), 0);
	free_marks(row->marks);
	assert_int_equal(run_in_background(), row->turns);
	assert_int_equal(vm_cnt.v_laundered, row->laundered);
	assert_int_equal(vm_pageq_count(PQ_LAUNDRY), row->left);

	/* No more than one lap, and nothing again before somebody asks. */
	assert_true(pager.ncalls <= 100);
	assert_int_equal(vm_laundry_turn(), 0);
	assert_int_equal(power_off(state), 0);
}

/* The next run begins anew, but what was freed before the last does not count. */
static void
test_laundry_again(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 100; i++)
		(void)make_page(2 * i, 'D');
	vm_background_launder_target = 20;
	vm_background_launder_rate = 400;
	vm_background_launder_max = 80;
	free_marks(45);
	assert_int_equal(run_in_background(), 2);
	free_marks(1);
	assert_int_equal(run_in_background(), 0);
	free_marks(60);
	assert_int_equal(run_in_background(), 2);
}

/* The page daemon says what it freed, so a run begins after a pass. */
static void
test_laundry_is_asked(void **state)
{
	(void)state;
	for (vm_pindex_t i = 0; i < 2500; i++)
		(void)make_page(2 * i + 50000, 'D');
	(void)fill_memory(0, 'c');
	vm_background_launder_target = 20;
	vm_background_launder_rate = 400;
	vm_background_launder_max = 80;
	while (!vm_pageout_pass())
		continue;
	assert_int_equal(vm_cnt.v_laundered, 0);
	assert_int_equal(run_in_background(), 2);
}

/* ---- Writes that end later ---- */

static void
wait_for_a_write(void *arg)
{
	(void)arg;
	sim_pin(1);
	vm_pageout_launder_wait();
}

/* The pages stay busy, and count, until the pager says how it ended. */
static void
test_under_way(void **state)
{
	const struct outcome *row = *state;
	struct simthread *waiting;
	vm_page_t m;

	assert_int_equal(power_on(state), 0);
	for (vm_pindex_t i = 0; i < 3; i++)
		m = make_page(i, 'D');
	pager.says = VM_PAGER_PEND;
	assert_int_equal(vm_pageout_launder(1), 3);
	assert_int_equal(vm_pageout_launder(3), 3);
	assert_int_equal(pager.ncalls, 1);
	for (vm_pindex_t i = 0; i < 3; i++) {
		m = page_at(i);
		assert_true(vm_page_busied(m) && m->dirty != 0);
		waiting = sim_start(wait_for_a_write, NULL);
		sim_wait_asleep(waiting);
		mtx_lock(&vm_mtx);
		if (row->says == VM_PAGER_OK)
			vm_page_undirty(m);
		assert_int_equal(vm_pageout_finish(m, row->says),
		    row->clean > 0);
		mtx_unlock(&vm_mtx);
		sim_join(waiting);
		assert_false(vm_page_busied(m));
		assert_int_equal(vm_page_queue(m), row->queue);
	}
	assert_int_equal(vm_cnt.v_laundered, row->clean);
	assert_int_equal(vm_pageout_launder(0), 0);
	vm_pageout_launder_wait(); /* for none */
	assert_int_equal(power_off(state), 0);
}

/* ---- Mappings ---- */

static void
map_page(vm_page_t m)
{
	assert_int_equal(pmap_pinit(&space), 0);
	pmap_activate(&space);
	assert_int_equal(pmap_enter(&space, VA, m, RW, 0), 0);
}

/* While it is written, it can be read, and a write has to wait for a fault. */
static void
access_meanwhile(vm_page_t m)
{
	assert_null(mmu_access(0, VA, MMU_USER | MMU_WRITE));
	assert_ptr_equal(mmu_access(0, VA, MMU_USER), page_bytes(m));
}

static void
test_write_while_laundered(void **state)
{
	vm_page_t m = make_page(0, 'D');

	(void)state;
	map_page(m);
	pager.meanwhile = access_meanwhile;
	assert_int_equal(vm_pageout_launder(1), 1);
	assert_int_equal(pager.ncalls, 1);
	assert_true(vm_pageout_scan_inactive(1) == 0); /* it was read */
	assert_true(vm_page_active(m));
}

/* Without room a page keeps its place in the queue, and its mappings may write. */
static void
test_launder_without_room(void **state)
{
	vm_page_t m = make_page(0, 'D');

	(void)state;
	map_page(m);
	pager.full = true;
	assert_int_equal(vm_pageout_launder(1), 0);
	assert_int_equal(pager.ncalls, 0);
	assert_int_equal(vm_page_queue(m), PQ_LAUNDRY);
	assert_ptr_equal(mmu_access(0, VA, MMU_USER | MMU_WRITE),
	    page_bytes(m));
}

/* Clean as far as its field says, and yet not lost. */
static void
test_dirty_in_a_mapping_only(void **state)
{
	vm_page_t m = make_page(0, 'c');

	(void)state;
	map_page(m);
	assert_non_null(mmu_access(0, VA, MMU_USER | MMU_WRITE));
	assert_int_equal(pmap_ts_referenced(m), 1);
	assert_int_equal(vm_pageout_scan_inactive(1), 0);
	assert_true(vm_page_in_laundry(m));
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	assert_false(pmap_page_is_mapped(m));
}

static void
test_freed_page_is_unmapped(void **state)
{
	vm_page_t m = make_page(0, 'c');

	(void)state;
	map_page(m);
	assert_int_equal(vm_pageout_scan_inactive(1), 1);
	assert_null(mmu_access(0, VA, MMU_USER));
}

/* ---- Passes ---- */

static void
test_pass_frees_and_writes(void **state)
{
	(void)state;
	assert_true(fill_memory(0, 'a') > 3000);
	while (!vm_pageout_pass())
		continue;
	assert_int_equal(vm_paging_target(), 0);
	assert_true(pager.ncalls > 0);
	assert_true(vm_cnt.v_laundered >= vm_cnt.v_dfree);
	assert_in_range(vm_cnt.v_dfree, 1, vm_cnt.v_free_target);
}

/* What is read once goes through; what is used stays. */
static void
test_stream_leaves_what_is_used(void **state)
{
	const vm_pindex_t nhot = 500;
	vm_pindex_t next = 0;
	vm_page_t hot[500];

	(void)state;
	for (vm_pindex_t i = 0; i < nhot; i++)
		hot[i] = make_page(90000 + i, 'A');
	for (int round = 0; round < 30; round++) {
		for (vm_pindex_t i = 0; i < nhot; i++)
			vm_page_reference(hot[i]);
		next += fill_memory(next, 'A');
		while (!vm_pageout_pass())
			continue;
	}
	assert_true(next > 6000);
	for (vm_pindex_t i = 0; i < nhot; i++)
		assert_ptr_equal(page_at(90000 + i), hot[i]);
}

/* ---- Out of memory ---- */

static struct victim {
	vm_pindex_t npages;
	unsigned int kills;
} victims[] = { { 5, 0 }, { 70, 0 }, { 70, 0 }, { 30, 0 } };

static void
victims_foreach(vm_oom_visit_t *visit, void *arg)
{
	for (size_t i = 0; i < NROWS(victims); i++)
		visit(&victims[i], victims[i].npages, arg);
}

static void
victim_kill(void *arg)
{
	struct victim *v = arg;

	v->kills++;
	v->npages = 0;
}

static const struct vm_oom_source source = { victims_foreach, victim_kill };

/* There is nothing more to be had. */
static void
use_up_memory(void)
{
	vm_pindex_t next = 0;

	pager.says = VM_PAGER_FAIL;
	do
		next += fill_memory(next, 'a');
	while (vm_pageout_scan() > 0 || !vm_paging_needed());
	vm_pageout_set_oom(&source);
}

static void
test_oom(void **state)
{
	static const size_t order[] = { 1, 2, 3, 0 };

	(void)state;
	use_up_memory();
	for (size_t i = 0; i < NROWS(order); i++) {
		for (int n = 0; n < vm_pageout_oom_seq; n++) {
			assert_int_equal(victims[order[i]].kills, 0);
			assert_false(vm_pageout_pass());
		}
		assert_int_equal(victims[order[i]].kills, 1);
	}
	/* There is nobody left, and the daemon goes on. */
	for (int n = 0; n < vm_pageout_oom_seq; n++)
		assert_false(vm_pageout_pass());
	assert_int_equal(vm_cnt.v_oomkills, NROWS(order));
}

/* As long as there is progress nobody is killed, however little it is. */
static void
test_no_oom_with_progress(void **state)
{
	(void)state;
	use_up_memory();
	for (int n = 0; n < 3 * vm_pageout_oom_seq; n++) {
		if (n % 5 == 0)
			(void)make_page(9000, 'c');
		(void)vm_pageout_pass();
	}
	assert_int_equal(vm_cnt.v_oomkills, 0);
}

/* ---- A daemon and two that take memory, at a time ---- */

static bool ended; /* atomic */

static void
daemon_thread(void *arg)
{
	(void)arg;
	sim_pin(1);
	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE))
		(void)vm_pageout_pass();
}

static void
test_allocation_waits_for_the_daemon(void **state)
{
	struct simthread *t;

	(void)state;
	(void)fill_memory(0, 'a');
	__atomic_store_n(&ended, false, __ATOMIC_RELEASE);
	t = sim_start(daemon_thread, NULL);
	for (vm_pindex_t i = 0; i < 3000; i++) {
		vm_page_t m =
		    vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_WAITOK);

		assert_non_null(m);
		if (i % 4 != 0)
			vm_page_free(m);
		else
			m->object = &ended; /* stands for an owner */
	}
	__atomic_store_n(&ended, true, __ATOMIC_RELEASE);
	sim_join(t);
}

#define POWERED(test) cmocka_unit_test_setup_teardown(test, power_on, power_off)

int
main(void)
{
	struct CMUnitTest tests[64] = {
		POWERED(test_inactive_order),
		POWERED(test_act_counts),
		POWERED(test_haste),
		POWERED(test_active_wanted),
		POWERED(test_launder_is_bounded),
		POWERED(test_lap_is_bounded),
		POWERED(test_launder_without_room),
		POWERED(test_laundry_again),
		POWERED(test_laundry_is_asked),
		POWERED(test_write_while_laundered),
		POWERED(test_dirty_in_a_mapping_only),
		POWERED(test_freed_page_is_unmapped),
		POWERED(test_pass_frees_and_writes),
		POWERED(test_stream_leaves_what_is_used),
		POWERED(test_oom),
		POWERED(test_no_oom_with_progress),
		POWERED(test_allocation_waits_for_the_daemon),
	};
	size_t ntests = 15;

	ADD_ROWS(tests, ntests, inactives, test_inactive);
	ADD_ROWS(tests, ntests, runs, test_run);
	ADD_ROWS(tests, ntests, outcomes, test_outcome);
	ADD_ROWS(tests, ntests, laundry_rows, test_laundry);
	ADD_ROWS(tests, ntests, outcomes, test_under_way);
	return (RUN_TESTS(tests, ntests));
}
