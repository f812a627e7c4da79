/*
 * Forks: what a child gets of each kind of entry, and that generations leave
 * nothing behind.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/sim.h"

#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_object.h"

#define FIRST  UINT64_C(0x40000000)
#define NPAGES 16
#define RW     (VM_PROT_READ | VM_PROT_WRITE)

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x900000, 0, 0 },
	.kva_size = 16 << 20,
	.ncpus = 1,
	.pinned = true,
};

static struct vmspace *
new_vmspace(void)
{
	const struct vm_map_what zeros = { .prot = RW, .max = RW };
	struct vmspace *vm = vmspace_alloc(FIRST, FIRST + ptoa(NPAGES));
	vm_offset_t addr = FIRST;

	assert_non_null(vm);
	assert_int_equal(vm_map_find(&vm->vm_map, &addr, ptoa(NPAGES), &zeros),
	    KERN_SUCCESS);
	return (vm);
}

/* The byte at a page, as the process sees it, after a fault if need be. */
static unsigned char *
byte(struct vmspace *vm, unsigned int page, bool write)
{
	vm_offset_t va = FIRST + ptoa(page);
	unsigned int access = MMU_USER | (write ? MMU_WRITE : MMU_READ);
	unsigned char *got;

	pmap_activate(vm->vm_map.pmap);
	got = mmu_access(0, va, access);
	if (got != NULL)
		return (got);
	assert_int_equal(vm_fault(&vm->vm_map, va,
			     write ? VM_PROT_WRITE : VM_PROT_READ,
			     VM_FAULT_NORMAL),
	    KERN_SUCCESS);
	got = mmu_access(0, va, access);
	assert_non_null(got);
	return (got);
}

static void
end(struct vmspace *vm)
{
	pmap_activate(kernel_pmap);
	vmspace_free(vm);
}

/* The list of all is these, in order; NULL ends them. */
static void
expect_list(struct vmspace *const *expected)
{
	struct vmspace *vm;

	mtx_lock(&vmspace_mtx);
	TAILQ_FOREACH(vm, &vmspace_list, vm_list)
		assert_ptr_equal(vm, *expected++);
	mtx_unlock(&vmspace_mtx);
	assert_null(*expected);
}

static void
test_list(void **state)
{
	struct vmspace *first, *second, *child;

	(void)state;
	sim_boot(&config);
	vmspace_startup();
	sim_pin(0);
	expect_list((struct vmspace *[]){ NULL });
	first = new_vmspace();
	second = new_vmspace();
	child = vmspace_fork(first);
	expect_list((struct vmspace *[]){ first, second, child, NULL });
	vmspace_ref(first);
	end(first);
	end(second);
	expect_list((struct vmspace *[]){ first, child, NULL });
	end(first);
	expect_list((struct vmspace *[]){ child, NULL });
	end(child);
	expect_list((struct vmspace *[]){ NULL });
	sim_halt();
}

/* Others that have the old one keep it; a program keeps its limit. */
static void
test_exec(void **state)
{
	static vm_page_t taken[0x900];
	struct vmspace *vm, *old;
	size_t ntaken = 0;

	(void)state;
	sim_boot(&config);
	vmspace_startup();
	sim_pin(0);
	old = vm = new_vmspace();
	vm->vm_dmax = 5 * PAGE_SIZE;
	*byte(vm, 3, true) = 7;
	vmspace_ref(old);
	assert_true(vmspace_exec(&vm, FIRST, FIRST + ptoa(NPAGES)));
	expect_list((struct vmspace *[]){ old, vm, NULL });
	assert_int_equal(vm->vm_map.nentries, 0);
	assert_int_equal(vm->vm_dmax, 5 * PAGE_SIZE);
	assert_int_equal(*byte(old, 3, false), 7);
	end(old);

	while (ntaken < NROWS(taken) &&
	    (taken[ntaken] = vm_page_alloc_noobj(VM_ALLOC_INTERRUPT)) != NULL)
		ntaken++;
	old = vm;
	assert_false(vmspace_exec(&vm, FIRST, FIRST + PAGE_SIZE));
	assert_ptr_equal(vm, old);
	while (ntaken > 0)
		vm_page_free(taken[--ntaken]);

	assert_true(vmspace_exec(&vm, FIRST, FIRST + PAGE_SIZE));
	assert_int_equal(vm_map_max(&vm->vm_map), FIRST + PAGE_SIZE);
	expect_list((struct vmspace *[]){ vm, NULL });
	end(vm);
	sim_halt();
}

static unsigned int
count_objects(void)
{
	vm_object_t object;
	unsigned int n = 0;

	TAILQ_FOREACH(object, &vm_object_list, object_list)
		n++;
	return (n);
}

static void
power_on(void)
{
	sim_boot(&config);
	vmspace_startup();
	sim_pin(0);
}

