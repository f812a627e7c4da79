/* Pagers: what the table refuses, memory that stays, files. */
#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/mman.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_pager.h"
#include "kernel/vm/vnode_pager.h"

static const struct sim_config config = {
	.ram = (const vm_paddr_t[]){ 0x100000, 0x1100000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = 2,
	.pinned = true,
};

static int
power_on(void **state)
{
	(void)state;
	sim_boot(&config);
	sim_pin(0);
	return (0);
}

static int
power_off(void **state)
{
	(void)state;
	sim_halt();
	return (0);
}

/* A busy page, new or of before. */
static vm_page_t
busy_page(vm_object_t object, vm_pindex_t pindex)
{
	vm_page_t m;

	VM_OBJECT_LOCK(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL);
	VM_OBJECT_UNLOCK(object);
	assert_non_null(m);
	return (m);
}

/* Write a page; what the pager said. */
static int
put(vm_object_t object, vm_page_t m)
{
	int rtval;

	vm_pager_put_pages(object, &m, 1, VM_PAGER_PUT_SYNC, &rtval);
	return (rtval);
}

/* ---- The table ---- */

static void
test_no_such_type(void **state)
{
	(void)state;
	assert_null(vm_pager_allocate(OBJT_NTYPES, NULL, PAGE_SIZE, VM_PROT_ALL,
	    0));
	assert_null(vm_pager_allocate(OBJT_DEAD, NULL, PAGE_SIZE, VM_PROT_ALL,
	    0));
}

static void
test_dead_object(void **state)
{
	vm_object_t object = vm_object_allocate(OBJT_DEAD, 4);
	vm_page_t m = busy_page(object, 1);

	(void)state;
	assert_int_equal(vm_pager_get_pages(object, &m, 1, NULL, NULL),
	    VM_PAGER_BAD);
	assert_int_equal(put(object, m), VM_PAGER_BAD);
	VM_OBJECT_LOCK(object);
	assert_false(vm_pager_has_page(object, 1, NULL, NULL));
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
}

/* ---- Anonymous memory, and nowhere to put it ---- */

static void
test_swap_without_devices(void **state)
{
	vm_object_t object =
	    vm_pager_allocate(OBJT_SWAP, NULL, ptoa(3) + 1, VM_PROT_ALL, 0);
	vm_page_t m = busy_page(object, 1);

	(void)state;
	assert_int_equal(object->size, 4);
	assert_int_equal(vm_pager_get_pages(object, &m, 1, NULL, NULL),
	    VM_PAGER_FAIL);
	VM_OBJECT_LOCK(object);
	assert_false(vm_pager_has_page(object, 1, NULL, NULL));
	vm_page_valid(m);
	vm_page_dirty(m);
	VM_OBJECT_UNLOCK(object);
	assert_int_equal(put(object, m), VM_PAGER_AGAIN);
	VM_OBJECT_LOCK(object);
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	vm_page_xunbusy(m);
	VM_OBJECT_UNLOCK(object);
	vm_object_deallocate(object);
}

/* ---- Memory that stays ---- */

static int
get(vm_object_t object, vm_page_t m)
{
	return (vm_pager_get_pages(object, &m, 1, NULL, NULL));
}

static void
unbusy(vm_page_t m)
{
	mtx_lock(&vm_mtx);
	vm_page_xunbusy(m);
	mtx_unlock(&vm_mtx);
}

static void
test_phys(void **state)
{
	vm_object_t object =
	    vm_pager_allocate(OBJT_PHYS, NULL, ptoa(4), VM_PROT_ALL, 0);
	vm_page_t m = busy_page(object, 2);

	(void)state;
	memset(page_bytes(m), 'x', PAGE_SIZE);
	assert_int_equal(get(object, m), VM_PAGER_OK);
	assert_true(vm_page_all_valid(m));
	assert_int_equal(page_bytes(m)[PAGE_SIZE - 1], 0);
	mtx_lock(&vm_mtx);
	vm_page_activate(m);
	assert_int_equal(vm_page_queue(m), PQ_NONE);
	assert_true(vm_pager_has_page(object, 3, NULL, NULL));
	assert_false(vm_pager_has_page(object, 4, NULL, NULL));
	mtx_unlock(&vm_mtx);
	unbusy(m);
	vm_object_deallocate(object);
	assert_int_equal(vm_page_aflags(m) & VPG_OBJECT, 0);
	assert_int_equal(m->wire_count, 0);
}

/* Whoever names the same gets the same, until the last of them is gone. */
static void
test_phys_shared(void **state)
{
	int name;
	vm_object_t a, b, other;

	(void)state;
	a = vm_pager_allocate(OBJT_PHYS, &name, ptoa(4), VM_PROT_ALL, 0);
	b = vm_pager_allocate(OBJT_PHYS, &name, ptoa(6), VM_PROT_ALL, 0);
	other = vm_pager_allocate(OBJT_PHYS, state, ptoa(4), VM_PROT_ALL, 0);
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, other);
	assert_int_equal(a->size, 6);
	assert_int_equal(a->ref_count, 2);
	vm_object_deallocate(a);
	vm_object_deallocate(b);
	vm_object_deallocate(other);
	a = vm_pager_allocate(OBJT_PHYS, &name, ptoa(4), VM_PROT_ALL, 0);
	assert_int_equal(a->size, 4);
	vm_object_deallocate(a);
	assert_true(TAILQ_EMPTY(&vm_object_list));
}

