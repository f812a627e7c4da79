/* Advice about pages, wherever they are in a chain of objects, or on swap. */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/objects.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"

#include "kernel/sys/mman.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_object.h"

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x500000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static struct disk *disk;
static struct sim_disks worker = { .dks_disks = &disk,
	.dks_ndisks = 1,
	.dks_cpu = 1 };

static int
power_on(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	disk = sim_disk_create(&(struct sim_disk_config){ .media_len = 8 << 20,
	    .sector_len = 512,
	    .seed = 1 });
	sim_disks_start(&worker);
	assert_int_equal(sim_swap_add("swap", disk, 0, 8 << 20), 0);
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	sim_disks_stop(&worker);
	sim_disk_destroy(disk);
	if (mtx_owned(&vm_mtx))
		mtx_unlock(&vm_mtx);
	sim_halt();
	return (0);
}

/* ---- Pages, a letter each ---- */

static void
put_out(vm_object_t object, vm_page_t m)
{
	int rtval;

	assert_true(vm_page_tryxbusy(m));
	vm_object_pip_add(object, 1);
	VM_OBJECT_UNLOCK(object);
	vm_pager_put_pages(object, &m, 1, VM_PAGER_PUT_SYNC, &rtval);
	VM_OBJECT_LOCK(object);
	vm_object_pip_wakeup(object);
	vm_page_xunbusy(m);
	assert_int_equal(rtval, VM_PAGER_OK);
}

/*
 * a: active and dirty; i: inactive and dirty; s: on swap only; b: busy, with a block
 * on swap; w: wired; dot: nothing.
 */
static void
put_page(vm_object_t object, vm_pindex_t pindex, char letter)
{
	vm_page_t m;

	if (letter == '.')
		return;
	m = vm_page_grab(object, pindex, VM_ALLOC_ZERO);
	assert_non_null(m);
	vm_page_valid(m);
	vm_page_dirty(m);
	vm_page_xunbusy(m);
	if (letter == 's' || letter == 'b')
		put_out(object, m);
	if (letter == 's' || letter == 'b')
		assert_true(vm_page_tryxbusy(m));
	if (letter == 's')
		vm_page_free(m);
	if (letter == 'a')
		vm_page_activate(m);
	if (letter == 'i')
		vm_page_deactivate(m);
	if (letter == 'w')
		vm_page_wire(m);
}

/* The letter again; f: inactive and clean, without a block. */
static char
look_at(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_lookup(object, pindex);
	bool has_block = vm_pager_has_page(object, pindex, NULL, NULL);

	if (m == NULL)
		return (has_block ? 's' : '.');
	if (vm_page_busied(m))
		return (has_block ? 'b' : 'B');
	if (m->wire_count > 0)
		return ('w');
	if (vm_page_active(m))
		return ('a');
	return (m->dirty == 0 && !has_block ? 'f' : 'i');
}

/* What keeps the page from being freed goes. */
static void
let_go(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m = vm_page_lookup(object, pindex);

	if (m != NULL && vm_page_busied(m))
		vm_page_xunbusy(m);
	if (m != NULL && m->wire_count > 0)
		(void)vm_page_unwire_noq(m);
}

/* ---- Chains ---- */

#define NOBJECTS 3
#define NPAGES	 5 /* of which all but the last are advised about */

/* The first object's page 0 is page 1 of the next, and so on. */
static const struct row {
	const char *name;
	int advice;
	const char *before[NOBJECTS];
	const char *after[NOBJECTS];
	/* Of the first object: one more, that shows all of it, or other pages. */
	void (*reference)(vm_object_t object);
} rows[] = {
	{ "not needed: in the first object", MADV_DONTNEED, { "aai.a" },
	    { "iii.a" }, NULL },
	{ "not needed: wherever it is seen", MADV_DONTNEED,
	    { "a....", "aa..a", "aaasa" }, { "i....", "ai..a", "aaisa" },
	    NULL },
	{ "not needed: not what swap is seen instead of", MADV_DONTNEED,
	    { "s...a", "aa...", "...aa" }, { "s...a", "ai...", "...ia" },
	    NULL },
	{ "not needed: neither busy nor wired", MADV_DONTNEED,
	    { "b...a", "awba.", "...wa" }, { "b...a", "awbi.", "...wa" },
	    NULL },
	{ "will be needed: wherever it is seen", MADV_WILLNEED,
	    { "i...i", "ii...", "iiis." }, { "a...i", "ia...", "iias." },
	    NULL },
	{ "free: in memory and on swap", MADV_FREE, { "ais.s" }, { "ff..s" },
	    NULL },
	{ "free: neither busy nor wired", MADV_FREE, { "bwssa" }, { "bw..a" },
	    NULL },
	{ "free: one entry that was split", MADV_FREE, { "aissa" }, { "ff..a" },
	    vm_object_reference_part },
	{ "free: not what others see", MADV_FREE, { "aissa" }, { "aissa" },
	    vm_object_reference },
	{ "free: not what hides older bytes", MADV_FREE, { "ai..a", "aas.a" },
	    { "ai..a", "aas.a" }, NULL },
	{ "free: not what is older", MADV_FREE, { ".....", "ais.a" },
	    { ".....", "ais.a" }, NULL },
};

