/* Objects and their pages: life, chains of shadows, ranges; a storm of forks. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/objects.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/sys/errno.h"
#include "kernel/vm/uma.h"
#include "kernel/vm/vm_object.h"

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x1100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static vm_pindex_t boot_free;

static int
power_on(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	/* What zones take once is no leak. */
	vm_object_deallocate(vm_object_allocate(OBJT_SWAP, 1));
	uma_reclaim(UMA_RECLAIM_DRAIN);
	boot_free = vm_free_count();
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	if (mtx_owned(&vm_mtx))
		mtx_unlock(&vm_mtx);
	sim_halt();
	return (0);
}

/* ---- What is true of all objects ---- */

static size_t
nobjects(void)
{
	vm_pindex_t npages;

	return (audit_objects(&npages));
}

static vm_pindex_t
npages_of_all(void)
{
	vm_pindex_t npages;

	(void)audit_objects(&npages);
	return (npages);
}

static void
assert_nothing_left(void)
{
	assert_int_equal(nobjects(), 0);
	uma_reclaim(UMA_RECLAIM_DRAIN);
	assert_true(vm_free_count() + 5 >= boot_free);
}

static vm_page_t
put_empty(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	VM_OBJECT_LOCK(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_ZERO);
	assert_non_null(m);
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	return (m);
}

/* A valid page whose first byte is value. */
static vm_page_t
put_page(vm_object_t object, vm_pindex_t pindex, char value)
{
	vm_page_t m = put_empty(object, pindex);

	VM_OBJECT_LOCK(object);
	vm_page_valid(m);
	vm_page_dirty(m);
	page_bytes(m)[0] = value;
	VM_OBJECT_UNLOCK(object);
	return (m);
}

/* A page for each letter but dots. */
static void
put_pages(vm_object_t object, const char *values)
{
	for (vm_pindex_t i = 0; values[i] != '\0'; i++) {
		if (values[i] != '.')
			(void)put_page(object, i, values[i]);
	}
}

/* What a reader of the first byte of a page sees through a chain. */
static char
see_page(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = NULL;

	VM_OBJECT_LOCK(object);
	while (object != NULL && (m = vm_page_lookup(object, pindex)) == NULL) {
		pindex += atop(object->backing_object_offset);
		object = object->backing_object;
	}
	mtx_unlock(&vm_mtx);
	return (m == NULL ? 0 : page_bytes(m)[0]);
}

static vm_object_t
shadow_of(vm_object_t object, vm_ooffset_t offset, vm_pindex_t npages)
{
	vm_object_reference(object);
	vm_object_shadow(&object, &offset, ptoa(npages));
	assert_int_equal(offset, 0);
	return (object);
}

/* ---- Pages of an object ---- */

/* Nodes for two pages each, and how much longer a dump is for them. */
static void
test_nodes_are_bulk(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 1024 * PCTRIE_COUNT);
	size_t dumped = sim_ndumped();

	(void)state;
	for (vm_pindex_t i = 0; i < 1024; i++) {
		(void)put_page(object, i * PCTRIE_COUNT, 'a');
		(void)put_page(object, i * PCTRIE_COUNT + 1, 'b');
	}
	assert_true(sim_ndumped() <= dumped + 6);
	vm_object_deallocate(object);
}

static void
test_page_comes_and_goes(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 8);
	vm_page_t m = put_page(object, 3, 'a');

	(void)state;
	mtx_lock(&vm_mtx);
	assert_ptr_equal(vm_page_lookup(object, 3), m);
	assert_null(vm_page_lookup(object, 2));
	assert_null(vm_page_lookup(object, (vm_pindex_t)UINT32_MAX + 4));
	assert_ptr_equal(vm_page_find_least(object, 0), m);
	assert_null(vm_page_find_least(object, 4));
	assert_null(vm_page_grab(object, 4, VM_ALLOC_NOCREAT));
	assert_ptr_equal(vm_page_grab(object, 3, VM_ALLOC_NOCREAT), m);
	vm_page_free(m);
	assert_null(vm_page_lookup(object, 3));
	assert_int_equal(object->resident_page_count, 0);
	mtx_unlock(&vm_mtx);
	vm_object_deallocate(object);
	assert_nothing_left();
}