static void
put_phys(void *arg)
{
	vm_object_t object = arg;
	vm_page_t m = busy_page(object, 1);

	(void)put(object, m);
}

static void
test_phys_put(void **state)
{
	vm_object_t object =
	    vm_pager_allocate(OBJT_PHYS, NULL, ptoa(4), VM_PROT_ALL, 0);

	(void)state;
	assert_non_null(strstr(sim_expect_panic(put_phys, object),
	    "which stay in memory"));
}

/* ---- Files: one of the test's ---- */

#define FILE_LEN (3 * 4096 + 1000)

static struct {
	char bytes[64 * 4096];
	size_t len;
	int error;		 /* of each call from now on */
	void (*meanwhile)(void); /* called by the next call */
	char asked[64];		 /* "first+count" of each read */
} file;

static int
move(uint64_t off, const vm_paddr_t *pas, unsigned int npages, size_t len,
    bool out)
{
	void (*meanwhile)(void) = file.meanwhile;

	file.meanwhile = NULL;
	if (meanwhile != NULL)
		meanwhile();
	assert_true(len > (npages - 1) * PAGE_SIZE);
	assert_true(off <= file.len && len <= file.len - off);
	for (size_t done = 0; file.error == 0 && done < len;) {
		size_t n = len - done < PAGE_SIZE ? len - done : PAGE_SIZE;
		char *mem = (char *)PHYS_TO_DMAP(pas[done / PAGE_SIZE]);

		if (out)
			memcpy(&file.bytes[off + done], mem, n);
		else
			memcpy(mem, &file.bytes[off + done], n);
		done += n;
	}
	return (file.error);
}

static int
file_get(struct vnode *vp, uint64_t off, const vm_paddr_t *pas,
    unsigned int npages, size_t len)
{
	size_t said = strlen(file.asked);

	(void)vp;
	(void)snprintf(file.asked + said, sizeof(file.asked) - said, "%s%u+%u",
	    said == 0 ? "" : " ", (unsigned int)atop(off), npages);
	return (move(off, pas, npages, len, false));
}

static int
file_put(struct vnode *vp, uint64_t off, const vm_paddr_t *pas,
    unsigned int npages, size_t len)
{
	(void)vp;
	return (move(off, pas, npages, len, true));
}

static const struct vop_vector file_ops = { file_get, file_put };
static struct vnode vnode;

static int
file_on(void **state)
{
	(void)power_on(state);
	for (size_t i = 0; i < sizeof(file.bytes); i++)
		file.bytes[i] = (char)('a' + i / PAGE_SIZE);
	file.len = FILE_LEN;
	file.error = 0;
	file.meanwhile = NULL;
	file.asked[0] = '\0';
	vnode = (struct vnode){ .v_op = &file_ops };
	vnode_create_vobject(&vnode, FILE_LEN);
	return (0);
}

static int
file_off(void **state)
{
	file.error = 0;
	(void)vnode_destroy_vobject(&vnode);
	assert_true(TAILQ_EMPTY(&vm_object_list));
	return (power_off(state));
}

/* A page of the file in memory, and not busy. */
static vm_page_t
read_page(vm_pindex_t pindex)
{
	vm_page_t m = busy_page(vnode.v_object, pindex);

	assert_int_equal(get(vnode.v_object, m), VM_PAGER_OK);
	unbusy(m);
	return (m);
}

/* Write to the first byte of a page and to its byte 2000. */
static void
change(vm_page_t m)
{
	mtx_lock(&vm_mtx);
	page_bytes(m)[0] = page_bytes(m)[2000] = '!';
	vm_page_dirty(m);
	mtx_unlock(&vm_mtx);
}

