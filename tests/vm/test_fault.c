/*
 * One fault a row: what it says, and what is seen afterwards.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_object.h"

#define FIRST  UINT64_C(0x40000000)
#define NPAGES 16
#define R      VM_PROT_READ
#define W      VM_PROT_WRITE
#define X      VM_PROT_EXECUTE

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x900000, 0, 0 },
	.kva_size = 16 << 20,
	.ncpus = 1,
	.pinned = true,
};

static struct pmap pmap;
static struct vm_map map;

/* An object whose page n is full of n + 1, but for those that it has not got. */
static vm_object_t object;
#define NOBJECT 8

static void
fill_object(void)
{
	object = vm_object_allocate(OBJT_VNODE, NOBJECT);
	VM_OBJECT_LOCK(object);
	for (unsigned int i = 0; i < NOBJECT - 1; i++) {
		vm_page_t m = vm_page_alloc(object, i, VM_ALLOC_NORMAL);

		assert_non_null(m);
		memset(page_bytes(m), (int)i + 1, PAGE_SIZE);
		vm_page_valid(m);
		vm_page_xunbusy(m);
	}
	VM_OBJECT_UNLOCK(object);
}

static void
insert(unsigned int page, unsigned int npages, struct vm_map_what what)
{
	vm_object_reference(what.object);
	vm_map_lock(&map);
	assert_int_equal(vm_map_insert(&map, FIRST + ptoa(page),
			     FIRST + ptoa(page + npages), &what),
	    KERN_SUCCESS);
	vm_map_unlock(&map);
}

/*
 *	0, 1	zeros; writable
 *	2	nothing
 *	3	a guard
 *	4	zeros, without any right
 *	5, 6, 7	zeros: to be read; written; executed
 *	8...	pages 1... of the object, shared, past its end
 */
static void
power_on(void)
{
	sim_boot(&config);
	assert_int_equal(pmap_pinit(&pmap), 0);
	sim_pin(0);
	pmap_activate(&pmap);
	vm_map_startup();
	vm_map_init(&map, &pmap, FIRST, FIRST + ptoa(NPAGES));
	fill_object();
	insert(0, 2, (struct vm_map_what){ .prot = R | W, .max = R | W });
	insert(3, 1, (struct vm_map_what){ .cow = MAP_CREATE_GUARD });
	insert(4, 1, (struct vm_map_what){ .max = R | W });
	insert(5, 1, (struct vm_map_what){ .prot = R, .max = R });
	insert(6, 1, (struct vm_map_what){ .prot = W, .max = W });
	insert(7, 1, (struct vm_map_what){ .prot = X, .max = X });
	insert(8, 8,
	    (struct vm_map_what){ .object = object,
		.offset = PAGE_SIZE,
		.prot = R | W,
		.max = R | W });
}

static void
power_off(void)
{
	pmap_activate(kernel_pmap);
	assert_int_equal(vm_map_remove(&map, FIRST, FIRST + ptoa(NPAGES)),
	    KERN_SUCCESS);
	vm_object_deallocate(object);
	assert_true(TAILQ_EMPTY(&vm_object_list));
	vm_map_fini(&map);
	pmap_release(&pmap);
	sim_halt();
}

static const struct row {
	const char *name;
	unsigned int page;
	vm_prot_t access;
	int expect;
	unsigned int mmu; /* then such an access works */
	int byte;	  /* and sees this */
} rows[] = {
	{ "before the map", (unsigned int)-1, R, KERN_INVALID_ADDRESS, 0, 0 },
	{ "past the map", NPAGES, R, KERN_INVALID_ADDRESS, 0, 0 },
	{ "a hole", 2, R, KERN_INVALID_ADDRESS, 0, 0 },
	{ "a guard", 3, R, KERN_PROTECTION_FAILURE, 0, 0 },
	{ "no rights", 4, R, KERN_PROTECTION_FAILURE, 0, 0 },
	{ "write, to be read", 5, W, KERN_PROTECTION_FAILURE, 0, 0 },
	{ "read, to be written", 6, R, KERN_PROTECTION_FAILURE, 0, 0 },
	{ "execute, to be read", 5, X, KERN_PROTECTION_FAILURE, 0, 0 },
	{ "zeros, read", 0, R, KERN_SUCCESS, MMU_READ, 0 },
	{ "zeros, written", 1, W, KERN_SUCCESS, MMU_WRITE, 0 },
	{ "zeros, only read", 5, R, KERN_SUCCESS, MMU_READ, 0 },
	{ "zeros, only written", 6, W, KERN_SUCCESS, MMU_WRITE, 0 },
	{ "zeros, only executed", 7, X, KERN_SUCCESS, MMU_EXECUTE, 0 },
	{ "an object's page, read", 8, R, KERN_SUCCESS, MMU_READ, 2 },
	{ "an object's page, written", 9, W, KERN_SUCCESS, MMU_WRITE, 3 },
	{ "past the end of an object", 15, R, KERN_OUT_OF_BOUNDS, 0, 0 },
};