static void
test_rename(void **state)
{
	vm_object_t from = vm_object_allocate(OBJT_SWAP, 8);
	vm_object_t to = vm_object_allocate(OBJT_SWAP, 8);
	vm_page_t m = put_page(from, 3, 'a');

	(void)state;
	mtx_lock(&vm_mtx);
	vm_page_undirty(m);
	assert_true(vm_page_tryxbusy(m));
	assert_int_equal(vm_page_rename(m, to, 5), 0);
	vm_page_xunbusy(m);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	mtx_unlock(&vm_mtx);
	assert_int_equal(see_page(from, 3), 0);
	assert_int_equal(see_page(to, 5), 'a');
	(void)nobjects();
	vm_object_deallocate(from);
	vm_object_deallocate(to);
	assert_nothing_left();
}

/* The last page of all goes to an object whose tree has no node for it. */
static void
test_no_memory_for_node(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 64);
	vm_page_t held[0x1000], m;
	size_t n = 0, inserted = 0;

	(void)state;
	mtx_lock(&vm_mtx);
	while (n < NROWS(held) &&
	    (held[n] = vm_page_alloc_noobj(VM_ALLOC_INTERRUPT)) != NULL)
		n++;
	for (vm_pindex_t i = 0; i < 64 && n > 0; i++) {
		m = held[--n];
		if (vm_page_insert(m, object, i << 8) == 0)
			inserted++;
		else
			vm_page_free(m);
	}
	assert_int_equal(object->resident_page_count, inserted);
	assert_true(inserted > 0 && inserted < 64);
	while (n > 0)
		vm_page_free(held[--n]);
	object->size = 1 << 16;
	mtx_unlock(&vm_mtx);
	(void)nobjects();
	vm_object_deallocate(object);
	assert_nothing_left();
}

struct grabber {
	vm_object_t object;
	vm_page_t got;
};

static void
grab(void *arg)
{
	struct grabber *grabber = arg;

	sim_pin(1);
	mtx_lock(&vm_mtx);
	grabber->got = vm_page_grab(grabber->object, 3, VM_ALLOC_NORMAL);
	vm_page_xunbusy(grabber->got);
	mtx_unlock(&vm_mtx);
}

/* A thread that waits for a busy page, which is freed, gets another. */
static void
test_grab_waits(void **state)
{
	struct grabber grabber = { vm_object_allocate(OBJT_SWAP, 8), NULL };
	vm_page_t m = put_page(grabber.object, 3, 'a');
	struct simthread *t;

	(void)state;
	mtx_lock(&vm_mtx);
	assert_true(vm_page_tryxbusy(m));
	mtx_unlock(&vm_mtx);
	t = sim_start(grab, &grabber);
	sim_wait_asleep(t);
	mtx_lock(&vm_mtx);
	vm_page_free(m);
	mtx_unlock(&vm_mtx);
	sim_join(t);
	assert_int_equal(grabber.got->valid, 0);
	vm_object_deallocate(grabber.object);
	assert_nothing_left();
}

/* ---- Shadows and what becomes of chains ---- */

static void
test_shadow_of_private(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 8), same = object;
	vm_ooffset_t offset = ptoa(2);

	(void)state;
	vm_object_shadow(&same, &offset, ptoa(4));
	assert_ptr_equal(same, object);
	assert_int_equal(offset, ptoa(2));
	vm_object_deallocate(object);
	assert_nothing_left();
}

static void
test_shadow_of_nothing(void **state)
{
	vm_object_t object = NULL;
	vm_ooffset_t offset = 0;

	(void)state;
	vm_object_shadow(&object, &offset, ptoa(4));
	assert_int_equal(object->size, 4);
	assert_null(object->backing_object);
	vm_object_deallocate(object);
	assert_nothing_left();
}

/*
 * An object of eight pages, "abcdefgh", and a shadow of the four from the second
 * on, which has written the pages of own.  The object's other reference goes,
 * and the shadow is as before, alone.
 */
static const struct absorb_row {
	const char *name;
	const char *own; /* a dot: not written to; ?: a page without contents */
	const char *seen;
	vm_pindex_t npages; /* that are left */
} absorb_rows[] = {
	{ "absorb: nothing is written", "....", "bcde", 4 },
	{ "absorb: one page is written", ".X..", "bXde", 4 },
	{ "absorb: all are written", "WXYZ", "WXYZ", 4 },
	{ "absorb: one page has no contents", "W?..", "Wcde", 4 },
};

