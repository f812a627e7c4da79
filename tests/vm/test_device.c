/*
 * Devices' memory: what a mapping of it refuses, one reason a row; what is seen;
 * and that it has no pages, whatever is done with it.
 */
#include "tests/support/unit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/pages.h"
#include "tests/vm/sim.h"

#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/sys/conf.h"
#include "kernel/sys/errno.h"
#include "kernel/sys/mman.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_mmap.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pager.h"

#define FIRST	 UINT64_C(0x40000000)
#define PG	 UINT64_C(4096)
#define VA(page) (FIRST + (page)*PG)
#define NPAGES	 64
#define RW	 (PROT_READ | PROT_WRITE)
#define REGS	 UINT64_C(0xfe000000) /* of devices, outside of memory */

#define OBJECT_END (UINT64_C(1) << 44)

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x900000, 0, 0 },
	.kva_size = 16 << 20,
	.ncpus = 2,
	.pinned = true,
};

/* A device of dr_npages pages, of which one may be a hole, or somewhere else. */
struct regs {
	vm_pindex_t dr_npages;
	vm_pindex_t dr_odd; /* this page is at dr_odd_pa; 0: a hole */
	vm_paddr_t dr_odd_pa;
	int dr_prot;
};

static int
regs_mmap(struct cdev *dev, uint64_t off, vm_paddr_t *paddr, int nprot)
{
	const struct regs *r = dev->si_drv1;

	assert_int_equal(off % PG, 0);
	*paddr = atop(off) == r->dr_odd ? r->dr_odd_pa : REGS + off;
	return (atop(off) >= r->dr_npages || *paddr == 0 ? ENXIO :
		(nprot & ~r->dr_prot) != 0		 ? EPERM :
							   0);
}

static const struct cdevsw regs_sw = { regs_mmap };
static const struct cdevsw no_mmap_sw = { NULL };
static struct regs regs;
static struct cdev dev;
static struct vmspace *vm;

static void
power_on(void)
{
	sim_boot(&config);
	sim_pin(0);
	vmspace_startup();
	vm = vmspace_alloc(FIRST, VA(NPAGES));
	assert_non_null(vm);
	regs = (struct regs){ 8, UINT64_MAX, 0, RW };
	dev = (struct cdev){ &regs_sw, &regs };
}

/* Whatever was done, the pages of memory are as they were. */
static void
power_off(void)
{
	pmap_activate(kernel_pmap);
	vmspace_free(vm);
	assert_true(TAILQ_EMPTY(&vm_object_list));
	sim_halt();
}

/* Map pages of the device at page at; what vm_mmap_cdev() says. */
static int
map_pages(unsigned int at, vm_pindex_t first, vm_pindex_t npages, int prot)
{
	const struct mmap_req req = {
		.mr_hint = VA(at),
		.mr_len = ptoa(npages),
		.mr_prot = prot,
		.mr_flags = MAP_SHARED | MAP_FIXED,
		.mr_pos = ptoa(first),
		.mr_maxprot = RW,
	};
	vm_offset_t addr;

	return (vm_mmap_cdev(vm, &dev, &req, &addr));
}

static int
fault(struct vmspace *in, unsigned int page, vm_prot_t access)
{
	return (vm_fault(&in->vm_map, VA(page), access, VM_FAULT_NORMAL));
}

/* What CPU 0 sees in a page: the device's page, say. */
static void
assert_shows(struct vmspace *in, unsigned int page, vm_pindex_t pindex)
{
	pmap_activate(in->vm_map.pmap);
	assert_ptr_equal(mmu_access(0, VA(page), MMU_USER),
	    (void *)PHYS_TO_DMAP(REGS + ptoa(pindex)));
	assert_int_equal(*pmap_find(in->vm_map.pmap, VA(page)).mp_pte &
		AMD64_PTE_NC,
	    AMD64_PTE_NC);
}

static void
assert_nothing_at(struct vmspace *in, unsigned int page)
{
	pmap_activate(in->vm_map.pmap);
	assert_null(mmu_access(0, VA(page), MMU_USER));
}

/* ---- Refusals ---- */

#define SHARED (MAP_SHARED | MAP_FIXED)