static const struct read_row {
	const char *name;
	vm_pindex_t pindex;
	int count;
	int error; /* of the file system */
	int rv;
} read_rows[] = {
	{ "file: reads a page", 0, 1, 0, VM_PAGER_OK },
	{ "file: reads some pages", 1, 2, 0, VM_PAGER_OK },
	{ "file: reads to its end", 2, 2, 0, VM_PAGER_OK },
	{ "file: refuses what is past the end", 4, 1, 0, VM_PAGER_BAD },
	{ "file: refuses what goes past the end", 3, 2, 0, VM_PAGER_BAD },
	{ "file: an error of the file system", 0, 1, EIO, VM_PAGER_ERROR },
};

/* What a page of the file should be. */
static bool
is_page(vm_page_t m)
{
	size_t off = ptoa(m->pindex);

	for (size_t i = 0; i < PAGE_SIZE; i++) {
		char want = off + i < file.len ? file.bytes[off + i] : 0;

		if (page_bytes(m)[i] != want)
			return (false);
	}
	return (vm_page_all_valid(m));
}

static void
test_read(void **state)
{
	const struct read_row *row = *state;
	vm_page_t ma[2];

	file.error = row->error;
	for (int i = 0; i < row->count; i++) {
		ma[i] = busy_page(vnode.v_object, row->pindex + (vm_pindex_t)i);
		memset(page_bytes(ma[i]), 'x', PAGE_SIZE);
	}
	assert_int_equal(vm_pager_get_pages(vnode.v_object, ma, row->count,
			     NULL, NULL),
	    row->rv);
	mtx_lock(&vm_mtx);
	for (int i = 0; i < row->count; i++) {
		assert_int_equal(vm_page_none_valid(ma[i]),
		    row->rv != VM_PAGER_OK);
		assert_true(row->rv != VM_PAGER_OK || is_page(ma[i]));
		vm_page_free(ma[i]);
	}
	mtx_unlock(&vm_mtx);
}

/* One object, whoever maps the file; it stays while the file does. */
static void
test_one_object(void **state)
{
	vm_object_t a, object = vnode.v_object;

	(void)state;
	a = vm_pager_allocate(OBJT_VNODE, &vnode, FILE_LEN, VM_PROT_READ, 0);
	assert_ptr_equal(a, object);
	assert_int_equal(object->ref_count, 2);
	vm_object_deallocate(a);
	assert_ptr_equal(vnode.v_object, object);
	assert_null(vm_pager_allocate(OBJT_VNODE, NULL, 1, VM_PROT_READ, 0));
}

/* What was changed is in the file after a sync, and no byte past its end. */
static void
test_sync(void **state)
{
	vm_page_t first = read_page(0), last = read_page(3);

	(void)state;
	change(first);
	change(last);
	assert_true(vm_object_sync(vnode.v_object, 0, FILE_LEN, true, false));
	assert_int_equal(file.bytes[0], '!');
	assert_int_equal(file.bytes[ptoa(3)], '!');
	assert_int_equal(file.bytes[ptoa(3) + 2000], 'd');
	assert_int_equal(first->dirty, 0);
	assert_int_equal(last->dirty, 0);
}

/* By a private mapping's shadow; and only the range that was asked for. */
static void
test_sync_through_shadow(void **state)
{
	vm_ooffset_t offset = ptoa(1);
	vm_object_t shadow = vnode.v_object;
	vm_page_t one = read_page(1), two = read_page(2);

	(void)state;
	vm_object_reference(shadow);
	vm_object_shadow(&shadow, &offset, ptoa(2));
	change(one);
	change(two);
	assert_true(vm_object_sync(shadow, 0, 1, true, true));
	assert_int_equal(file.bytes[ptoa(1)], '!');
	assert_int_equal(file.bytes[ptoa(2)], 'c');
	mtx_lock(&vm_mtx);
	assert_null(vm_page_lookup(vnode.v_object, 1));
	assert_ptr_equal(vm_page_lookup(vnode.v_object, 2), two);
	mtx_unlock(&vm_mtx);
	vm_object_deallocate(shadow);
}

static void
test_sync_error(void **state)
{
	vm_page_t m = read_page(1);

	(void)state;
	change(m);
	file.error = EIO;
	assert_false(vm_object_sync(vnode.v_object, 0, FILE_LEN, true, true));
	assert_int_equal(m->dirty, VM_PAGE_BITS_ALL);
	assert_int_equal(page_bytes(m)[0], '!');
}

