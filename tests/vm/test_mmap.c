/*
 * mmap(2) and its like: what each refuses, one reason a row, and what they do.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/mman.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_mmap.h"
#include "kernel/vm/vm_object.h"

/* A page, numbered from the start of the map; in a table. */
#define FIRST	 UINT64_C(0x40000000)
#define PG	 UINT64_C(4096)
#define VA(page) (FIRST + (page)*PG)
#define NPAGES	 64
#define RW	 (PROT_READ | PROT_WRITE)

/* The heap begins with nothing, and may have pages 16 to 31. */
#define HEAP	VA(16)
#define HEAPMAX (16 * PG)

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x900000, 0, 0 },
	.kva_size = 16 << 20,
	.ncpus = 1,
	.pinned = true,
};

static struct vmspace *vm;
static vm_object_t file;

/* Pages 2 and 3 are mapped, to be read and written; page 4 is a guard. */
static void
power_on(void)
{
	vm_offset_t addr;

	sim_boot(&config);
	vmspace_startup();
	vm = vmspace_alloc(FIRST, VA(NPAGES));
	assert_non_null(vm);
	vm->vm_daddr = HEAP;
	vm->vm_dmax = HEAPMAX;
	file = vm_object_allocate(OBJT_SWAP, 8);
	assert_int_equal(kern_mmap(vm,
			     &(struct mmap_req){ .mr_hint = VA(2),
				 .mr_len = 2 * PG,
				 .mr_prot = RW,
				 .mr_flags =
				     MAP_ANON | MAP_PRIVATE | MAP_FIXED },
			     &addr),
	    0);
	assert_int_equal(kern_mmap(vm,
			     &(struct mmap_req){ .mr_hint = VA(4),
				 .mr_len = PG,
				 .mr_flags = MAP_GUARD | MAP_FIXED },
			     &addr),
	    0);
}

static void
power_off(void)
{
	assert_int_equal(file->ref_count, 1);
	vm_object_deallocate(file);
	vmspace_free(vm);
	assert_true(TAILQ_EMPTY(&vm_object_list));
	sim_halt();
}

/* ---- mmap ---- */

#define ANON  (MAP_ANON | MAP_PRIVATE)
#define FIXED (ANON | MAP_FIXED)