static const struct refusal {
	const char *name;
	struct mmap_req req;
	struct regs regs;
	const struct cdevsw *sw;
	int expect;
} refusals[] = {
	{ "refuses: private", { VA(2), PG, RW, MAP_PRIVATE, NULL, 0, RW },
	    { 8, 8, 0, RW }, &regs_sw, EINVAL },
	{ "refuses: anonymous",
	    { VA(2), PG, RW, MAP_ANON | MAP_SHARED, NULL, 0, RW },
	    { 8, 8, 0, RW }, &regs_sw, EINVAL },
	{ "refuses: to write, opened to read",
	    { VA(2), PG, RW, SHARED, NULL, 0, PROT_READ }, { 8, 8, 0, RW },
	    &regs_sw, EACCES },
	{ "refuses: from the end of the device on",
	    { VA(2), PG, RW, SHARED, NULL, 8 * PG, RW }, { 8, 9, 0, RW },
	    &regs_sw, EINVAL },
	{ "refuses: past its end",
	    { VA(2), 3 * PG, RW, SHARED, NULL, 6 * PG, RW }, { 8, 9, 0, RW },
	    &regs_sw, EINVAL },
	{ "refuses: a byte past its end",
	    { VA(2) + 1, 8 * PG, RW, SHARED, NULL, 1, RW }, { 8, 9, 0, RW },
	    &regs_sw, EINVAL },
	{ "refuses: past the indices of an object",
	    { VA(2), PG, RW, SHARED, NULL, OBJECT_END, RW },
	    { UINT64_MAX, UINT64_MAX, 0, RW }, &regs_sw, EINVAL },
	{ "refuses: a hole", { VA(2), 4 * PG, RW, SHARED, NULL, 0, RW },
	    { 8, 3, 0, RW }, &regs_sw, EINVAL },
	{ "refuses: a register within a page",
	    { VA(2), 4 * PG, RW, SHARED, NULL, 0, RW }, { 8, 3, REGS + 8, RW },
	    &regs_sw, EINVAL },
	{ "refuses: memory of the machine",
	    { VA(2), 4 * PG, RW, SHARED, NULL, 0, RW }, { 8, 3, 0x100000, RW },
	    &regs_sw, EINVAL },
	{ "refuses: rights that the device does not give",
	    { VA(2), PG, RW, SHARED, NULL, 0, RW }, { 8, 8, 0, PROT_READ },
	    &regs_sw, EINVAL },
	{ "refuses: a device that cannot be mapped",
	    { VA(2), PG, RW, SHARED, NULL, 0, RW }, { 8, 8, 0, RW },
	    &no_mmap_sw, EINVAL },
};

/* What was there stays, and no object is left. */
static void
test_refusal(void **state)
{
	const struct refusal *r = *state;
	const struct mmap_req *req = &r->req;
	vm_offset_t addr = 0;

	power_on();
	assert_int_equal(map_pages(2, 0, 1, RW), 0);
	assert_int_equal(fault(vm, 2, VM_PROT_READ), KERN_SUCCESS);
	regs = r->regs;
	dev.si_devsw = r->sw;
	assert_int_equal(vm_mmap_cdev(vm, &dev, req, &addr), r->expect);
	assert_int_equal(addr, 0);
	assert_shows(vm, 2, 0);
	assert_int_equal(vm->vm_map.size, PG);
	power_off();
}

static const struct {
	void *handle;
	vm_ooffset_t size, offset;
} asked[] = {
	{ NULL, PG, 0 },
	{ &dev, 0, 0 },
	{ &dev, OBJECT_END + 1, 0 },
	{ &dev, 2 * PG, UINT64_MAX - PG },
};

/* What only a kernel could ask of the pager. */
static void
test_pager_refuses(void)
{
	regs.dr_npages = UINT64_MAX;
	for (size_t i = 0; i < NROWS(asked); i++)
		assert_null(vm_pager_allocate(OBJT_DEVICE, asked[i].handle,
		    asked[i].size, RW, asked[i].offset));
}

static void
test_pager_says(void)
{
	vm_object_t object =
	    vm_pager_allocate(OBJT_DEVICE, &dev, PG, RW, 3 * PG);
	vm_object_t memory = vm_object_allocate(OBJT_SWAP, 8);
	vm_paddr_t pa = 0;

	assert_int_equal(object->size, 4);
	assert_int_equal(vm_pager_paddr(object, 3, RW, &pa), VM_PAGER_OK);
	assert_int_equal(pa, REGS + 3 * PG);
	assert_int_equal(vm_pager_paddr(object, 8, RW, &pa), VM_PAGER_BAD);
	assert_int_equal(vm_pager_paddr(object, 3, VM_PROT_ALL, &pa),
	    VM_PAGER_BAD);
	assert_int_equal(vm_pager_paddr(memory, 3, RW, &pa), VM_PAGER_BAD);
	vm_object_deallocate(memory);
	vm_object_deallocate(object);
}