/* When the file goes, what is dirty is written. */
static void
test_destroy_writes(void **state)
{
	(void)state;
	change(read_page(1));
	assert_true(vnode_destroy_vobject(&vnode));
	assert_int_equal(file.bytes[ptoa(1)], '!');
}

/* A map outlives the file. */
static void
test_mapped_longer(void **state)
{
	vm_object_t object = vnode.v_object;
	vm_page_t m = read_page(1);

	(void)state;
	vm_object_reference(object);
	assert_true(vnode_destroy_vobject(&vnode));
	assert_null(vnode.v_object);
	assert_int_equal(page_bytes(m)[5], 'b');
	m = busy_page(object, 2);
	assert_int_equal(get(object, m), VM_PAGER_BAD);
	unbusy(m);
	vm_object_deallocate(object);
}

static const struct size_row {
	const char *name;
	vm_ooffset_t size;
	vm_pindex_t left; /* pages in memory of the four */
} size_rows[] = {
	{ "shorter: to nothing", 0, 0 },
	{ "shorter: to whole pages", 2 * 4096, 2 },
	{ "shorter: into a page", 4096 + 700, 2 },
	{ "shorter: within the last page", 3 * 4096 + 5, 4 },
	{ "longer: within the last page", 3 * 4096 + 2000, 4 },
	{ "longer: by pages", 6 * 4096, 4 },
};

static void
test_size(void **state)
{
	const struct size_row *row = *state;
	vm_page_t ma[4];

	for (vm_pindex_t i = 0; i < 4; i++) {
		ma[i] = read_page(i);
		change(ma[i]);
	}
	file.len = row->size;
	vnode_pager_setsize(&vnode, row->size);
	assert_int_equal(vnode.v_object->resident_page_count, row->left);
	assert_int_equal(vnode.v_object->size, atop(round_page(row->size)));
	assert_true(vm_object_sync(vnode.v_object, 0, ptoa(8), true, false));
	for (vm_pindex_t i = 0; i < row->left; i++)
		assert_int_equal(file.bytes[ptoa(i)], '!');
	if ((row->size & PAGE_MASK) != 0)
		assert_true(is_page(ma[atop(row->size)]));
	file.len = sizeof(file.bytes);
}

/* ---- Faults meanwhile ---- */

static struct pmap pmap;
static struct vm_map map;
#define VA(page) (UINT64_C(0x40000000) + ptoa((vm_pindex_t)(page)))

/* All of the file, shared and writable. */
static void
map_file(void)
{
	const struct vm_map_what what = { .object = vnode.v_object,
		.prot = VM_PROT_READ | VM_PROT_WRITE,
		.max = VM_PROT_ALL };

	assert_int_equal(pmap_pinit(&pmap), 0);
	vm_map_startup();
	vm_map_init(&map, &pmap, VA(0), VA(64));
	vm_object_reference(what.object);
	vm_map_lock(&map);
	assert_int_equal(vm_map_insert(&map, VA(0), VA(64), &what),
	    KERN_SUCCESS);
	vm_map_unlock(&map);
}

static void
unmap_file(void)
{
	assert_int_equal(vm_map_remove(&map, VA(0), VA(64)), KERN_SUCCESS);
	vm_map_fini(&map);
	pmap_release(&pmap);
}

static void
make_empty(void *arg)
{
	(void)arg;
	sim_pin(1);
	vnode_pager_setsize(&vnode, 0);
}

/* A page is waited for; one that has gone already is not made anew. */
static void
test_fault_while_shorter(void **state)
{
	struct simthread *thread;
	vm_page_t m;
	int error;

	(void)state;
	map_file();
	for (vm_pindex_t i = 0; i < 3; i++)
		(void)read_page(i);
	m = busy_page(vnode.v_object, 3);
	thread = sim_start(make_empty, NULL);
	sim_wait_asleep(thread);
	error = vm_fault(&map, VA(0), VM_PROT_WRITE, VM_FAULT_NORMAL);
	unbusy(m);
	sim_join(thread);
	assert_int_equal(error, KERN_OUT_OF_BOUNDS);
	assert_int_equal(vnode.v_object->resident_page_count, 0);
	unmap_file();
}

static int
fault(unsigned int page, vm_prot_t access)
{
	return (vm_fault(&map, VA(page), access, VM_FAULT_NORMAL));
}

/* ---- Reads ahead ---- */