static const struct mmap_row {
	const char *name;
	struct mmap_req req; /* without the object */
	bool file;
	int expect;
	vm_offset_t addr; /* if it succeeds */
} mmap_rows[] = {
	{ "mmap: nothing", { VA(8), 0, RW, FIXED, NULL, 0, 0 }, false, EINVAL,
	    0 },
	{ "mmap: unknown flag", { VA(8), PG, RW, FIXED | 0x8, NULL, 0, 0 },
	    false, EINVAL, 0 },
	{ "mmap: unknown right", { VA(8), PG, 8, FIXED, NULL, 0, 0 }, false,
	    EINVAL, 0 },
	{ "mmap: shared and private",
	    { VA(8), PG, RW, FIXED | MAP_SHARED, NULL, 0, 0 }, false, EINVAL,
	    0 },
	{ "mmap: neither", { VA(8), PG, RW, MAP_ANON | MAP_FIXED, NULL, 0, 0 },
	    false, EINVAL, 0 },
	{ "mmap: anonymous, of a file", { VA(8), PG, RW, FIXED, NULL, 0, 7 },
	    true, EINVAL, 0 },
	{ "mmap: anonymous, from an offset",
	    { VA(8), PG, RW, FIXED, NULL, PG, 0 }, false, EINVAL, 0 },
	{ "mmap: no file", { VA(8), PG, RW, MAP_PRIVATE, NULL, 0, 7 }, false,
	    EINVAL, 0 },
	{ "mmap: a guard with rights",
	    { VA(8), PG, RW, MAP_GUARD | MAP_FIXED, NULL, 0, 0 }, false, EINVAL,
	    0 },
	{ "mmap: a stack that cannot be written",
	    { VA(8), 4 * PG, PROT_READ, MAP_STACK, NULL, 0, 0 }, false, EINVAL,
	    0 },
	{ "mmap: a stack that is shared",
	    { VA(8), 4 * PG, RW, MAP_STACK | MAP_SHARED, NULL, 0, 0 }, false,
	    EINVAL, 0 },
	{ "mmap: a stack of one page", { VA(8), PG, RW, MAP_STACK, NULL, 0, 0 },
	    false, EINVAL, 0 },
	{ "mmap: a length that wraps",
	    { VA(8), UINT64_MAX, RW, FIXED, NULL, 0, 0 }, false, ENOMEM, 0 },
	{ "mmap: more than an object has",
	    { 0, (UINT64_C(1) << 44) + PG, RW, ANON, NULL, 0, 0 }, false,
	    ENOMEM, 0 },
	{ "mmap: past the indices of an object",
	    { 0, PG, RW, MAP_PRIVATE, NULL, UINT64_C(1) << 44, 7 }, true,
	    EINVAL, 0 },
	{ "mmap: fixed in a page", { VA(8) + 8, PG, RW, FIXED, NULL, 0, 0 },
	    false, EINVAL, 0 },
	{ "mmap: fixed, another part of a page than the file's",
	    { VA(8), PG, RW, MAP_PRIVATE | MAP_FIXED, NULL, 8, 7 }, true,
	    EINVAL, 0 },
	{ "mmap: fixed before the map",
	    { VA(0) - PG, PG, RW, FIXED, NULL, 0, 0 }, false, EINVAL, 0 },
	{ "mmap: fixed past the map", { VA(63), 2 * PG, RW, FIXED, NULL, 0, 0 },
	    false, EINVAL, 0 },
	{ "mmap: shared, to write to what is only read",
	    { 0, PG, RW, MAP_SHARED, NULL, 0, PROT_READ }, true, EACCES, 0 },
	{ "mmap: private, of what may not be read",
	    { 0, PG, PROT_READ, MAP_PRIVATE, NULL, 0, PROT_WRITE }, true,
	    EACCES, 0 },
	{ "mmap: where something is, exclusively",
	    { VA(3), PG, RW, FIXED | MAP_EXCL, NULL, 0, 0 }, false, ENOMEM, 0 },
	{ "mmap: no room", { 0, 60 * PG, RW, ANON, NULL, 0, 0 }, false, ENOMEM,
	    0 },

	{ "mmap: fixed", { VA(8), PG, RW, FIXED, NULL, 0, 0 }, false, 0,
	    VA(8) },
	{ "mmap: instead of what is there",
	    { VA(3), PG, RW, FIXED, NULL, 0, 0 }, false, 0, VA(3) },
	{ "mmap: exclusively, where nothing is",
	    { VA(8), PG, RW, FIXED | MAP_EXCL, NULL, 0, 0 }, false, 0, VA(8) },
	{ "mmap: without a hint, after the heap",
	    { 0, PG, RW, ANON, NULL, 0, 0 }, false, 0, VA(32) },
	{ "mmap: a hint in the heap", { VA(20), PG, RW, ANON, NULL, 0, 0 },
	    false, 0, VA(32) },
	{ "mmap: a hint where something is",
	    { VA(2), PG, RW, ANON, NULL, 0, 0 }, false, 0, VA(5) },
	{ "mmap: a hint too late for the length",
	    { VA(60), 8 * PG, RW, ANON, NULL, 0, 0 }, false, 0, VA(5) },
	{ "mmap: private, to write to what is only read",
	    { VA(8), PG, RW, MAP_PRIVATE, NULL, 0, PROT_READ }, true, 0,
	    VA(8) },
	{ "mmap: shared", { VA(8), PG, RW, MAP_SHARED, NULL, 0, RW }, true, 0,
	    VA(8) },
	{ "mmap: a file from within a page",
	    { VA(8), PG, RW, MAP_SHARED, NULL, 8, RW }, true, 0, VA(8) + 8 },
	{ "mmap: the same, fixed",
	    { VA(8) + 8, PG, RW, MAP_SHARED | MAP_FIXED, NULL, 8, RW }, true, 0,
	    VA(8) + 8 },
	{ "mmap: a stack", { VA(8), 4 * PG, RW, MAP_STACK, NULL, 0, 0 }, false,
	    0, VA(8) },
	{ "mmap: a stack, fixed",
	    { VA(2), 4 * PG, RW, MAP_STACK | MAP_FIXED, NULL, 0, 0 }, false, 0,
	    VA(2) },
	{ "mmap: a stack where something is, exclusively",
	    { VA(2), 4 * PG, RW, MAP_STACK | MAP_FIXED | MAP_EXCL, NULL, 0, 0 },
	    false, ENOMEM, 0 },
};