static void
test_absorb(void **state)
{
	const struct absorb_row *row = *state;
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 8), shadow;

	for (vm_pindex_t i = 0; i < 8; i++)
		(void)put_page(object, i, (char)('a' + i));
	shadow = shadow_of(object, ptoa(1), 4);
	for (vm_pindex_t i = 0; i < 4; i++) {
		if (row->own[i] == '?')
			(void)put_empty(shadow, i);
		else if (row->own[i] != '.')
			(void)put_page(shadow, i, row->own[i]);
	}
	vm_object_deallocate(object);
	assert_null(shadow->backing_object);
	assert_int_equal(nobjects(), 1);
	for (vm_pindex_t i = 0; i < 4; i++)
		assert_int_equal(see_page(shadow, i), row->seen[i]);
	assert_int_equal(npages_of_all(), row->npages);
	vm_object_deallocate(shadow);
	assert_nothing_left();
}

/* What is in the way of an absorption, which comes when it is gone. */
enum way { BUSY, PAGING, PAGING_SHADOW, OTHER_USER, BUSY_ALREADY_COPIED };

static const struct {
	const char *name;
	enum way way;
} way_rows[] = {
	{ "no absorption: a busy page", BUSY },
	{ "no absorption: the backing object is being paged", PAGING },
	{ "no absorption: the shadow is being paged", PAGING_SHADOW },
	{ "no absorption: one more reference", OTHER_USER },
	{ "no absorption: a busy page that is not seen", BUSY_ALREADY_COPIED },
};

static void
bar(enum way way, vm_object_t object, vm_object_t shadow, vm_page_t m)
{
	mtx_lock(&vm_mtx);
	if (way == BUSY || way == BUSY_ALREADY_COPIED)
		assert_true(vm_page_tryxbusy(m));
	if (way == PAGING)
		vm_object_pip_add(object, 1);
	if (way == PAGING_SHADOW)
		vm_object_pip_add(shadow, 1);
	if (way == OTHER_USER)
		vm_object_reference_locked(object);
	mtx_unlock(&vm_mtx);
}

static void
unbar(enum way way, vm_object_t object, vm_object_t shadow, vm_page_t m)
{
	mtx_lock(&vm_mtx);
	if (way == BUSY || way == BUSY_ALREADY_COPIED)
		vm_page_xunbusy(m);
	if (way == PAGING)
		vm_object_pip_wakeup(object);
	if (way == PAGING_SHADOW)
		vm_object_pip_wakeup(shadow);
	mtx_unlock(&vm_mtx);
	if (way == OTHER_USER)
		vm_object_deallocate(object);
}

static void
test_barred(void **state)
{
	enum way way = *(const enum way *)((const char *)*state +
	    offsetof(__typeof__(way_rows[0]), way));
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 4), shadow;
	vm_page_t m = put_page(object, 1, 'a');

	(void)put_page(object, 2, 'b');
	shadow = shadow_of(object, 0, 4);
	if (way == BUSY_ALREADY_COPIED)
		(void)put_page(shadow, 1, 'X');
	bar(way, object, shadow, m);
	mtx_lock(&vm_mtx);
	object->ref_count--; /* its first user is gone */
	assert_false(vm_object_collapse(shadow));
	mtx_unlock(&vm_mtx);
	assert_ptr_equal(shadow->backing_object, object);
	assert_ptr_equal(vm_page_object(m), object);
	unbar(way, object, shadow, m);
	mtx_lock(&vm_mtx);
	assert_false(vm_object_collapse(shadow));
	mtx_unlock(&vm_mtx);
	assert_null(shadow->backing_object);
	assert_int_equal(see_page(shadow, 2), 'b');
	vm_object_deallocate(shadow);
	assert_nothing_left();
}

/*
 * An object has the pages of has, and two shadows.  The pages of own are the
 * first one's; is it free of the object then?
 */
static const struct bypass_row {
	const char *name;
	const char *has;
	const char *own;
	unsigned int bypassed; /* objects that the first one is rid of */
} bypass_rows[] = {
	{ "bypass: an empty object", "....", "....", 1 },
	{ "bypass: all pages are copied", ".bc.", ".BC.", 1 },
	{ "bypass: all pages that there can be", "abcd", "ABCD", 2 },
	{ "no bypass: one page is not copied", ".bc.", ".B..", 0 },
};

