/*
 * Devices' memory.
 */
#include "tests/support/unit.h"
#include "tests/vm/sim.h"

#include "kernel/sys/conf.h"
#include "kernel/sys/errno.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pager.h"

#define PG   UINT64_C(4096)
#define RW   (VM_PROT_READ | VM_PROT_WRITE)
#define REGS UINT64_C(0xfe000000) /* of devices, outside of memory */

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
static struct regs regs;
static struct cdev dev;

static void
power_on(void)
{
	sim_boot(&config);
	sim_pin(0);
	regs = (struct regs){ 8, UINT64_MAX, 0, RW };
	dev = (struct cdev){ &regs_sw, &regs };
}

/* Whatever was done, the pages of memory are as they were. */
static void
power_off(void)
{
	assert_true(TAILQ_EMPTY(&vm_object_list));
	sim_halt();
}

/* ---- Refusals ---- */

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

static const struct {
	const char *name;
	void (*func)(void);
} rows[] = {
	{ "the pager refuses what is none of the device", test_pager_refuses },
	{ "the pager says where a page is", test_pager_says },
};

static void
test_case(void **state)
{
	power_on();
	rows[(uintptr_t)*state].func();
	power_off();
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows)];
	size_t ntests = 0;

	for (uintptr_t i = 0; i < NROWS(rows); i++)
		tests[ntests++] = row_test(rows[i].name, test_case, (void *)i);
	return (RUN_TESTS(tests, ntests));
}