static void
test_mmap(void **state)
{
	const struct mmap_row *r = *state;
	struct mmap_req req = r->req;
	vm_offset_t addr = 0;
	vm_size_t before;

	power_on();
	before = vm->vm_map.size;
	req.mr_object = r->file ? file : NULL;
	assert_int_equal(kern_mmap(vm, &req, &addr), r->expect);
	assert_int_equal(addr, r->addr);
	if (r->expect != 0)
		assert_int_equal(vm->vm_map.size, before);
	vm_map_lock_read(&vm->vm_map);
	assert_null(vm_map_audit(&vm->vm_map));
	vm_map_unlock_read(&vm->vm_map);
	assert_int_equal(kern_munmap(vm, FIRST, NPAGES * PG), 0);
	power_off();
}

/* ---- The others ---- */

static unsigned char core[NPAGES];

static int
call_munmap(vm_offset_t addr, vm_size_t len, int arg)
{
	(void)arg;
	return (kern_munmap(vm, addr, len));
}

static int
call_mprotect(vm_offset_t addr, vm_size_t len, int arg)
{
	return (kern_mprotect(vm, addr, len, arg));
}

static int
call_minherit(vm_offset_t addr, vm_size_t len, int arg)
{
	return (kern_minherit(vm, addr, len, arg));
}

static int
call_madvise(vm_offset_t addr, vm_size_t len, int arg)
{
	return (kern_madvise(vm, addr, len, arg));
}

static int
call_msync(vm_offset_t addr, vm_size_t len, int arg)
{
	return (kern_msync(vm, addr, len, arg));
}

static int
call_mlock(vm_offset_t addr, vm_size_t len, int arg)
{
	(void)arg;
	return (kern_mlock(vm, addr, len));
}

static int
call_munlock(vm_offset_t addr, vm_size_t len, int arg)
{
	(void)arg;
	return (kern_munlock(vm, addr, len));
}

static int
call_mincore(vm_offset_t addr, vm_size_t len, int arg)
{
	(void)arg;
	return (kern_mincore(vm, addr, len, core));
}

static int
call_break(vm_offset_t addr, vm_size_t len, int arg)
{
	(void)len, (void)arg;
	return (kern_break(vm, addr));
}

static int
call_mlockall(vm_offset_t addr, vm_size_t len, int arg)
{
	(void)addr, (void)len;
	return (kern_mlockall(vm, arg));
}

static int
call_munlockall(vm_offset_t addr, vm_size_t len, int arg)
{
	(void)addr, (void)len, (void)arg;
	return (kern_munlockall(vm));
}

#define WRAPS (UINT64_MAX - 5)

