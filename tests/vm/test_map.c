/*
 * usage: test_map [SEED [STEPS]]
 *
 * The map's entries, against an array with what each page should show; and calls
 * that are refused.  The same seed gives the same steps.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"
#include "tests/vm/storm.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/vmparam.h"
#include "kernel/sys/mman.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"

#define NPAGES	 200
#define FIRST	 UINT64_C(0x40000000)
#define NOBJECTS 4

static struct pmap pmap;
static struct vm_map map;

static int
count_objects(void)
{
	vm_object_t object;
	int n = 0;

	TAILQ_FOREACH(object, &vm_object_list, object_list)
		n++;
	return (n);
}

/* ---- What should be true ---- */

static struct expected {
	bool mapped;
	bool guard;
	vm_object_t object; /* NULL: zeros */
	vm_pindex_t pindex; /* of the object */
	vm_prot_t prot, max;
	vm_inherit_t inherit;
} pages[NPAGES];

static vm_object_t files[NOBJECTS];
static vm_offset_t
page_va(unsigned int page)
{
	return (FIRST + ptoa(page));
}

struct range {
	unsigned int first, end;
};

static struct range
any_range(void)
{
	unsigned int first = below(NPAGES);
	unsigned int n = 1 + below(below(4) == 0 ? NPAGES : 12);

	return ((struct range){ first,
	    first + n > NPAGES ? NPAGES : first + n });
}

/* Zeros, a guard, or a part of a file. */
static struct vm_map_what
any_what(void)
{
	struct vm_map_what what = {
		.prot = (vm_prot_t)below(4),
		.max =
		    below(4) == 0 ? VM_PROT_ALL & ~VM_PROT_WRITE : VM_PROT_ALL,
	};

	what.prot &= what.max;
	if (below(8) == 0)
		what.cow |= MAP_CREATE_GUARD;
	else if (below(2) == 0) {
		what.object = files[below(NOBJECTS)];
		what.offset = ptoa(below(NPAGES));
		what.cow = below(2) == 0 ? MAP_COPY_ON_WRITE : 0;
	}
	if (below(4) == 0)
		what.cow |= MAP_INHERIT_SHARE;
	return (what);
}

static void
note_mapped(struct range r, const struct vm_map_what *what)
{
	for (unsigned int i = r.first; i < r.end; i++)
		pages[i] = (struct expected){
			.mapped = true,
			.guard = (what->cow & MAP_CREATE_GUARD) != 0,
			.object = what->object,
			.pindex = atop(what->offset) + i - r.first,
			.prot = what->prot,
			.max = what->max,
			.inherit = (what->cow & MAP_INHERIT_SHARE) != 0 ?
			    VM_INHERIT_SHARE :
			    VM_INHERIT_COPY,
		};
}

static bool
is_free(struct range r)
{
	for (unsigned int i = r.first; i < r.end; i++) {
		if (pages[i].mapped)
			return (false);
	}
	return (true);
}

/* ---- One step of each kind ---- */

static void
step_insert(void)
{
	struct range r = any_range();
	struct vm_map_what what = any_what();
	int error;

	vm_object_reference(what.object);
	vm_map_lock(&map);
	error = vm_map_insert(&map, page_va(r.first), page_va(r.end), &what);
	vm_map_unlock(&map);
	expect(error == (is_free(r) ? KERN_SUCCESS : KERN_NO_SPACE), "insert");
	if (error == KERN_SUCCESS)
		note_mapped(r, &what);
	else
		vm_object_deallocate(what.object);
}

static void
step_fixed(void)
{
	struct range r = any_range();
	struct vm_map_what what = any_what();

	vm_object_reference(what.object);
	expect(vm_map_fixed(&map, page_va(r.first), ptoa(r.end - r.first),
		   &what) == KERN_SUCCESS,
	    "fixed");
	note_mapped(r, &what);
}

static void
step_find(void)
{
	struct range r = any_range(), at;
	unsigned int n = r.end - r.first;
	struct vm_map_what what = any_what();
	vm_offset_t addr = page_va(r.first);
	int error;

	vm_object_reference(what.object);
	error = vm_map_find(&map, &addr, ptoa(n), &what);
	for (at.first = r.first; at.first + n <= NPAGES; at.first++) {
		at.end = at.first + n;
		if (!is_free(at))
			continue;
		expect(error == KERN_SUCCESS && addr == page_va(at.first),
		    "the first gap");
		note_mapped(at, &what);
		return;
	}
	expect(error == KERN_NO_SPACE, "no gap");
	vm_object_deallocate(what.object);
}