static void
test_bypass(void **state)
{
	const struct bypass_row *row = *state;
	vm_object_t last = vm_object_allocate(OBJT_SWAP, 4);
	vm_object_t object = shadow_of(last, 0, 4);
	vm_object_t first = shadow_of(object, 0, 4);
	vm_object_t second = shadow_of(object, 0, 4);
	char seen[4];

	put_pages(last, "1...");
	put_pages(object, row->has);
	put_pages(first, row->own);
	for (vm_pindex_t i = 0; i < 4; i++)
		seen[i] = see_page(first, i);
	mtx_lock(&vm_mtx);
	(void)vm_object_collapse(first);
	mtx_unlock(&vm_mtx);
	assert_ptr_equal(first->backing_object,
	    ((vm_object_t[]){ object, last, NULL })[row->bypassed]);
	for (vm_pindex_t i = 0; i < 4; i++)
		assert_int_equal(see_page(first, i), seen[i]);
	(void)nobjects();
	vm_object_deallocate(first);
	vm_object_deallocate(object);
	vm_object_deallocate(last);
	vm_object_deallocate(second);
	assert_nothing_left();
}

/* Offsets add up along a chain, whichever object goes. */
static void
test_offsets_add_up(void **state)
{
	vm_object_t a = vm_object_allocate(OBJT_SWAP, 16), b, c;

	(void)state;
	(void)put_page(a, 7, 'x');
	b = shadow_of(a, ptoa(4), 8);
	c = shadow_of(b, ptoa(2), 4);
	assert_int_equal(see_page(c, 1), 'x');
	vm_object_deallocate(b);
	assert_ptr_equal(c->backing_object, a);
	assert_int_equal(see_page(c, 1), 'x');
	vm_object_deallocate(a);
	assert_null(c->backing_object);
	assert_int_equal(see_page(c, 1), 'x');
	assert_int_equal(npages_of_all(), 1);
	vm_object_deallocate(c);
	assert_nothing_left();
}

/* ---- Chains of any length ---- */

#define DEEP 100000

static void
test_fork_and_exit(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 8), child;

	(void)state;
	for (vm_pindex_t i = 0; i < 8; i++)
		(void)put_page(object, i, (char)('a' + i));
	for (unsigned int i = 0; i < DEEP; i++) {
		child = shadow_of(object, 0, 8);
		(void)put_page(child, i % 8, (char)i);
		vm_object_deallocate(object);
		object = child;
		if (i % 1000 == 0)
			assert_int_equal(nobjects(), 1);
	}
	assert_int_equal(nobjects(), 1);
	assert_int_equal(npages_of_all(), 8);
	for (unsigned int i = DEEP - 8; i < DEEP; i++)
		assert_int_equal(see_page(object, i % 8), (char)i);
	vm_object_deallocate(object);
	assert_nothing_left();
}

#define LIVING 10000 /* what 16 MB of memory has room for */

/* Nobody exits until all are there; then the first do, or the last. */
static const struct living_row {
	const char *name;
	bool oldest_first;
} living_rows[] = {
	{ "a long chain, the newest end first", false },
	{ "a long chain, the oldest end first", true },
};

static void
test_living(void **state)
{
	static vm_object_t objects[LIVING];
	const struct living_row *row = *state;

	objects[0] = vm_object_allocate(OBJT_SWAP, 1);
	(void)put_page(objects[0], 0, 'a');
	for (unsigned int i = 1; i < LIVING; i++)
		objects[i] = shadow_of(objects[i - 1], 0, 1);
	assert_int_equal(see_page(objects[LIVING - 1], 0), 'a');
	for (unsigned int i = 0; i < LIVING; i++)
		vm_object_deallocate(
		    objects[row->oldest_first ? i : LIVING - 1 - i]);
	assert_nothing_left();
}

/* The object that all the others are only kept by goes: none is left. */
static void
test_chain_by_one_reference(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 1), next;

	(void)state;
	(void)put_page(object, 0, 'a');
	for (unsigned int i = 1; i < LIVING; i++) {
		next = shadow_of(object, 0, 1);
		/* Its first user is gone, and it was not absorbed. */
		mtx_lock(&vm_mtx);
		object->ref_count--;
		mtx_unlock(&vm_mtx);
		object = next;
	}
	assert_int_equal(nobjects(), LIVING);
	vm_object_deallocate(object);
	assert_nothing_left();
}