static const struct row {
	const char *name;
	int (*call)(vm_offset_t addr, vm_size_t len, int arg);
	vm_offset_t addr;
	vm_size_t len;
	int arg;
	int expect;
	unsigned int npages; /* mapped then; 3 before */
} rows[] = {
	{ "munmap: nothing", call_munmap, VA(2), 0, 0, EINVAL, 3 },
	{ "munmap: wraps", call_munmap, VA(2), WRAPS, 0, EINVAL, 3 },
	{ "munmap: past the map", call_munmap, VA(2), NPAGES *PG, 0, EINVAL,
	    3 },
	{ "munmap: a part of a page", call_munmap, VA(2) + 5, 1, 0, 0, 2 },
	{ "munmap: over an edge", call_munmap, VA(2) + 5, PG, 0, 0, 1 },
	{ "munmap: where nothing is", call_munmap, VA(9), PG, 0, 0, 3 },
	{ "mprotect: unknown right", call_mprotect, VA(2), PG, 8, EINVAL, 3 },
	{ "mprotect: wraps", call_mprotect, VA(2), WRAPS, RW, EINVAL, 3 },
	{ "mprotect: past the map", call_mprotect, VA(2), NPAGES *PG, RW,
	    ENOMEM, 3 },
	{ "mprotect: nothing", call_mprotect, VA(2), 0, RW, 0, 3 },
	{ "mprotect: a guard stays one", call_mprotect, VA(4), PG, RW, 0, 3 },
	{ "mprotect", call_mprotect, VA(2), PG, PROT_READ, 0, 3 },
	{ "minherit: unknown", call_minherit, VA(2), PG, 4, EINVAL, 3 },
	{ "minherit: less than nothing", call_minherit, VA(2), PG, -1, EINVAL,
	    3 },
	{ "minherit: wraps", call_minherit, VA(2), WRAPS, 1, EINVAL, 3 },
	{ "minherit: past the map", call_minherit, VA(2), NPAGES *PG, 1, ENOMEM,
	    3 },
	{ "minherit", call_minherit, VA(2), PG, VM_INHERIT_NONE, 0, 3 },
	{ "madvise: unknown", call_madvise, VA(2), PG, MADV_CORE + 1, EINVAL,
	    3 },
	{ "madvise: less than nothing", call_madvise, VA(2), PG, -1, EINVAL,
	    3 },
	{ "madvise: wraps", call_madvise, VA(2), WRAPS, 0, EINVAL, 3 },
	{ "madvise: past the map", call_madvise, VA(2), NPAGES *PG, 0, ENOMEM,
	    3 },
	{ "madvise: where nothing is", call_madvise, VA(9), PG, MADV_DONTNEED,
	    0, 3 },
	{ "msync: unknown flag", call_msync, VA(2), PG, 4, EINVAL, 3 },
	{ "msync: later, and let go now", call_msync, VA(2), PG,
	    MS_ASYNC | MS_INVALIDATE, EINVAL, 3 },
	{ "msync: wraps", call_msync, VA(2), WRAPS, MS_SYNC, EINVAL, 3 },
	{ "msync: a hole", call_msync, VA(4), 2 * PG, MS_SYNC, ENOMEM, 3 },
	{ "msync: past the map", call_msync, VA(2), NPAGES *PG, MS_SYNC, ENOMEM,
	    3 },
	{ "msync", call_msync, VA(2), 3 * PG, MS_SYNC, 0, 3 },
	{ "mlock: wraps", call_mlock, VA(2), WRAPS, 0, EINVAL, 3 },
	{ "mlock: a hole", call_mlock, VA(1), 2 * PG, 0, ENOMEM, 3 },
	{ "mlock: a guard", call_mlock, VA(3), 2 * PG, 0, ENOMEM, 3 },
	{ "mlock", call_mlock, VA(2), 2 * PG, 0, 0, 3 },
	{ "munlock: what is not locked", call_munlock, VA(2), PG, 0, ENOMEM,
	    3 },
	{ "munlock: wraps", call_munlock, VA(2), WRAPS, 0, EINVAL, 3 },
	{ "mlockall: nothing", call_mlockall, 0, 0, 0, EINVAL, 3 },
	{ "mlockall: unknown", call_mlockall, 0, 0, 4, EINVAL, 3 },
	{ "mlockall: what there is", call_mlockall, 0, 0, MCL_CURRENT, 0, 3 },
	{ "munlockall: nothing was locked", call_munlockall, 0, 0, 0, 0, 3 },
	{ "mincore: a hole", call_mincore, VA(4), 2 * PG, 0, ENOMEM, 3 },
	{ "mincore: wraps", call_mincore, VA(2), WRAPS, 0, EINVAL, 3 },
	{ "mincore: nothing yet", call_mincore, VA(2), 3 * PG, 0, 0, 3 },
	{ "brk: before the heap", call_break, HEAP - 1, 0, 0, EINVAL, 3 },
	{ "brk: more than it may have", call_break, HEAP + HEAPMAX + 1, 0, 0,
	    ENOMEM, 3 },
	{ "brk: as it is", call_break, HEAP, 0, 0, 0, 3 },
	{ "brk: one byte", call_break, HEAP + 1, 0, 0, 0, 4 },
	{ "brk: all of it", call_break, HEAP + HEAPMAX, 0, 0, 0, 19 },
};

static void
test_row(void **state)
{
	const struct row *r = *state;

	power_on();
	assert_int_equal(r->call(r->addr, r->len, r->arg), r->expect);
	assert_int_equal(atop(vm->vm_map.size), r->npages);
	vm_map_lock_read(&vm->vm_map);
	assert_null(vm_map_audit(&vm->vm_map));
	vm_map_unlock_read(&vm->vm_map);
	power_off();
}