static void
step_remove(void)
{
	struct range r = any_range();

	expect(vm_map_remove(&map, page_va(r.first), page_va(r.end)) ==
		KERN_SUCCESS,
	    "remove");
	memset(&pages[r.first], 0, (r.end - r.first) * sizeof(pages[0]));
}

static void
step_protect(void)
{
	struct range r = any_range();
	vm_prot_t prot = (vm_prot_t)below(4);
	unsigned int flags = below(8) == 0 ? VM_MAP_PROTECT_SET_MAXPROT : 0;
	int error =
	    vm_map_protect(&map, page_va(r.first), page_va(r.end), prot, flags);
	bool allowed = true;

	for (unsigned int i = r.first; i < r.end; i++)
		allowed = allowed &&
		    (!pages[i].mapped || pages[i].guard ||
			(prot & ~pages[i].max) == 0);
	expect(error == (allowed ? KERN_SUCCESS : KERN_PROTECTION_FAILURE),
	    "protect");
	for (unsigned int i = r.first; allowed && i < r.end; i++) {
		if (!pages[i].mapped || pages[i].guard)
			continue;
		pages[i].prot = flags == 0 ? prot : pages[i].prot & prot;
		if (flags != 0)
			pages[i].max = prot;
	}
}

static void
step_inherit(void)
{
	struct range r = any_range();
	vm_inherit_t inherit = (vm_inherit_t)below(4);

	expect(vm_map_inherit(&map, page_va(r.first), page_va(r.end),
		   inherit) == KERN_SUCCESS,
	    "inherit");
	for (unsigned int i = r.first; i < r.end; i++) {
		if (pages[i].mapped)
			pages[i].inherit = inherit;
	}
}

static void
step_check_protection(void)
{
	struct range r = any_range();
	vm_prot_t prot = (vm_prot_t)below(4);
	bool so = true, got;

	vm_map_lock_read(&map);
	got = vm_map_check_protection(&map, page_va(r.first), page_va(r.end),
	    prot);
	vm_map_unlock_read(&map);
	for (unsigned int i = r.first; i < r.end; i++)
		so = so && pages[i].mapped && (prot & ~pages[i].prot) == 0;
	expect(got == so, "check_protection");
}

static void (*const kinds[])(void) = { step_insert, step_fixed, step_find,
	step_remove, step_protect, step_inherit, step_check_protection };

/* ---- Everything ---- */

static void
check_page(unsigned int page)
{
	const struct expected *e = &pages[page];
	vm_offset_t va = page_va(page);
	vm_map_entry_t entry;

	expect(vm_map_lookup_entry(&map, va, &entry) == e->mapped, "lookup");
	if (!e->mapped) {
		expect(entry->end <= va && entry->next->start > va,
		    "the entry before");
		return;
	}
	expect(entry->protection == e->prot && entry->max_protection == e->max,
	    "rights");
	expect(entry->inheritance == e->inherit, "inheritance");
	expect(((entry->eflags & MAP_ENTRY_GUARD) != 0) == e->guard, "guard");
	if (e->object != NULL)
		expect(entry->object == e->object &&
			atop(entry->offset + va - entry->start) == e->pindex,
		    "object");
	else if (entry->object != NULL)
		expect(atop(entry->offset + va - entry->start) <
			entry->object->size,
		    "past the end of an object");
}

/* Each entry holds one reference, and nobody else but those that made files. */
static void
check_references(void)
{
	int found = NOBJECTS;

	for (vm_map_entry_t entry = map.header.next; entry != &map.header;
	     entry = entry->next) {
		if (entry->object != NULL)
			entry->object->ref_count--;
	}
	for (int i = 0; i < NOBJECTS; i++)
		expect(files[i]->ref_count == 1, "references of a file");
	for (vm_map_entry_t entry = map.header.next; entry != &map.header;
	     entry = entry->next) {
		if (entry->object != NULL && entry->object->ref_count++ == 0)
			found++;
	}
	expect(found == count_objects(), "objects without an entry");
}

static void
check_all(void)
{
	const char *wrong;

	vm_map_lock_read(&map);
	wrong = vm_map_audit(&map);
	expect(wrong == NULL, wrong);
	for (unsigned int i = 0; i < NPAGES; i++)
		check_page(i);
	vm_map_unlock_read(&map);
	check_references();
}

static void
power_on(void)
{
	sim_boot(&sim_small);
	expect(pmap_pinit(&pmap) == 0, "an address space");
	vm_map_startup();
	vm_map_init(&map, &pmap, FIRST, page_va(NPAGES));
	memset(pages, 0, sizeof(pages));
	for (int i = 0; i < NOBJECTS; i++)
		files[i] = vm_object_allocate(OBJT_VNODE, 2 * NPAGES);
}

