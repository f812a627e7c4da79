/* The queues of pages against arrays, and what the audit finds. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/vm/vm_object.h"

#define NPAGES 100

static char owner; /* stands for an object */
static vm_page_t pages[NPAGES];

static int
boot(void **state)
{
	(void)state;
	sim_boot(&sim_small);
	for (int i = 0; i < NPAGES; i++) {
		pages[i] = vm_page_alloc_noobj(VM_ALLOC_NORMAL | VM_ALLOC_USER);
		assert_non_null(pages[i]);
		pages[i]->object = &owner;
	}
	return (0);
}

static int
halt(void **state)
{
	(void)state;
	sim_halt();
	return (0);
}

/*
 * The model: pages by number, in order.
 */

struct model {
	int order[PQ_COUNT][NPAGES];
	int count[PQ_COUNT];
	enum vm_pqueue queue[NPAGES];
	int wired[NPAGES];
};

static void
model_remove(struct model *md, int page)
{
	enum vm_pqueue queue = md->queue[page];
	int i = 0, *order = md->order[queue];

	if (queue == PQ_NONE)
		return;
	while (order[i] != page)
		i++;
	md->count[queue]--;
	memmove(&order[i], &order[i + 1],
	    (size_t)(md->count[queue] - i) * sizeof(order[0]));
	md->queue[page] = PQ_NONE;
}

static void
model_move(struct model *md, int page, enum vm_pqueue queue, bool at_head)
{
	int *order = md->order[queue];

	model_remove(md, page);
	if (md->wired[page] > 0 || queue == PQ_NONE)
		return;
	if (at_head)
		memmove(&order[1], &order[0],
		    (size_t)md->count[queue] * sizeof(order[0]));
	order[at_head ? 0 : md->count[queue]] = page;
	md->count[queue]++;
	md->queue[page] = queue;
}

/* To the tail, unless it is there already. */
static void
model_to(struct model *md, int page, enum vm_pqueue queue)
{
	if (md->queue[page] != queue)
		model_move(md, page, queue, false);
}

static void
check_model(const struct model *md)
{
	for (int queue = PQ_INACTIVE; queue < PQ_COUNT; queue++) {
		vm_page_t m = vm_pageq_first((enum vm_pqueue)queue);

		assert_int_equal(vm_pageq_count((enum vm_pqueue)queue),
		    md->count[queue]);
		for (int i = 0; i < md->count[queue]; i++) {
			assert_ptr_equal(m, pages[md->order[queue][i]]);
			m = vm_pageq_next(m);
		}
		assert_null(m);
	}
}

static void
step_wire(struct model *md, int page)
{
	vm_page_wire(pages[page]);
	md->wired[page]++;
	model_remove(md, page);
}

static void
step_unwire(struct model *md, int page, enum vm_pqueue queue)
{
	if (md->wired[page] == 0)
		return;
	vm_page_unwire(pages[page], queue);
	if (--md->wired[page] == 0)
		model_move(md, page, queue, false);
}

static void
step(struct model *md, int page, uint32_t what)
{
	vm_page_t m = pages[page];

	switch (what % 8) {
	case 0:
		vm_page_activate(m);
		model_to(md, page, PQ_ACTIVE);
		break;
	case 1:
		vm_page_deactivate(m);
		model_to(md, page, PQ_INACTIVE);
		break;
	case 2:
		vm_page_deactivate_noreuse(m);
		model_move(md, page, PQ_INACTIVE, true);
		break;
	case 3:
		vm_page_launder(m);
		model_to(md, page, PQ_LAUNDRY);
		break;
	case 4:
		vm_page_requeue(m);
		model_move(md, page, md->queue[page], false);
		break;
	case 5:
		vm_page_dequeue(m);
		model_remove(md, page);
		break;
	case 6:
		step_wire(md, page);
		break;
	case 7:
		step_unwire(md, page, (enum vm_pqueue)(what / 8 % PQ_COUNT));
		break;
	}
}

static void
test_storm(void **state)
{
	static struct model md;
	uint32_t seed = 5;

	(void)state;
	memset(&md, 0, sizeof(md));
	for (int i = 0; i < 20000; i++) {
		int page = (int)(sim_random(&seed) % NPAGES);

		mtx_lock(&vm_mtx);
		step(&md, page, sim_random(&seed));
		if (i % 20 == 0)
			check_model(&md);
		mtx_unlock(&vm_mtx);
		if (i % 1000 == 0)
			assert_null(audit_pages());
	}
}

static void
test_act_count(void **state)
{
	vm_page_t m = pages[0];

	(void)state;
	mtx_lock(&vm_mtx);
	vm_page_activate(m);
	assert_int_equal(m->act_count, ACT_INIT);
	m->act_count = ACT_MAX;
	vm_page_activate(m);
	assert_int_equal(m->act_count, ACT_MAX);
	vm_page_deactivate(m);
	assert_int_equal(m->act_count, 0);
	vm_page_reference(m);
	assert_int_equal(vm_page_aflags(m) & VPG_REFERENCED, VPG_REFERENCED);
	mtx_unlock(&vm_mtx);
}