/* ---- What they do ---- */

static void
touch(vm_offset_t va, vm_prot_t access)
{
	assert_int_equal(vm_fault(&vm->vm_map, va, access, VM_FAULT_NORMAL),
	    KERN_SUCCESS);
}

static void
test_mincore(void **state)
{
	(void)state;
	power_on();
	touch(VA(2), VM_PROT_READ);
	assert_int_equal(kern_mincore(vm, VA(2), 2 * PG, core), 0);
	assert_int_equal(core[0], MINCORE_INCORE | MINCORE_REFERENCED);
	assert_int_equal(core[1], 0);
	touch(VA(3), VM_PROT_WRITE);
	assert_int_equal(kern_mincore(vm, VA(2), 2 * PG, core), 0);
	assert_int_equal(core[1],
	    MINCORE_INCORE | MINCORE_REFERENCED | MINCORE_MODIFIED);
	power_off();
}

/* Where a heap grows again it is new; in the way of something it does not. */
static void
test_break(void **state)
{
	vm_offset_t addr;
	vm_page_t m;

	(void)state;
	power_on();
	assert_int_equal(kern_break(vm, HEAP + 2 * PG), 0);
	assert_int_equal(kern_break(vm, HEAP + 4 * PG), 0);
	assert_int_equal(vm->vm_map.nentries, 3);
	touch(HEAP + 3 * PG, VM_PROT_WRITE);
	m = PHYS_TO_VM_PAGE(pmap_extract(vm->vm_map.pmap, HEAP + 3 * PG));
	memset((void *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)), 7, PG);
	assert_int_equal(kern_break(vm, HEAP + PG), 0);
	assert_int_equal(kern_break(vm, HEAP + 4 * PG), 0);
	touch(HEAP + 3 * PG, VM_PROT_READ);
	m = PHYS_TO_VM_PAGE(pmap_extract(vm->vm_map.pmap, HEAP + 3 * PG));
	assert_int_equal(*(char *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m)), 0);

	assert_int_equal(kern_mmap(vm,
			     &(struct mmap_req){ .mr_hint = HEAP + 6 * PG,
				 .mr_len = PG,
				 .mr_prot = RW,
				 .mr_flags = FIXED },
			     &addr),
	    0);
	assert_int_equal(kern_break(vm, HEAP + 8 * PG), ENOMEM);
	assert_int_equal(vm->vm_dsize, 4 * PG);
	power_off();
}

/* ---- How much may stay ---- */

static void
expect_wired(vm_pindex_t npages)
{
	assert_int_equal(vm_user_wire_count(), npages);
	assert_int_equal(pmap_wired_count(vm->vm_map.pmap), npages);
}

/* Each way in which pages that stay are counted, and counted no more. */
static void
test_max_user_wired(void **state)
{
	struct vmspace *child;

	(void)state;
	power_on();
	assert_in_range(vm_page_max_user_wired, 100, vm_page_array_size / 3);
	vm_page_max_user_wired = 1;
	assert_int_equal(kern_mlock(vm, VA(2), 2 * PG), ENOMEM);
	expect_wired(0);
	assert_int_equal(kern_mlock(vm, VA(2), PG), 0);
	assert_int_equal(kern_mlock(vm, VA(2), PG), 0);
	assert_int_equal(kern_mlock(vm, VA(2), 2 * PG), ENOMEM);
	expect_wired(1);
	vm_page_max_user_wired = 2;
	assert_int_equal(kern_mlock(vm, VA(2), 2 * PG), 0);
	expect_wired(2);
	child = vmspace_fork(vm);
	vmspace_free(child);
	expect_wired(2);
	assert_int_equal(kern_munlock(vm, VA(3), PG), 0);
	expect_wired(1);
	assert_int_equal(kern_munmap(vm, VA(2), PG), 0);
	expect_wired(0);
	power_off();
}