/* The objects of a row from i on; what is behind the others has one more user. */
static vm_object_t
make_chain(const struct row *r)
{
	vm_object_t object = NULL;

	for (vm_pindex_t i = NOBJECTS; i-- > 0;) {
		vm_ooffset_t offset = PAGE_SIZE;

		if (r->before[i] == NULL)
			continue;
		vm_object_reference(object);
		if (object == NULL)
			object = vm_object_allocate(OBJT_SWAP, NPAGES + i);
		else
			vm_object_shadow(&object, &offset, ptoa(NPAGES + i));
		VM_OBJECT_LOCK(object);
		for (vm_pindex_t page = 0; page < NPAGES; page++)
			put_page(object, page + i, r->before[i][page]);
		VM_OBJECT_UNLOCK(object);
	}
	return (object);
}

/* From the first on, each loses the user that the next does not stand for. */
static void
end_chain(vm_object_t object)
{
	while (object != NULL) {
		vm_object_t next = object->backing_object;

		VM_OBJECT_LOCK(object);
		for (vm_pindex_t page = 0; page < object->size; page++)
			let_go(object, page);
		VM_OBJECT_UNLOCK(object);
		vm_object_deallocate(object);
		object = next;
	}
}

static void
test_row(void **state)
{
	const struct row *r = *state;
	vm_object_t first = make_chain(r), object = first;

	if (r->reference != NULL)
		r->reference(first);
	vm_object_madvise(first, 0, NPAGES - 1, r->advice);
	for (vm_pindex_t i = 0; object != NULL; i++) {
		char got[NPAGES + 1] = "";

		assert_int_equal(object->paging_in_progress, 0);
		VM_OBJECT_LOCK(object);
		for (vm_pindex_t page = 0; page < NPAGES; page++)
			got[page] = look_at(object, page + i);
		VM_OBJECT_UNLOCK(object);
		assert_string_equal(got, r->after[i]);
		object = object->backing_object;
	}
	audit_swap();
	if (r->reference != NULL)
		vm_object_deallocate(first);
	end_chain(first);
}

/* What others see through the first object is theirs, too, though only it shows it. */
static void
test_free_behind_shared(void **state)
{
	static const struct row chain = { .before = { ".....", "baaaa" } };
	vm_object_t first = make_chain(&chain), behind = first->backing_object;

	(void)state;
	vm_object_reference(first);
	vm_object_deallocate(behind); /* a busy page keeps the two apart */
	vm_object_madvise(first, 0, NPAGES, MADV_FREE);
	VM_OBJECT_LOCK(behind);
	assert_ptr_equal(first->backing_object, behind);
	assert_int_equal(behind->ref_count, 1);
	assert_int_equal(look_at(behind, 2), 'a');
	let_go(behind, 1);
	VM_OBJECT_UNLOCK(behind);
	vm_object_deallocate(first);
	vm_object_deallocate(first);
}

/* More than a batch, at the end of which others get the lock. */
static void
test_many(void **state)
{
	vm_object_t behind = vm_object_allocate(OBJT_SWAP, 600),
		    object = behind;
	vm_ooffset_t offset = 0;

	(void)state;
	vm_object_reference(behind);
	vm_object_shadow(&object, &offset, ptoa(600));
	VM_OBJECT_LOCK(object);
	for (vm_pindex_t i = 0; i < 600; i++)
		put_page(i % 2 == 0 ? object : behind, i, 'a');
	VM_OBJECT_UNLOCK(object);
	vm_object_madvise(object, 0, 600, MADV_DONTNEED);
	VM_OBJECT_LOCK(object);
	assert_int_equal(vm_pageq_count(PQ_ACTIVE), 0);
	assert_int_equal(vm_pageq_count(PQ_INACTIVE), 600);
	VM_OBJECT_UNLOCK(object);
	end_chain(object);
}

int
main(void)
{
	struct CMUnitTest tests[32] = {
		cmocka_unit_test(test_free_behind_shared),
		cmocka_unit_test(test_many),
	};
	size_t ntests = 2;

	ADD_ROWS(tests, ntests, rows, test_row);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = power_on;
		tests[i].teardown_func = power_off;
	}
	return (RUN_TESTS(tests, ntests));
}