/* One call does a bounded part, and says that there is more. */
static void
test_absorb_in_parts(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 2500), shadow;
	unsigned int calls = 1;

	(void)state;
	for (vm_pindex_t i = 0; i < 2500; i++)
		(void)put_page(object, i, 'a');
	shadow = shadow_of(object, 0, 2500);
	mtx_lock(&vm_mtx);
	object->ref_count--;
	while (vm_object_collapse(shadow)) {
		assert_true(shadow->resident_page_count < 2500);
		calls++;
	}
	mtx_unlock(&vm_mtx);
	assert_true(calls > 2);
	assert_null(shadow->backing_object);
	assert_int_equal(shadow->resident_page_count, 2500);
	vm_object_deallocate(shadow);
	assert_nothing_left();
}

/* ---- Ranges ---- */

static const struct coalesce_row {
	const char *name;
	vm_pindex_t size; /* of the object; its first 4 pages are shown */
	uint32_t refs;
	bool shadow;
	bool phys;
	bool can;
} coalesce_rows[] = {
	{ "coalesce: one user", 4, 1, false, false, true },
	{ "coalesce: over what was unmapped", 6, 1, false, false, true },
	{ "coalesce: within the object", 16, 1, false, false, true },
	{ "coalesce: two users, at the end", 4, 2, false, false, true },
	{ "no coalescing: two users", 6, 2, false, false, false },
	{ "no coalescing: a shadow", 4, 1, true, false, false },
	{ "no coalescing: an object with a name", 4, 1, false, true, false },
};

static void
test_coalesce(void **state)
{
	const struct coalesce_row *row = *state;
	vm_object_t object =
	    vm_object_allocate(row->phys ? OBJT_PHYS : OBJT_SWAP, row->size);
	vm_object_t last = NULL;

	if (row->shadow) {
		last = object;
		(void)put_page(last, 0, 'y');
		object = shadow_of(last, 0, row->size);
	}
	if (row->refs == 2)
		vm_object_reference(object);
	if (row->size > 4)
		(void)put_page(object, 5, 'x');
	assert_int_equal(vm_object_coalesce(object, 0, ptoa(4), ptoa(4)),
	    row->can);
	assert_int_equal(object->size,
	    row->can && row->size < 8 ? 8 : row->size);
	assert_int_equal(see_page(object, 5),
	    row->size > 4 && !row->can ? 'x' : 0);
	vm_object_deallocate(object);
	vm_object_deallocate(row->refs == 2 ? object : last);
	assert_nothing_left();
}

static const struct remove_row {
	const char *name;
	vm_pindex_t start, end;
	unsigned int options;
	const char *left; /* of "abcdef": a and b are clean */
} remove_rows[] = {
	{ "remove: all", 0, 0, 0, "......" },
	{ "remove: a range", 1, 3, 0, "a..def" },
	{ "remove: the last", 5, 6, 0, "abcde." },
	{ "remove: beyond the end", 6, 60, 0, "abcdef" },
	{ "remove: only clean pages", 0, 0, OBJPR_CLEANONLY, "..cdef" },
	{ "remove: pages that are not mapped", 2, 4, OBJPR_NOTMAPPED,
	    "ab..ef" },
};

static void
test_remove(void **state)
{
	const struct remove_row *row = *state;
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 6);

	put_pages(object, "abcdef");
	mtx_lock(&vm_mtx);
	vm_page_undirty(vm_page_lookup(object, 0));
	vm_page_undirty(vm_page_lookup(object, 1));
	vm_object_page_remove(object, row->start, row->end, row->options);
	mtx_unlock(&vm_mtx);
	for (vm_pindex_t i = 0; i < 6; i++)
		assert_int_equal(see_page(object, i),
		    row->left[i] == '.' ? 0 : row->left[i]);
	(void)nobjects();
	vm_object_deallocate(object);
	assert_nothing_left();
}