static void
power_off(void)
{
	expect(vm_map_remove(&map, FIRST, page_va(NPAGES)) == KERN_SUCCESS,
	    "to remove all");
	expect(count_objects() == NOBJECTS, "objects that are left");
	for (int i = 0; i < NOBJECTS; i++)
		vm_object_deallocate(files[i]);
	vm_map_fini(&map);
	pmap_release(&pmap);
}

static void
run_storm(void *arg)
{
	(void)arg;
	power_on();
	for (; storm_step < storm_nsteps; storm_step++) {
		kinds[below(nitems(kinds))]();
		check_all();
	}
	power_off();
}

static void
test_storm(void **state)
{
	(void)state;
	storm_run("test_map", "", run_storm);
}

/* ---- One case a row ---- */

/* Pages 2, 3 and 4 are mapped; then one call. */
struct row {
	const char *name;
	int (*call)(const struct row *r);
	vm_offset_t start, end;
	vm_prot_t prot;
	unsigned int flags;
	int expect;
	unsigned int nentries; /* after it */
};

static int
call_insert(const struct row *r)
{
	struct vm_map_what what = { .prot = r->prot,
		.max = VM_PROT_READ | VM_PROT_WRITE,
		.cow = r->flags };
	int error;

	vm_map_lock(&map);
	error = vm_map_insert(&map, r->start, r->end, &what);
	vm_map_unlock(&map);
	return (error);
}

static int
call_insert_object(const struct row *r)
{
	struct vm_map_what what = { .object = files[0],
		.offset = VM_OBJECT_MAX,
		.prot = r->prot,
		.max = r->prot };
	int error;

	vm_map_lock(&map);
	error = vm_map_insert(&map, r->start, r->end, &what);
	vm_map_unlock(&map);
	return (error);
}

static int
call_fixed(const struct row *r)
{
	struct vm_map_what what = { .prot = r->prot,
		.max = VM_PROT_READ | VM_PROT_WRITE,
		.cow = r->flags };

	return (vm_map_fixed(&map, r->start, r->end - r->start, &what));
}

static int
call_remove(const struct row *r)
{
	return (vm_map_remove(&map, r->start, r->end));
}

static int
call_protect(const struct row *r)
{
	return (vm_map_protect(&map, r->start, r->end, r->prot, r->flags));
}

static int
call_inherit(const struct row *r)
{
	return (vm_map_inherit(&map, r->start, r->end, (vm_inherit_t)r->flags));
}

static int
call_madvise(const struct row *r)
{
	return (vm_map_madvise(&map, r->start, r->end, (int)r->flags));
}

#define VA(page) (FIRST + ((vm_offset_t)(page) << PAGE_SHIFT))
#define RW	 (VM_PROT_READ | VM_PROT_WRITE)
#define LAST	 VA(NPAGES)