/* What fails half way is not counted. */
static void
test_mlock_fails(void **state)
{
	vm_offset_t addr;

	(void)state;
	power_on();
	file->type = OBJT_VNODE;
	file->flags = 0;
	assert_int_equal(kern_mmap(vm,
			     &(struct mmap_req){ .mr_hint = VA(8),
				 .mr_len = PG,
				 .mr_prot = PROT_READ,
				 .mr_flags = MAP_SHARED | MAP_FIXED,
				 .mr_object = file,
				 .mr_pos = 8 * PG,
				 .mr_maxprot = PROT_READ },
			     &addr),
	    0);
	assert_int_equal(kern_mlock(vm, VA(8), PG), ENOMEM);
	expect_wired(0);
	assert_int_equal(kern_mlockall(vm, MCL_CURRENT), EAGAIN);
	expect_wired(0);
	assert_int_equal(kern_munmap(vm, VA(8), PG), 0);
	power_off();
}

static vm_offset_t
map_anon(vm_offset_t hint, vm_size_t len)
{
	const struct mmap_req req = { .mr_hint = hint,
		.mr_len = len,
		.mr_prot = RW,
		.mr_flags = ANON };
	vm_offset_t addr;

	assert_int_equal(kern_mmap(vm, &req, &addr), 0);
	return (addr);
}

/* What is there, what comes, or both; until it is taken back. */
static const struct lock_row {
	const char *name;
	int how;
	vm_pindex_t now, later; /* pages that stay, of 2 and 3 more */
} lock_rows[] = {
	{ "mlockall: now", MCL_CURRENT, 2, 2 },
	{ "mlockall: later", MCL_FUTURE, 0, 3 },
	{ "mlockall: now and later", MCL_CURRENT | MCL_FUTURE, 2, 5 },
};

static void
test_mlockall(void **state)
{
	const struct lock_row *r = *state;

	power_on();
	assert_int_equal(kern_mlockall(vm, r->how), 0);
	expect_wired(r->now);
	(void)map_anon(VA(8), 2 * PG);
	assert_int_equal(kern_break(vm, HEAP + PG), 0);
	expect_wired(r->later);
	assert_int_equal(kern_munlockall(vm), 0);
	expect_wired(0);
	(void)map_anon(VA(12), PG);
	expect_wired(0);
	power_off();
}

static void
test_mlockall_fails(void **state)
{
	(void)state;
	power_on();
	vm_page_max_user_wired = 1;
	assert_int_equal(kern_mlockall(vm, MCL_CURRENT), ENOMEM);
	expect_wired(0);
	power_off();
}

/* What is to stay and cannot is not mapped, either. */
static void
test_no_future(void **state)
{
	const struct mmap_req req = { .mr_len = PG,
		.mr_prot = RW,
		.mr_flags = ANON };
	const vm_offset_t stack = VA(40);
	vm_offset_t addr;
	vm_size_t size;

	(void)state;
	power_on();
	assert_int_equal(vm_map_stack(&vm->vm_map, stack, 8 * PG, PG,
			     &(struct vm_map_what){ .prot = RW, .max = RW }),
	    KERN_SUCCESS);
	assert_int_equal(kern_mlockall(vm, MCL_FUTURE), 0);
	vm_page_max_user_wired = 0;
	size = vm->vm_map.size;

	assert_int_equal(kern_mmap(vm, &req, &addr), ENOMEM);
	assert_int_equal(kern_break(vm, HEAP + PG), ENOMEM);
	assert_int_equal(vm->vm_dsize, 0);
	assert_int_equal(vm_fault(&vm->vm_map, stack + 4 * PG, VM_PROT_WRITE,
			     VM_FAULT_NORMAL),
	    KERN_PROTECTION_FAILURE);
	assert_int_equal(vm->vm_map.size, size);
	expect_wired(0);

	vm_page_max_user_wired = 100;
	assert_int_equal(kern_break(vm, HEAP + PG), 0);
	touch(stack + 4 * PG, VM_PROT_WRITE);
	assert_int_equal(vm->vm_map.size, size + PG);
	expect_wired(1 + 6);
	assert_int_equal(kern_munlockall(vm), 0);
	expect_wired(0);
	power_off();
}

/* ---- As much as an object has ---- */

#define LARGE (UINT64_C(1) << 44)

/* Neighbours that are more together than an object has do not become one. */
static const struct large_row {
	const char *name;
	vm_size_t first, second;
	bool touched;	       /* between the calls, so there is an object */
	unsigned int nentries; /* then */
} large_rows[] = {
	{ "large: all of an object, twice", LARGE, LARGE, false, 2 },
	{ "large: all of an object, used, and more", LARGE, LARGE, true, 2 },
	{ "large: one page too many", LARGE, PG, false, 2 },
	{ "large: one page too many of what is used", LARGE, PG, true, 2 },
	{ "large: just enough", LARGE - PG, PG, false, 1 },
	{ "large: just enough of what is used", LARGE - PG, PG, true, 1 },
};