/* A wired page stays where it is, and says nothing any more. */
static void
test_remove_wired(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_SWAP, 6);
	vm_page_t m = put_page(object, 2, 'a');

	(void)state;
	mtx_lock(&vm_mtx);
	vm_page_wire(m);
	vm_object_page_remove(object, 0, 0, 0);
	assert_ptr_equal(vm_page_lookup(object, 2), m);
	assert_true(vm_page_none_valid(m));
	assert_false(vm_page_busied(m));
	mtx_unlock(&vm_mtx);
	vm_object_deallocate(object);
	assert_null(vm_page_object(m));
	free_page(m);
	assert_nothing_left();
}

/* ---- A storm of forks: processes with one entry, against plain arrays ---- */

#define NPROCS 8
#define SIZE   16 /* pages */
#define STEPS  60000
#define UNBORN NULL

static struct proc_model {
	vm_object_t object;
	bool needs_copy;
	char bytes[SIZE];
} procs[NPROCS];

static void
storm_fork(struct proc_model *parent, struct proc_model *child)
{
	vm_object_reference(parent->object);
	parent->needs_copy = true;
	*child = *parent;
}

static void
storm_write(struct proc_model *proc, vm_pindex_t pindex, char value)
{
	vm_ooffset_t offset = 0;

	if (proc->needs_copy)
		vm_object_shadow(&proc->object, &offset, ptoa(SIZE));
	proc->needs_copy = false;
	(void)put_page(proc->object, pindex, value);
	proc->bytes[pindex] = value;
}

static void
storm_step(uint32_t *seed)
{
	struct proc_model *proc = &procs[sim_random(seed) % NPROCS];
	struct proc_model *other = &procs[sim_random(seed) % NPROCS];
	vm_pindex_t pindex = sim_random(seed) % SIZE;
	uint32_t what = sim_random(seed) % 16;

	if (proc->object == UNBORN) {
		proc->object = vm_object_allocate(OBJT_SWAP, SIZE);
		proc->needs_copy = false;
		memset(proc->bytes, 0, SIZE);
	} else if (what == 0) {
		vm_object_deallocate(proc->object);
		proc->object = UNBORN;
	} else if (what <= 2 && other->object == UNBORN) {
		storm_fork(proc, other);
	} else if (what <= 9) {
		storm_write(proc, pindex, (char)sim_random(seed));
	} else if (what == 10) {
		mtx_lock(&vm_mtx);
		(void)vm_object_collapse(proc->object);
		mtx_unlock(&vm_mtx);
	} else {
		assert_int_equal(see_page(proc->object, pindex),
		    proc->bytes[pindex]);
	}
}

static void
check_procs(void)
{
	for (size_t i = 0; i < NPROCS; i++) {
		if (procs[i].object == UNBORN)
			continue;
		for (vm_pindex_t pindex = 0; pindex < SIZE; pindex++)
			assert_int_equal(see_page(procs[i].object, pindex),
			    procs[i].bytes[pindex]);
	}
}

static void
test_storm(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned int step = 0; step < STEPS; step++) {
		storm_step(&seed);
		if (step % 1000 == 0) {
			check_procs();
			assert_true(nobjects() <= 2 * NPROCS);
		}
	}
	for (size_t i = 0; i < NPROCS; i++) {
		vm_object_deallocate(procs[i].object);
		procs[i].object = UNBORN;
	}
	assert_nothing_left();
}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_nodes_are_bulk),
		cmocka_unit_test(test_page_comes_and_goes),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_no_memory_for_node),
		cmocka_unit_test(test_grab_waits),
		cmocka_unit_test(test_shadow_of_private),
		cmocka_unit_test(test_shadow_of_nothing),
		cmocka_unit_test(test_offsets_add_up),
		cmocka_unit_test(test_fork_and_exit),
		cmocka_unit_test(test_chain_by_one_reference),
		cmocka_unit_test(test_absorb_in_parts),
		cmocka_unit_test(test_remove_wired),
		cmocka_unit_test(test_storm),
	};
	size_t ntests = 13;

	ADD_ROWS(tests, ntests, absorb_rows, test_absorb);
	ADD_ROWS(tests, ntests, way_rows, test_barred);
	ADD_ROWS(tests, ntests, bypass_rows, test_bypass);
	ADD_ROWS(tests, ntests, living_rows, test_living);
	ADD_ROWS(tests, ntests, coalesce_rows, test_coalesce);
	ADD_ROWS(tests, ntests, remove_rows, test_remove);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = power_on;
		tests[i].teardown_func = power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
