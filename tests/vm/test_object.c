/* Objects and their pages: life, shadows, ranges. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
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
	uma_reclaim();
	boot_free = vm_cnt.v_free_count;
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

static void
audit_object(vm_object_t object)
{
	vm_pindex_t npages = 0;
	uint32_t nshadows = 0;
	vm_object_t shadow;
	vm_page_t m;

	for (vm_pindex_t at = 0; (m = vm_page_find_least(object, at)) != NULL;
	     at = (vm_pindex_t)m->pindex + 1) {
		assert_ptr_equal(vm_page_object(m), object);
		assert_true(m->pindex < object->size);
		npages++;
	}
	assert_int_equal(npages, object->resident_page_count);
	LIST_FOREACH(shadow, &object->shadow_head, shadow_list) {
		assert_ptr_equal(shadow->backing_object, object);
		nshadows++;
	}
	assert_int_equal(nshadows, object->shadow_count);
	assert_true(object->ref_count >= nshadows && object->ref_count > 0);
	assert_int_equal(object->paging_in_progress, 0);
}

/* How many objects there are, and how many pages they have. */
static size_t
audit(vm_pindex_t *npages)
{
	vm_object_t object;
	size_t n = 0;

	mtx_lock(&vm_mtx);
	*npages = 0;
	TAILQ_FOREACH(object, &vm_object_list, object_list) {
		audit_object(object);
		*npages += object->resident_page_count;
		n++;
	}
	mtx_unlock(&vm_mtx);
	return (n);
}

static size_t
nobjects(void)
{
	vm_pindex_t npages;

	return (audit(&npages));
}

static void
assert_nothing_left(void)
{
	assert_int_equal(nobjects(), 0);
	uma_reclaim();
	assert_true(vm_cnt.v_free_count + 4 >= boot_free);
}

/* A valid page whose first byte is value. */
static vm_page_t
put_page(vm_object_t object, vm_pindex_t pindex, char value)
{
	vm_page_t m;

	VM_OBJECT_LOCK(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_ZERO);
	assert_non_null(m);
	vm_page_valid(m);
	vm_page_dirty(m);
	page_bytes(m)[0] = value;
	vm_page_xunbusy(m);
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

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_page_comes_and_goes),
		cmocka_unit_test(test_rename),
		cmocka_unit_test(test_no_memory_for_node),
		cmocka_unit_test(test_grab_waits),
		cmocka_unit_test(test_shadow_of_private),
		cmocka_unit_test(test_shadow_of_nothing),
		cmocka_unit_test(test_remove_wired),
	};
	size_t ntests = 7;

	ADD_ROWS(tests, ntests, coalesce_rows, test_coalesce);
	ADD_ROWS(tests, ntests, remove_rows, test_remove);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = power_on;
		tests[i].teardown_func = power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