static void
test_large(void **state)
{
	const struct large_row *r = *state;
	vm_offset_t end = VA(NPAGES) + r->first + r->second;

	power_on();
	vmspace_free(vm);
	vm = vmspace_alloc(FIRST, end);
	vm->vm_daddr = FIRST;
	assert_int_equal(map_anon(0, r->first), FIRST);
	if (r->touched)
		touch(FIRST + r->first - PG, VM_PROT_WRITE);
	assert_int_equal(map_anon(0, r->second), FIRST + r->first);
	assert_int_equal(vm->vm_map.nentries, r->nentries);
	touch(FIRST + r->first + r->second - PG, VM_PROT_WRITE);
	vm_map_lock_read(&vm->vm_map);
	assert_null(vm_map_audit(&vm->vm_map));
	vm_map_unlock_read(&vm->vm_map);
	power_off();
}

static void
test_large_break(void **state)
{
	(void)state;
	power_on();
	vmspace_free(vm);
	vm = vmspace_alloc(FIRST, FIRST + 2 * LARGE);
	vm->vm_daddr = FIRST;
	vm->vm_dmax = 2 * LARGE;
	assert_int_equal(kern_break(vm, FIRST + LARGE + PG), ENOMEM);
	assert_int_equal(kern_break(vm, FIRST + LARGE), 0);
	power_off();
}

/* What is to stay cannot be let go of. */
static void
test_msync_wired(void **state)
{
	(void)state;
	power_on();
	assert_int_equal(kern_mlock(vm, VA(2), PG), 0);
	assert_int_equal(kern_msync(vm, VA(2), PG, MS_INVALIDATE), EBUSY);
	assert_int_equal(kern_msync(vm, VA(2), PG, MS_SYNC), 0);
	power_off();
}

/* Pages that were freed are clean, so the page daemon need not write them. */
static void
test_madvise_free(void **state)
{
	(void)state;
	power_on();
	touch(VA(2), VM_PROT_WRITE);
	assert_int_equal(kern_madvise(vm, VA(2), PG, MADV_FREE), 0);
	assert_int_equal(kern_mincore(vm, VA(2), PG, core), 0);
	assert_int_equal(core[0], MINCORE_INCORE);
	power_off();
}

/* Advice that stays splits an entry, and taking it back makes it one again. */
static void
test_madvise_entries(void **state)
{
	(void)state;
	power_on();
	assert_int_equal(kern_madvise(vm, VA(2), PG, MADV_RANDOM), 0);
	assert_int_equal(vm->vm_map.nentries, 3);
	assert_int_equal(kern_madvise(vm, VA(2), PG, MADV_NOCORE), 0);
	assert_int_equal(vm->vm_map.nentries, 3);
	assert_int_equal(kern_madvise(vm, VA(2), PG, MADV_CORE), 0);
	assert_int_equal(kern_madvise(vm, VA(2), PG, MADV_NORMAL), 0);
	assert_int_equal(vm->vm_map.nentries, 2);
	power_off();
}

int
main(void)
{
	struct CMUnitTest tests[128] = {
		cmocka_unit_test(test_mincore),
		cmocka_unit_test(test_break),
		cmocka_unit_test(test_large_break),
		cmocka_unit_test(test_max_user_wired),
		cmocka_unit_test(test_mlock_fails),
		cmocka_unit_test(test_mlockall_fails),
		cmocka_unit_test(test_no_future),
		cmocka_unit_test(test_msync_wired),
		cmocka_unit_test(test_madvise_free),
		cmocka_unit_test(test_madvise_entries),
	};
	size_t ntests = 10;

	ADD_ROWS(tests, ntests, lock_rows, test_mlockall);
	ADD_ROWS(tests, ntests, large_rows, test_large);
	ADD_ROWS(tests, ntests, mmap_rows, test_mmap);
	ADD_ROWS(tests, ntests, rows, test_row);
	return (RUN_TESTS(tests, ntests));
}