/* Maps take no copy of a device, be it made now or by a fork. */
static void
test_never_private(void)
{
	struct vm_map_what what = { .prot = RW, .max = RW };

	assert_int_equal(map_pages(2, 0, 2, RW), 0);
	assert_int_equal(kern_minherit(vm, VA(1), 2 * PG, VM_INHERIT_COPY),
	    EINVAL);
	what.object = vm_pager_allocate(OBJT_DEVICE, &dev, PG, RW, 0);
	assert_int_equal(vm_map_fixed(&vm->vm_map, VA(2), PG, &what),
	    KERN_INVALID_ARGUMENT);
	what.cow = MAP_COPY_ON_WRITE | MAP_INHERIT_SHARE;
	assert_int_equal(vm_map_fixed(&vm->vm_map, VA(2), PG, &what),
	    KERN_INVALID_ARGUMENT);
	vm_object_deallocate(what.object);
	assert_int_equal(vm->vm_map.nentries, 1);
}

/* ---- What is seen ---- */

static void
test_seen(void)
{
	assert_int_equal(map_pages(2, 3, 2, RW), 0);
	assert_nothing_at(vm, 2);
	assert_int_equal(fault(vm, 3, VM_PROT_WRITE), KERN_SUCCESS);
	assert_shows(vm, 3, 4);
	assert_nothing_at(vm, 2);
	assert_non_null(mmu_access(0, VA(3), MMU_USER | MMU_WRITE));
	assert_int_equal(fault(vm, 4, VM_PROT_READ), KERN_INVALID_ADDRESS);
	assert_int_equal(kern_mprotect(vm, VA(3), PG, PROT_READ), 0);
	assert_null(mmu_access(0, VA(3), MMU_USER | MMU_WRITE));
	assert_int_equal(fault(vm, 3, VM_PROT_WRITE), KERN_PROTECTION_FAILURE);
	assert_shows(vm, 3, 4);
}

static void
test_one_object(void)
{
	assert_int_equal(map_pages(2, 0, 2, RW), 0);
	assert_int_equal(map_pages(8, 1, 7, PROT_READ), 0);
	assert_int_equal(fault(vm, 3, VM_PROT_READ), KERN_SUCCESS);
	assert_int_equal(fault(vm, 8, VM_PROT_READ), KERN_SUCCESS);
	assert_shows(vm, 3, 1);
	assert_shows(vm, 8, 1);
	assert_null(TAILQ_NEXT(TAILQ_FIRST(&vm_object_list), object_list));
	assert_int_equal(TAILQ_FIRST(&vm_object_list)->size, 8);
	assert_int_equal(TAILQ_FIRST(&vm_object_list)->ref_count, 2);
}

static void
test_unmap(void)
{
	assert_int_equal(map_pages(2, 0, 4, RW), 0);
	for (unsigned int i = 2; i < 6; i++)
		assert_int_equal(fault(vm, i, VM_PROT_READ), KERN_SUCCESS);
	assert_int_equal(kern_munmap(vm, VA(3), 2 * PG), 0);
	assert_shows(vm, 2, 0);
	assert_nothing_at(vm, 3);
	assert_nothing_at(vm, 4);
	assert_shows(vm, 5, 3);
	assert_int_equal(kern_munmap(vm, VA(2), 4 * PG), 0);
	assert_int_equal(pmap_resident_count(vm->vm_map.pmap), 0);
	assert_true(TAILQ_EMPTY(&vm_object_list));
}

/* A child shares it, even what its parent never touched; and keeps it. */
static void
test_fork(void)
{
	struct vmspace *child;

	assert_int_equal(map_pages(2, 0, 2, RW), 0);
	assert_int_equal(fault(vm, 2, VM_PROT_WRITE), KERN_SUCCESS);
	child = vmspace_fork(vm);
	assert_non_null(child);
	assert_shows(child, 2, 0);
	assert_non_null(mmu_access(0, VA(2), MMU_USER | MMU_WRITE));
	assert_int_equal(kern_munmap(vm, VA(2), 2 * PG), 0);
	assert_nothing_at(vm, 2);
	assert_int_equal(fault(child, 3, VM_PROT_WRITE), KERN_SUCCESS);
	assert_shows(child, 3, 1);
	pmap_activate(kernel_pmap);
	vmspace_free(child);
}