/* Each page of [first, end) is read, by a fault if it is not mapped. */
static const struct ahead_row {
	const char *name;
	int advice;
	unsigned int first, end;
	const char *asked; /* of the file: first page, and how many */
} ahead_rows[] = {
	{ "ahead: in order, twice as far each time", MADV_NORMAL, 0, 64,
	    "0+9 9+17 26+32 58+6" },
	{ "ahead: anywhere, around it", MADV_NORMAL, 20, 21, "13+16" },
	{ "ahead: from the start, not before it", MADV_NORMAL, 3, 4, "0+12" },
	{ "ahead: to the end, not past it", MADV_NORMAL, 60, 61, "53+11" },
	{ "ahead: in order, as was said", MADV_SEQUENTIAL, 20, 64,
	    "20+32 52+12" },
	{ "ahead: in no order, as was said", MADV_RANDOM, 20, 23,
	    "20+1 21+1 22+1" },
};

static void
test_ahead(void **state)
{
	const struct ahead_row *r = *state;

	file.len = sizeof(file.bytes);
	vnode_pager_setsize(&vnode, file.len);
	map_file();
	assert_int_equal(vm_map_madvise(&map, VA(0), VA(64), r->advice),
	    KERN_SUCCESS);
	for (unsigned int page = r->first; page < r->end; page++) {
		if (pmap_extract(&pmap, VA(page)) == 0)
			assert_int_equal(fault(page, VM_PROT_READ),
			    KERN_SUCCESS);
	}
	assert_string_equal(file.asked, r->asked);
	for (vm_pindex_t i = r->first; i < r->end; i++) {
		vm_page_t m;

		mtx_lock(&vm_mtx);
		m = vm_page_lookup(vnode.v_object, i);
		mtx_unlock(&vm_mtx);
		assert_true(m != NULL && is_page(m));
	}
	unmap_file();
}

/* After an error the page alone is tried, and neighbours do not stay. */
static void
test_ahead_error(void **state)
{
	(void)state;
	map_file();
	file.error = EIO;
	assert_int_equal(fault(1, VM_PROT_READ), KERN_FAILURE);
	assert_string_equal(file.asked, "0+4 1+1");
	assert_int_equal(vnode.v_object->resident_page_count, 0);
	file.error = 0;
	assert_int_equal(fault(1, VM_PROT_READ), KERN_SUCCESS);
	unmap_file();
}

/* While page 2 is written, page 0 is written to again, if that can be. */
static int rewritten;

static void
rewrite(void)
{
	rewritten = fault(0, VM_PROT_WRITE);
}

/* No write through a mapping gets lost when the file goes: none is made. */
static void
test_write_at_end(void **state)
{
	(void)state;
	map_file();
	assert_int_equal(fault(0, VM_PROT_WRITE), KERN_SUCCESS);
	assert_int_equal(fault(1, VM_PROT_READ), KERN_SUCCESS);
	assert_int_equal(fault(2, VM_PROT_WRITE), KERN_SUCCESS);
	assert_true(vm_object_sync(vnode.v_object, 0, 1, true, false));
	file.meanwhile = rewrite;
	assert_true(vnode_destroy_vobject(&vnode));
	assert_null(file.meanwhile);
	assert_int_equal(rewritten, KERN_FAILURE);
	assert_int_equal(fault(1, VM_PROT_READ), KERN_SUCCESS);
	assert_int_equal(fault(1, VM_PROT_WRITE), KERN_FAILURE);
	unmap_file();
}

int
main(void)
{
	struct CMUnitTest tests[64] = {
		cmocka_unit_test(test_no_such_type),
		cmocka_unit_test(test_dead_object),
		cmocka_unit_test(test_swap_without_devices),
		cmocka_unit_test(test_phys),
		cmocka_unit_test(test_phys_shared),
		cmocka_unit_test(test_phys_put),
		cmocka_unit_test(test_one_object),
		cmocka_unit_test(test_sync),
		cmocka_unit_test(test_sync_through_shadow),
		cmocka_unit_test(test_sync_error),
		cmocka_unit_test(test_destroy_writes),
		cmocka_unit_test(test_mapped_longer),
		cmocka_unit_test(test_fault_while_shorter),
		cmocka_unit_test(test_write_at_end),
		cmocka_unit_test(test_ahead_error),
	};
	const size_t nplain = 6;
	size_t ntests = 15;

	ADD_ROWS(tests, ntests, read_rows, test_read);
	ADD_ROWS(tests, ntests, size_rows, test_size);
	ADD_ROWS(tests, ntests, ahead_rows, test_ahead);
	for (size_t i = 0; i < ntests; i++) {
		tests[i].setup_func = i < nplain ? power_on : file_on;
		tests[i].teardown_func = i < nplain ? power_off : file_off;
	}
	return (RUN_TESTS(tests, ntests));
}