/* Freed, a page leaves its queue and those who wait for it. */
static void
test_free_of_queued(void **state)
{
	vm_page_t m = pages[0];

	(void)state;
	mtx_lock(&vm_mtx);
	vm_page_activate(m);
	vm_page_valid(m);
	vm_page_dirty(m);
	assert_true(vm_page_tryxbusy(m));
	m->object = NULL;
	vm_page_free(m);
	assert_int_equal(vm_pageq_count(PQ_ACTIVE), 0);
	mtx_unlock(&vm_mtx);
	assert_null(audit_pages());
}

static void
enqueue_unowned(void *arg)
{
	mtx_lock(&vm_mtx);
	((vm_page_t)arg)->object = NULL;
	vm_page_activate(arg);
}

static void
enqueue_unlocked(void *arg)
{
	vm_page_activate(arg);
}

static void
free_shared(void *arg)
{
	mtx_lock(&vm_mtx);
	((vm_page_t)arg)->object = NULL;
	(void)vm_page_trysbusy(arg);
	vm_page_free(arg);
}

static void
test_panics(void **state)
{
	(void)state;
#ifdef NDEBUG
	skip();
#endif
	assert_non_null(sim_expect_panic(enqueue_unowned, pages[0]));
	assert_non_null(sim_expect_panic(enqueue_unlocked, pages[1]));
	assert_non_null(sim_expect_panic(free_shared, pages[2]));
}

/*
 * What the audit finds.
 */

static void
break_wired(vm_page_t m)
{
	m->wire_count = 1;
}

static void
break_dirty(vm_page_t m)
{
	m->dirty = 2;
	m->valid = 1;
}

static void
break_owner(vm_page_t m)
{
	m->object = NULL;
}

/* It says that it is an object's, which does not have it. */
static void
break_lost(vm_page_t m)
{
	m->object = vm_object_allocate(OBJT_SWAP, 1);
	vm_page_aflag_set(m, VPG_OBJECT);
}

static void
break_no_queue(vm_page_t unused)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 1);
	vm_page_t m;

	(void)unused;
	mtx_lock(&vm_mtx);
	m = vm_page_alloc(object, 0, VM_ALLOC_NORMAL);
	assert_non_null(m);
	vm_page_xunbusy(m);
	mtx_unlock(&vm_mtx);
}

static void
break_free(vm_page_t m)
{
	vm_page_aflag_set(m, VPG_FREE);
}

static void
break_link(vm_page_t m)
{
	vm_page_array[m->next].prev = VM_PAGE_NONE;
}

static void
break_length(vm_page_t m)
{
	m->next = VM_PAGE_NONE;
}

static void
break_queue(vm_page_t m)
{
	vm_page_aflag_set(m, VPG_QUEUE);
}

static void
break_slab(vm_page_t m)
{
	vm_page_aflag_set(m, VPG_SLAB);
}

static void
break_free_count(vm_page_t m)
{
	(void)m;
	mtx_lock_spin(&vm_page_queue_free_mtx);
	vm_page_add_free(1);
	mtx_unlock_spin(&vm_page_queue_free_mtx);
}

static void
break_wire_count(vm_page_t m)
{
	(void)m;
	vm_wire_add(1);
}

static const struct broken {
	const char *name;
	void (*breaks)(vm_page_t m);
	const char *said;
} broken[] = {
	{ "audit: wired", break_wired, "wired, in a queue" },
	{ "audit: dirty", break_dirty, "dirty, not valid" },
	{ "audit: owner", break_owner, "used, of nobody" },
	{ "audit: lost", break_lost, "not found in its object" },
	{ "audit: no queue", break_no_queue, "unwired, in no queue" },
	{ "audit: slab", break_slab, "of no object" },
	{ "audit: free", break_free, "free, with an owner" },
	{ "audit: link", break_link, "wrong link back" },
	{ "audit: length", break_length, "pages in a queue: 51, counted 100" },
	{ "audit: queue", break_queue, "in another queue" },
	{ "audit: free count", break_free_count, "free: " },
	{ "audit: wire count", break_wire_count, "wired: " },
};

static void
test_audit(void **state)
{
	const struct broken *row = *state;
	const char *said;

	assert_int_equal(boot(state), 0);
	mtx_lock(&vm_mtx);
	for (int i = 0; i < NPAGES; i++)
		vm_page_deactivate(pages[i]);
	mtx_unlock(&vm_mtx);
	assert_null(audit_pages());
	row->breaks(pages[50]);
	said = audit_pages();
	assert_non_null(said);
	assert_non_null(strstr(said, row->said));
	assert_int_equal(halt(state), 0);
}

#define BOOTED(test) cmocka_unit_test_setup_teardown(test, boot, halt)

int
main(void)
{
	struct CMUnitTest tests[32] = {
		BOOTED(test_storm),
		BOOTED(test_act_count),
		BOOTED(test_free_of_queued),
		BOOTED(test_panics),
	};
	size_t ntests = 4;

	ADD_ROWS(tests, ntests, broken, test_audit);
	return (RUN_TESTS(tests, ntests));
}