/* A device that has become shorter: what it had is as it was, what it has works. */
static void
test_truncated(void)
{
	assert_int_equal(map_pages(2, 0, 4, RW), 0);
	assert_int_equal(fault(vm, 4, VM_PROT_READ), KERN_SUCCESS);
	regs.dr_npages = 2;
	assert_int_equal(fault(vm, 3, VM_PROT_READ), KERN_SUCCESS);
	assert_int_equal(fault(vm, 4, VM_PROT_READ), KERN_OUT_OF_BOUNDS);
	assert_int_equal(fault(vm, 5, VM_PROT_READ), KERN_OUT_OF_BOUNDS);
	assert_shows(vm, 3, 1);
	assert_shows(vm, 4, 2);
	assert_nothing_at(vm, 5);
	assert_int_equal(kern_mlock(vm, VA(2), 4 * PG), ENOMEM);
	assert_int_equal(pmap_wired_count(vm->vm_map.pmap), 0);
}

/* ---- No pages ---- */

/* It is mapped at once, and for good, but nothing is wired but the mappings. */
static void
test_wired(void)
{
	assert_int_equal(map_pages(2, 0, 4, RW), 0);
	assert_int_equal(kern_mlock(vm, VA(2), 4 * PG), 0);
	assert_int_equal(pmap_wired_count(vm->vm_map.pmap), 4);
	assert_shows(vm, 5, 3);
	assert_int_equal(kern_munlock(vm, VA(3), PG), 0);
	assert_int_equal(pmap_wired_count(vm->vm_map.pmap), 3);
	assert_int_equal(kern_munmap(vm, VA(2), 4 * PG), 0);
	assert_int_equal(pmap_resident_count(vm->vm_map.pmap), 0);
}

/* The direct map has no such memory here, so whatever reads it dies. */
static void
test_no_pages(void)
{
	unsigned char vec[4] = { 0xff, 0xff, 0xff, 0xff };
	vm_object_t object;

	assert_int_equal(map_pages(2, 0, 4, RW), 0);
	for (unsigned int i = 2; i < 6; i++)
		assert_int_equal(fault(vm, i, VM_PROT_WRITE), KERN_SUCCESS);
	assert_int_equal(kern_madvise(vm, VA(2), 4 * PG, MADV_DONTNEED), 0);
	assert_int_equal(kern_madvise(vm, VA(2), 4 * PG, MADV_FREE), 0);
	assert_int_equal(kern_msync(vm, VA(2), 4 * PG, MS_SYNC), 0);
	assert_int_equal(kern_msync(vm, VA(2), 4 * PG, MS_INVALIDATE), 0);
	assert_int_equal(kern_mincore(vm, VA(2), 4 * PG, vec), 0);
	assert_int_equal(vec[0] | vec[3], 0);
	object = TAILQ_FIRST(&vm_object_list);
	assert_int_equal(object->type, OBJT_DEVICE);
	assert_int_equal(object->resident_page_count, 0);
	VM_OBJECT_LOCK(object);
	assert_false(vm_pager_has_page(object, 0, NULL, NULL));
	VM_OBJECT_UNLOCK(object);
}

/* More of a device in the page tables is not more in a dump's set. */
static void
test_not_dumped(void)
{
	size_t before;

	assert_int_equal(map_pages(2, 0, 4, RW), 0);
	assert_int_equal(fault(vm, 2, VM_PROT_WRITE), KERN_SUCCESS);
	before = sim_ndumped();
	for (unsigned int i = 3; i < 6; i++)
		assert_int_equal(fault(vm, i, VM_PROT_WRITE), KERN_SUCCESS);
	assert_int_equal(sim_ndumped(), before);
}

static const struct row {
	const char *name;
	void (*func)(void);
} rows[] = {
	{ "the pager refuses what is none of the device", test_pager_refuses },
	{ "the pager says where a page is", test_pager_says },
	{ "a device is never mapped private", test_never_private },
	{ "a fault maps a page, uncached, and no other", test_seen },
	{ "all mappings show one object", test_one_object },
	{ "what is unmapped is gone, and no more", test_unmap },
	{ "a child shares it", test_fork },
	{ "a device that has become shorter", test_truncated },
	{ "wired mappings, without wired pages", test_wired },
	{ "it has no pages, whatever is asked for", test_no_pages },
	{ "it is in no dump", test_not_dumped },
};

static void
test_row(void **state)
{
	const struct row *row = *state;

	power_on();
	row->func();
	power_off();
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + NROWS(refusals)];
	size_t ntests = 0;

	ADD_ROWS(tests, ntests, rows, test_row);
	ADD_ROWS(tests, ntests, refusals, test_refusal);
	return (RUN_TESTS(tests, ntests));
}