static const struct row rows[] = {
	{ "insert: before the map", call_insert, VA(0) - PAGE_SIZE, VA(1), RW,
	    0, KERN_INVALID_ADDRESS, 1 },
	{ "insert: past the map", call_insert, VA(5), LAST + PAGE_SIZE, RW, 0,
	    KERN_INVALID_ADDRESS, 1 },
	{ "insert: nothing", call_insert, VA(5), VA(5), RW, 0,
	    KERN_INVALID_ADDRESS, 1 },
	{ "insert: end before start", call_insert, VA(6), VA(5), RW, 0,
	    KERN_INVALID_ADDRESS, 1 },
	{ "insert: a part of a page", call_insert, VA(5) + 1, VA(6), RW, 0,
	    KERN_INVALID_ADDRESS, 1 },
	{ "insert: the last page is taken", call_insert, VA(0), VA(3), RW, 0,
	    KERN_NO_SPACE, 1 },
	{ "insert: the first page is taken", call_insert, VA(4), VA(6), RW, 0,
	    KERN_NO_SPACE, 1 },
	{ "insert: more rights than it may have", call_insert, VA(5), VA(6),
	    VM_PROT_EXECUTE, 0, KERN_INVALID_ARGUMENT, 1 },
	{ "insert: a copy of nothing", call_insert, VA(5), VA(6), RW,
	    MAP_COPY_ON_WRITE, KERN_INVALID_ARGUMENT, 1 },
	{ "insert: past the end of all objects", call_insert_object, VA(5),
	    VA(6), RW, 0, KERN_OUT_OF_BOUNDS, 1 },
	{ "insert: to the end of the map", call_insert, VA(5), LAST, RW, 0,
	    KERN_SUCCESS, 1 },
	{ "insert: before what is alike", call_insert, VA(0), VA(2), RW, 0,
	    KERN_SUCCESS, 1 },
	{ "insert: other rights", call_insert, VA(5), VA(6), VM_PROT_READ, 0,
	    KERN_SUCCESS, 2 },
	{ "insert: a guard", call_insert, VA(5), VA(6), RW, MAP_CREATE_GUARD,
	    KERN_SUCCESS, 2 },
	{ "fixed: wraps", call_fixed, VA(0), VA(0) - PAGE_SIZE, RW, 0,
	    KERN_INVALID_ADDRESS, 1 },
	{ "fixed: what cannot be, before anything goes", call_fixed, VA(3),
	    VA(4), VM_PROT_EXECUTE, 0, KERN_INVALID_ARGUMENT, 1 },
	{ "fixed: in the middle", call_fixed, VA(3), VA(4), VM_PROT_READ, 0,
	    KERN_SUCCESS, 3 },
	{ "remove: nothing is there", call_remove, VA(5), VA(9), 0, 0,
	    KERN_SUCCESS, 1 },
	{ "remove: the middle", call_remove, VA(3), VA(4), 0, 0, KERN_SUCCESS,
	    2 },
	{ "remove: all of it", call_remove, VA(0), LAST, 0, 0, KERN_SUCCESS,
	    0 },
	{ "remove: past the map", call_remove, VA(0), LAST + PAGE_SIZE, 0, 0,
	    KERN_INVALID_ADDRESS, 1 },
	{ "protect: more than it may have", call_protect, VA(3), VA(9),
	    VM_PROT_EXECUTE, 0, KERN_PROTECTION_FAILURE, 1 },
	{ "protect: the middle", call_protect, VA(3), VA(4), VM_PROT_READ, 0,
	    KERN_SUCCESS, 3 },
	{ "protect: as it is", call_protect, VA(3), VA(4), RW, 0, KERN_SUCCESS,
	    1 },
	{ "protect: the most", call_protect, VA(2), VA(5), VM_PROT_READ,
	    VM_MAP_PROTECT_SET_MAXPROT, KERN_SUCCESS, 1 },
	{ "protect: nothing", call_protect, VA(3), VA(3), VM_PROT_READ, 0,
	    KERN_SUCCESS, 1 },
	{ "protect: past the map", call_protect, VA(3), LAST + PAGE_SIZE,
	    VM_PROT_READ, 0, KERN_INVALID_ADDRESS, 1 },
	{ "madvise: of no kind", call_madvise, VA(2), VA(5), 0, MADV_CORE + 1,
	    KERN_INVALID_ARGUMENT, 1 },
	{ "madvise: past the map", call_madvise, VA(2), LAST + PAGE_SIZE, 0,
	    MADV_RANDOM, KERN_INVALID_ADDRESS, 1 },
	{ "madvise: the middle, to be kept", call_madvise, VA(3), VA(4), 0,
	    MADV_SEQUENTIAL, KERN_SUCCESS, 3 },
	{ "madvise: the middle, of now", call_madvise, VA(3), VA(4), 0,
	    MADV_DONTNEED, KERN_SUCCESS, 1 },
	{ "inherit: of no kind", call_inherit, VA(2), VA(5), 0, 4,
	    KERN_INVALID_ARGUMENT, 1 },
	{ "inherit: past the map", call_inherit, VA(2), LAST + PAGE_SIZE, 0,
	    VM_INHERIT_NONE, KERN_INVALID_ADDRESS, 1 },
	{ "inherit: the last page", call_inherit, VA(4), VA(5), 0,
	    VM_INHERIT_NONE, KERN_SUCCESS, 2 },
};

static void
test_row(void **state)
{
	const struct row *r = *state;
	struct vm_map_what zeros = { .prot = RW, .max = RW };
	vm_offset_t addr = VA(2);

	power_on();
	assert_int_equal(vm_map_find(&map, &addr, ptoa(3), &zeros),
	    KERN_SUCCESS);
	assert_int_equal(addr, VA(2));
	assert_int_equal(r->call(r), r->expect);
	vm_map_lock_read(&map);
	assert_null(vm_map_audit(&map));
	vm_map_unlock_read(&map);
	assert_int_equal(map.nentries, r->nentries);
	power_off();
	sim_halt();
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[1 + NROWS(rows)] = {
		cmocka_unit_test(test_storm),
	};
	size_t ntests = 1;

	storm_args(argc, argv, 20000);
	ADD_ROWS(tests, ntests, rows, test_row);
	return (RUN_TESTS(tests, ntests));
}