static void
power_off(void)
{
	assert_int_equal(count_objects(), 0);
	sim_halt();
}

/* A parent has 1 in a page; after the fork, it writes 2, and the child 3. */
static const struct row {
	const char *name;
	vm_inherit_t inherit;
	bool wired;
	int child;   /* what the child sees first; -1: nothing is mapped */
	int of_both; /* what the child sees after the parent wrote */
	int parent;  /* what the parent sees after the child wrote */
} rows[] = {
	{ "fork: copy", VM_INHERIT_COPY, false, 1, 1, 2 },
	{ "fork: share", VM_INHERIT_SHARE, false, 1, 2, 3 },
	{ "fork: zero", VM_INHERIT_ZERO, false, 0, 0, 2 },
	{ "fork: none", VM_INHERIT_NONE, false, -1, 0, 0 },
	{ "fork: copy of what is wired", VM_INHERIT_COPY, true, 1, 1, 2 },
	{ "fork: share what is wired", VM_INHERIT_SHARE, true, 1, 2, 3 },
};

static void
check_row(const struct row *r, struct vmspace *parent, struct vmspace *child)
{
	assert_int_equal(*byte(child, 3, false), r->child);
	*byte(parent, 3, true) = 2;
	assert_int_equal(*byte(child, 3, false), r->of_both);
	*byte(child, 3, true) = 3;
	assert_int_equal(*byte(parent, 3, false), r->parent);
	assert_int_equal(pmap_wired_count(child->vm_map.pmap), 0);
	assert_int_equal(pmap_wired_count(parent->vm_map.pmap),
	    r->wired ? NPAGES : 0);
}

static void
test_row(void **state)
{
	const struct row *r = *state;
	struct vmspace *parent, *child;
	vm_map_t map;

	power_on();
	parent = new_vmspace();
	map = &parent->vm_map;
	*byte(parent, 3, true) = 1;
	assert_int_equal(vm_map_inherit(map, FIRST, FIRST + ptoa(NPAGES),
			     r->inherit),
	    KERN_SUCCESS);
	if (r->wired)
		assert_int_equal(vm_map_wire(map, FIRST, FIRST + ptoa(NPAGES),
				     VM_MAP_WIRE_USER),
		    KERN_SUCCESS);
	child = vmspace_fork(parent);
	assert_non_null(child);
	if (r->child >= 0)
		check_row(r, parent, child);
	else
		assert_int_equal(child->vm_map.nentries, 0);
	end(parent);
	end(child);
	power_off();
}

/* Each generation writes a page and forks; then one of the two exits. */
static const struct generations {
	const char *name;
	bool parent_exits;
} generations[] = {
	{ "100,000 parents that exit", true },
	{ "100,000 children that exit", false },
};

static struct vmspace *
generation(struct vmspace *vm, unsigned int n, bool parent_exits)
{
	struct vmspace *child;

	*byte(vm, n % NPAGES, true) = (unsigned char)n;
	child = vmspace_fork(vm);
	assert_non_null(child);
	*byte(child, (n + 1) % NPAGES, true) = (unsigned char)(n + 1);
	if (!parent_exits) {
		end(child);
		return (vm);
	}
	end(vm);
	return (child);
}

static void
test_generations(void **state)
{
	const struct generations *g = *state;
	struct vmspace *vm;
	vm_pindex_t nfree = 0;

	power_on();
	vm = new_vmspace();
	for (unsigned int n = 0; n < 100000; n++) {
		vm = generation(vm, n, g->parent_exits);
		assert_in_range(count_objects(), 1, 2);
		if (n == 1000)
			nfree = vm_cnt.v_free_count;
	}
	assert_in_range(vm_cnt.v_free_count, nfree - 16, nfree + 16);
	for (unsigned int n = 100000 - NPAGES; n < 100000; n++)
		assert_int_equal(*byte(vm, n % NPAGES, false),
		    (unsigned char)(n % NPAGES == 0 && g->parent_exits ?
			    n + NPAGES :
			    n));
	end(vm);
	power_off();
}

/* The first of two references that goes takes nothing with it. */
static void
test_ref(void **state)
{
	struct vmspace *vm;

	(void)state;
	power_on();
	vm = new_vmspace();
	*byte(vm, 0, true) = 1;
	vmspace_ref(vm);
	end(vm);
	assert_int_equal(*byte(vm, 0, false), 1);
	end(vm);
	power_off();
}

int
main(void)
{
	struct CMUnitTest tests[3 + NROWS(rows) + NROWS(generations)] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_ref),
	};
	size_t ntests = 3;

	ADD_ROWS(tests, ntests, rows, test_row);
	ADD_ROWS(tests, ntests, generations, test_generations);
	return (RUN_TESTS(tests, ntests));
}