static void
test_row(void **state)
{
	const struct row *r = *state;
	vm_offset_t va = FIRST + (vm_offset_t)(int)r->page * PAGE_SIZE;
	const unsigned char *got;

	power_on();
	assert_int_equal(vm_fault(&map, va + 5, r->access, VM_FAULT_NORMAL),
	    r->expect);
	got = r->page < NPAGES ? mmu_access(0, va, MMU_USER | r->mmu) : NULL;
	if (r->expect == KERN_SUCCESS) {
		assert_non_null(got);
		assert_int_equal(*got, r->byte);
	} else {
		assert_null(got);
	}
	power_off();
}

/* The page that an entry's first object has. */
static vm_page_t
page_of_entry(vm_offset_t va)
{
	vm_map_entry_t entry;
	vm_page_t m;

	vm_map_lock_read(&map);
	assert_true(vm_map_lookup_entry(&map, va, &entry));
	mtx_lock(&vm_mtx);
	m = vm_page_lookup(entry->object,
	    atop(va - entry->start + entry->offset));
	mtx_unlock(&vm_mtx);
	vm_map_unlock_read(&map);
	return (m);
}

/* A page is dirty from the fault on that lets it be written to. */
static void
test_dirty(void **state)
{
	(void)state;
	power_on();
	assert_int_equal(vm_fault(&map, FIRST + ptoa(9), R, VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_int_equal(page_of_entry(FIRST + ptoa(9))->dirty, 0);
	assert_int_equal(vm_fault(&map, FIRST + ptoa(9), W, VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_int_equal(page_of_entry(FIRST + ptoa(9))->dirty,
	    VM_PAGE_BITS_ALL);
	power_off();
}

/*
 * The only shadow of an object takes its page when it is written to, and has a copy
 * if that page is wired: who wired it may be reading from it.
 */
static const struct move_row {
	const char *name;
	bool wired;
} move_rows[] = {
	{ "write to a shadow: the page moves", false },
	{ "write to a shadow: a wired page is copied", true },
};

static void
test_move(void **state)
{
	const struct move_row *r = *state;
	vm_object_t backing, shadow;
	vm_ooffset_t offset = 0;
	vm_page_t m;

	power_on();
	shadow = backing = vm_object_allocate(OBJT_SWAP, 1);
	VM_OBJECT_LOCK(backing);
	m = vm_page_grab(backing, 0, VM_ALLOC_NORMAL | VM_ALLOC_ZERO);
	vm_page_valid(m);
	if (r->wired)
		vm_page_wire(m);
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(backing);
	vm_object_reference(backing);
	vm_object_shadow(&shadow, &offset, PAGE_SIZE);
	VM_OBJECT_LOCK(backing);
	backing->ref_count--; /* vm_object_deallocate() would collapse them */
	VM_OBJECT_UNLOCK(backing);

	insert(2, 1,
	    (struct vm_map_what){ .object = shadow,
		.prot = R | W,
		.max = R | W });
	assert_int_equal(vm_fault(&map, FIRST + ptoa(2), W, VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_int_equal(page_of_entry(FIRST + ptoa(2)) == m, !r->wired);
	mtx_lock(&vm_mtx);
	if (r->wired)
		vm_page_unwire(m, PQ_ACTIVE);
	mtx_unlock(&vm_mtx);
	vm_object_deallocate(shadow);
	power_off();
}

/* Pages around it that are there are mapped, too, but not to be written to. */
static void
test_around(void **state)
{
	(void)state;
	power_on();
	assert_int_equal(vm_fault(&map, FIRST + ptoa(9), W, VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	for (unsigned int page = 8; page < 14; page++)
		assert_non_null(mmu_access(0, FIRST + ptoa(page),
		    MMU_USER | MMU_READ));
	assert_null(mmu_access(0, FIRST + ptoa(10), MMU_USER | MMU_WRITE));
	power_off();
}

/* A private page follows the object until it is written to, which that never is. */
static void
test_copy_on_write(void **state)
{
	vm_offset_t va = FIRST + ptoa(2);
	unsigned char *shared, *private;

	(void)state;
	power_on();
	insert(2, 1,
	    (struct vm_map_what){ .object = object,
		.offset = PAGE_SIZE,
		.prot = R | W,
		.max = R | W,
		.cow = MAP_COPY_ON_WRITE });
	assert_int_equal(vm_fault(&map, FIRST + ptoa(8), W, VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_int_equal(vm_fault(&map, va, R, VM_FAULT_NORMAL), KERN_SUCCESS);
	shared = mmu_access(0, FIRST + ptoa(8), MMU_USER | MMU_WRITE);
	assert_ptr_equal(mmu_access(0, va, MMU_USER | MMU_READ), shared);
	assert_null(mmu_access(0, va, MMU_USER | MMU_WRITE));
	*shared = 77;

	assert_int_equal(vm_fault(&map, va, W, VM_FAULT_NORMAL), KERN_SUCCESS);
	private = mmu_access(0, va, MMU_USER | MMU_WRITE);
	assert_ptr_not_equal(private, shared);
	assert_int_equal(*private, 77);
	assert_int_equal(private[1], 2);
	*private = 88;
	assert_int_equal(*shared, 77);
	power_off();
}

/* ---- Stacks ---- */

#define NSTACK 100 /* pages, from SFIRST on, the last of which is mapped */
#define SFIRST (FIRST + ((vm_offset_t)NPAGES << PAGE_SHIFT))

static const struct stack_row {
	const char *name;
	unsigned int page;
	int expect;
	unsigned int first; /* the lowest page of the stack then */
} stack_rows[] = {
	{ "stack: what is mapped", 99, KERN_SUCCESS, 99 },
	{ "stack: one page more", 98, KERN_SUCCESS, 67 },
	{ "stack: the last of these", 67, KERN_SUCCESS, 67 },
	{ "stack: one more than these", 66, KERN_SUCCESS, 66 },
	{ "stack: nearly all", 1, KERN_SUCCESS, 1 },
	{ "stack: all of it", 0, KERN_PROTECTION_FAILURE, 99 },
};

static void
test_stack(void **state)
{
	const struct stack_row *r = *state;
	const struct vm_map_what what = { .prot = R | W, .max = R | W };
	struct vm_map stack;
	vm_map_entry_t entry;

	power_on();
	vm_map_init(&stack, &pmap, SFIRST, SFIRST + ptoa(NSTACK));
	assert_int_equal(vm_map_stack(&stack, SFIRST, ptoa(NSTACK), PAGE_SIZE,
			     &what),
	    KERN_SUCCESS);
	assert_int_equal(vm_fault(&stack, SFIRST + ptoa(r->page), W,
			     VM_FAULT_NORMAL),
	    r->expect);
	vm_map_lock_read(&stack);
	assert_null(vm_map_audit(&stack));
	entry = stack.header.next;
	assert_true((entry->eflags & MAP_ENTRY_STACK_GAP_DN) != 0);
	assert_int_equal(atop(entry->end - SFIRST), r->first);
	vm_map_unlock_read(&stack);
	assert_int_equal(vm_map_remove(&stack, SFIRST, SFIRST + ptoa(NSTACK)),
	    KERN_SUCCESS);
	vm_map_fini(&stack);
	power_off();
}

/* An access that fails, not of a stack, leaves the map to others. */
static void
test_failure_shares_map(void **state)
{
	uint32_t owned;

	(void)state;
	power_on();
	owned = map.timestamp;
	assert_int_equal(vm_fault(&map, FIRST + ptoa(5), W, VM_FAULT_NORMAL),
	    KERN_PROTECTION_FAILURE);
	assert_int_equal(vm_fault(&map, FIRST + ptoa(3), W, VM_FAULT_NORMAL),
	    KERN_PROTECTION_FAILURE);
	assert_int_equal(map.timestamp, owned);
	power_off();
}

static const struct bad_stack {
	const char *name;
	unsigned int first;
	vm_size_t size, mapped;
	int expect;
} bad_stacks[] = {
	{ "stack: no page is left as a guard", 2, 2, 2, KERN_INVALID_ARGUMENT },
	{ "stack: nothing is mapped", 2, 2, 0, KERN_INVALID_ARGUMENT },
	{ "stack: one page", 2, 1, 1, KERN_INVALID_ARGUMENT },
	{ "stack: something is where it may grow", 1, 3, 1, KERN_NO_SPACE },
	{ "stack: something is where it is", 2, 2, 1, KERN_NO_SPACE },
	{ "stack: past the map", 2, NPAGES, 1, KERN_INVALID_ADDRESS },
};

static void
test_bad_stack(void **state)
{
	const struct bad_stack *r = *state;
	const struct vm_map_what what = { .prot = R | W, .max = R | W };
	uint32_t nentries;

	power_on();
	nentries = map.nentries;
	assert_int_equal(vm_map_stack(&map, FIRST + ptoa(r->first),
			     ptoa(r->size), ptoa(r->mapped), &what),
	    r->expect);
	assert_int_equal(map.nentries, nentries);
	power_off();
}

/* ---- Wiring ---- */

/* Pages first to end - 1, as in power_on(). */
static const struct wire_row {
	const char *name;
	unsigned int first, end;
	unsigned int flags;
	int wire;
	vm_pindex_t wired; /* then; pages */
	int unwire;	   /* and to let go of all of it */
} wire_rows[] = {
	{ "wire: zeros", 0, 2, VM_MAP_WIRE_USER, KERN_SUCCESS, 2,
	    KERN_SUCCESS },
	{ "wire: for the kernel", 0, 2, VM_MAP_WIRE_SYSTEM, KERN_SUCCESS, 2,
	    KERN_SUCCESS },
	{ "wire: an object's pages", 8, 14, VM_MAP_WIRE_USER, KERN_SUCCESS, 6,
	    KERN_SUCCESS },
	{ "wire: to be read, written, executed", 5, 8, VM_MAP_WIRE_USER,
	    KERN_SUCCESS, 3, KERN_SUCCESS },
	{ "wire: nothing", 2, 2, VM_MAP_WIRE_USER, KERN_SUCCESS, 0,
	    KERN_SUCCESS },
	{ "wire: a hole", 1, 3, VM_MAP_WIRE_USER, KERN_INVALID_ADDRESS, 0,
	    KERN_INVALID_ARGUMENT },
	{ "wire: a guard", 3, 4, VM_MAP_WIRE_USER, KERN_INVALID_ADDRESS, 0,
	    KERN_INVALID_ARGUMENT },
	{ "wire: no rights", 4, 5, VM_MAP_WIRE_USER, KERN_INVALID_ADDRESS, 0,
	    KERN_INVALID_ARGUMENT },
	{ "wire: over holes", 0, 8, VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK,
	    KERN_SUCCESS, 5, KERN_SUCCESS },
	{ "wire: past the end of an object", 8, 16, VM_MAP_WIRE_USER,
	    KERN_OUT_OF_BOUNDS, 0, KERN_INVALID_ARGUMENT },
	{ "wire: past the map", 8, NPAGES + 1, VM_MAP_WIRE_USER,
	    KERN_INVALID_ADDRESS, 0, KERN_INVALID_ADDRESS },
};

/* Wirings of pages of objects. */
static vm_pindex_t
count_wirings(void)
{
	vm_object_t o;
	vm_pindex_t n = 0;

	mtx_lock(&vm_mtx);
	TAILQ_FOREACH(o, &vm_object_list, object_list) {
		for (vm_pindex_t i = 0; i < o->size; i++) {
			vm_page_t m = vm_page_lookup(o, i);

			n += m != NULL ? m->wire_count : 0;
		}
	}
	mtx_unlock(&vm_mtx);
	return (n);
}

static void
check_wired(vm_pindex_t npages)
{
	vm_map_lock_read(&map);
	assert_null(vm_map_audit(&map));
	vm_map_unlock_read(&map);
	assert_int_equal(pmap_wired_count(&pmap), npages);
	assert_int_equal(count_wirings(), npages);
}

static void
test_wire(void **state)
{
	const struct wire_row *r = *state;
	vm_offset_t start = FIRST + ptoa(r->first), end = FIRST + ptoa(r->end);
	uint32_t nentries;

	power_on();
	nentries = map.nentries;
	assert_int_equal(vm_map_wire(&map, start, end, r->flags), r->wire);
	check_wired(r->wired);
	assert_int_equal(vm_map_unwire(&map, start, end, r->flags), r->unwire);
	check_wired(0);
	assert_int_equal(map.nentries, nentries);
	power_off();
}

/* mlock(2) counts once; the kernel beside it. */
static void
test_wire_twice(void **state)
{
	const vm_offset_t start = FIRST, end = FIRST + 2 * PAGE_SIZE;

	(void)state;
	power_on();
	assert_int_equal(vm_map_wire(&map, start, end, VM_MAP_WIRE_USER), 0);
	assert_int_equal(vm_map_wire(&map, start, end, VM_MAP_WIRE_USER), 0);
	assert_int_equal(vm_map_wire(&map, start, end, VM_MAP_WIRE_SYSTEM), 0);
	assert_int_equal(vm_map_unwire(&map, start, end, VM_MAP_WIRE_USER), 0);
	assert_int_equal(pmap_wired_count(&pmap), 2);
	assert_int_equal(vm_map_unwire(&map, start, end, VM_MAP_WIRE_USER),
	    KERN_INVALID_ARGUMENT);
	assert_int_equal(vm_map_unwire(&map, start, end, VM_MAP_WIRE_SYSTEM),
	    0);
	assert_int_equal(pmap_wired_count(&pmap), 0);
	power_off();
}

/* A page that others have wired so often is refused, and is as before. */
static void
test_wire_limit(void **state)
{
	vm_page_t m;

	(void)state;
	power_on();
	mtx_lock(&vm_mtx);
	m = vm_page_lookup(object, 2);
	for (unsigned int i = 0; i < VM_PAGE_WIRE_MAX - 1; i++)
		vm_page_wire(m);
	mtx_unlock(&vm_mtx);
	assert_int_equal(vm_map_wire(&map, FIRST + ptoa(9), FIRST + ptoa(10),
			     VM_MAP_WIRE_USER),
	    KERN_SUCCESS);
	insert(2, 1,
	    (struct vm_map_what){ .object = object,
		.offset = 2 * PAGE_SIZE,
		.prot = R | W,
		.max = R | W });
	assert_int_equal(vm_map_wire(&map, FIRST + ptoa(2), FIRST + ptoa(3),
			     VM_MAP_WIRE_USER),
	    KERN_RESOURCE_SHORTAGE);
	assert_int_equal(pmap_wired_count(&pmap), 1);
	assert_int_equal(m->wire_count, VM_PAGE_WIRE_MAX);
	mtx_lock(&vm_mtx);
	for (unsigned int i = 0; i < VM_PAGE_WIRE_MAX - 1; i++)
		vm_page_unwire(m, PQ_ACTIVE);
	mtx_unlock(&vm_mtx);
	power_off();
}

/* ---- Reverse maps, which not every page can hold ---- */

/* All free pages below an address become an object's. */
static vm_object_t
take_pages(vm_paddr_t end)
{
	const struct vm_phys_where where = { .high = end };
	vm_object_t taken = vm_object_allocate(OBJT_SWAP, NPAGES * 100);
	vm_pindex_t n = 0;
	vm_page_t m;

	while ((m = vm_page_alloc_contig(VM_ALLOC_NORMAL | VM_ALLOC_USER, 1,
		    &where)) != NULL) {
		VM_OBJECT_LOCK(taken);
		assert_int_equal(vm_page_insert(m, taken, n++), 0);
		vm_page_valid(m);
		vm_page_activate(m);
		VM_OBJECT_UNLOCK(taken);
	}
	assert_int_not_equal(n, 0);
	return (taken);
}

static const struct pv_row {
	const char *name;
	bool full; /* those that can hold them are in use */
} pv_rows[] = {
	{ "reverse maps: only low pages hold them", false },
	{ "reverse maps: pages move away for them", true },
};

/* A fault does not begin again and again for want of such a page. */
static void
test_pv(void **state)
{
	const struct pv_row *r = *state;
	const vm_pindex_t usual = pmap_pv_npages;
	vm_object_t taken = NULL;

	power_on();
	pmap_pv_npages = atop(UINT64_C(0x9f000) - 0x1000);
	if (r->full)
		taken = take_pages(0x9f000);
	assert_int_equal(vm_fault(&map, FIRST, W, VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	assert_non_null(mmu_access(0, FIRST, MMU_USER | MMU_WRITE));
	vm_object_deallocate(taken);
	power_off();
	pmap_pv_npages = usual;
}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_around),
		cmocka_unit_test(test_dirty),
		cmocka_unit_test(test_copy_on_write),
		cmocka_unit_test(test_wire_twice),
		cmocka_unit_test(test_wire_limit),
		cmocka_unit_test(test_failure_shares_map),
	};
	size_t ntests = 6;

	ADD_ROWS(tests, ntests, rows, test_row);
	ADD_ROWS(tests, ntests, stack_rows, test_stack);
	ADD_ROWS(tests, ntests, bad_stacks, test_bad_stack);
	ADD_ROWS(tests, ntests, wire_rows, test_wire);
	ADD_ROWS(tests, ntests, pv_rows, test_pv);
	ADD_ROWS(tests, ntests, move_rows, test_move);
	return (RUN_TESTS(tests, ntests));
}
