/*
 * Threads that are processes without a program: "vmstorm N STEPS [SEED]" in the shell.
 *
 * Each has an address space, which it loads for each access, and knows what it
 * must see there.  It maps memory, writes and reads, takes rights away, wires and
 * unmaps, and forks: the child is compared page by page, and one of the two goes
 * on.  All share one object, of which each has a page of its own.  Whatever is
 * not as it should be is a panic.
 */
#include "kernel/machine/vmparam.h"
#include "kernel/sys/command.h"
#include "kernel/sys/critical.h"
#include "kernel/sys/libkern.h"
#include "kernel/sys/malloc.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"

#define STORM_FIRST  UINT64_C(0x10000000)
#define STORM_PAGES  48	 /* then the page of the shared object */
#define STORM_SHARED 256 /* the most threads */
#define RW	     (VM_PROT_READ | VM_PROT_WRITE)

static MALLOC_DEFINE(M_VMSTORM, "vmstorm", "what threads of a VM storm expect");

struct vmstorm {
	struct vmspace *vms_vm;
	uint64_t vms_self;
	uint64_t vms_step;
	uint32_t vms_random;
	vm_prot_t vms_prot[STORM_PAGES];
	uint64_t vms_words[STORM_PAGES + 1]; /* the first of each page */
};

static struct mtx vmstorm_mtx = MTX_DEF_INITIALIZER("vmstorm");
static vm_object_t vmstorm_object;
static uint32_t storm_seed;
static uint64_t nsteps, nover;	 /* (vmstorm_mtx) threads that are done */
static uint64_t nforks, nfaults; /* atomic */
static uint64_t nlost; /* atomic; accesses that a disk's error ended */

struct vmspace *vmstorm_last; /* for the debugger: in use, or NULL */

static uint32_t
below(struct vmstorm *s, uint32_t n)
{
	s->vms_random = s->vms_random * 1664525 + 1013904223;
	return ((s->vms_random >> 8) % n);
}

static vm_offset_t
page_va(uint64_t page)
{
	return (STORM_FIRST + ptoa(page));
}

static void
wrong(const struct vmstorm *s, const char *what, uint64_t page)
{
	panic("vmstorm %ju: step %ju: page %ju: %s", (uintmax_t)s->vms_self,
	    (uintmax_t)s->vms_step, (uintmax_t)page, what);
}

/* Copy a word from or to a user's address; false: it faulted. */
static bool
try_copy(struct vmspace *vm, void *dst, const void *src)
{
	bool ok;

	critical_enter();
	pmap_activate(vm->vm_map.pmap);
	ok = user_copy(dst, src, sizeof(uint64_t));
	pmap_activate(kernel_pmap);
	critical_exit();
	return (ok);
}

/* The same, with faults; what vm_fault() says. */
static int
copy_word(struct vmspace *vm, void *dst, const void *src, uint64_t page,
    vm_prot_t access)
{
	int error = KERN_SUCCESS;

	while (error == KERN_SUCCESS && !try_copy(vm, dst, src)) {
		__atomic_fetch_add(&nfaults, 1, __ATOMIC_RELAXED);
		error = vm_fault(&vm->vm_map, page_va(page), access,
		    VM_FAULT_NORMAL);
	}
	return (error);
}

/* Pages could not be read from swap, which is no fault of the VM system. */
static bool
is_lost(int error)
{
	if (error == KERN_FAILURE)
		__atomic_fetch_add(&nlost, 1, __ATOMIC_RELAXED);
	return (error == KERN_FAILURE);
}

static void
check_page(const struct vmstorm *s, struct vmspace *vm, uint64_t page)
{
	uint64_t word = 0;
	int error = copy_word(vm, &word, (const void *)page_va(page), page,
	    VM_PROT_READ);

	if (is_lost(error))
		return;
	if (error != KERN_SUCCESS)
		wrong(s, "cannot be read", page);
	if (word != s->vms_words[page])
		panic("vmstorm %ju: step %ju: page %ju is %#jx, not %#jx",
		    (uintmax_t)s->vms_self, (uintmax_t)s->vms_step,
		    (uintmax_t)page, (uintmax_t)word,
		    (uintmax_t)s->vms_words[page]);
}

/* A word that no other thread or step writes. */
static void
write_page(struct vmstorm *s, struct vmspace *vm, uint64_t page)
{
	uint64_t word = s->vms_self << 40 | s->vms_step << 8 | page;
	bool allowed =
	    page == STORM_PAGES || (s->vms_prot[page] & VM_PROT_WRITE) != 0;
	int error =
	    copy_word(vm, (void *)page_va(page), &word, page, VM_PROT_WRITE);

	if (is_lost(error))
		return;
	if (error != (allowed ? KERN_SUCCESS : KERN_PROTECTION_FAILURE))
		wrong(s, allowed ? "cannot be written" : "can be written",
		    page);
	if (vm == s->vms_vm && allowed)
		s->vms_words[page] = word;
}

static void
must(const struct vmstorm *s, int error, const char *what)
{
	if (error != KERN_SUCCESS)
		panic("vmstorm %ju: step %ju: %s: %d", (uintmax_t)s->vms_self,
		    (uintmax_t)s->vms_step, what, error);
}

static void
map_range(struct vmstorm *s, uint64_t first, uint64_t end)
{
	const struct vm_map_what zeros = { .prot = RW, .max = RW };

	must(s,
	    vm_map_fixed(&s->vms_vm->vm_map, page_va(first), ptoa(end - first),
		&zeros),
	    "to map");
	for (; first < end; first++) {
		s->vms_prot[first] = RW;
		s->vms_words[first] = 0;
	}
}

static void
protect_range(struct vmstorm *s, uint64_t first, uint64_t end)
{
	vm_prot_t prot = below(s, 2) == 0 ? RW : VM_PROT_READ;

	must(s,
	    vm_map_protect(&s->vms_vm->vm_map, page_va(first), page_va(end),
		prot, 0),
	    "to protect");
	for (; first < end; first++)
		s->vms_prot[first] = prot;
}

static void
wire_range(struct vmstorm *s, uint64_t first, uint64_t end)
{
	vm_map_t map = &s->vms_vm->vm_map;
	int error =
	    vm_map_wire(map, page_va(first), page_va(end), VM_MAP_WIRE_USER);

	if (is_lost(error))
		return;
	must(s, error, "to wire");
	for (uint64_t page = first; page < end; page++)
		check_page(s, s->vms_vm, page);
	must(s,
	    vm_map_unwire(map, page_va(first), page_va(end),
		VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK),
	    "to unwire");
}

/* The debugger is not to look at it any more. */
static void
free_space(struct vmspace *vm)
{
	struct vmspace *shown = vm;

	(void)__atomic_compare_exchange_n(&vmstorm_last, &shown, NULL, false,
	    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	vmspace_free(vm);
}

/* What the child writes the parent does not see; then one of them exits. */
static void
fork_self(struct vmstorm *s)
{
	struct vmspace *child = vmspace_fork(s->vms_vm);

	if (child == NULL)
		return;
	__atomic_fetch_add(&nforks, 1, __ATOMIC_RELAXED);
	for (uint64_t page = 0; page <= STORM_PAGES; page++)
		check_page(s, child, page);
	write_page(s, child, below(s, STORM_PAGES));
	for (uint64_t page = 0; page <= STORM_PAGES; page++)
		check_page(s, s->vms_vm, page);
	vmspace_free(child);

	child = vmspace_fork(s->vms_vm);
	if (child == NULL)
		return;
	free_space(s->vms_vm);
	s->vms_vm = child;
}

static void
one_step(struct vmstorm *s)
{
	uint64_t first = below(s, STORM_PAGES);
	uint64_t end = first + 1 + below(s, (uint32_t)(STORM_PAGES - first));

	switch (below(s, 64)) {
	case 0:
		map_range(s, first, end);
		break;
	case 1:
		protect_range(s, first, end);
		break;
	case 2:
		wire_range(s, first, end);
		break;
	case 3:
		fork_self(s);
		break;
	default:
		write_page(s, s->vms_vm, below(s, STORM_PAGES + 1));
		check_page(s, s->vms_vm, below(s, STORM_PAGES + 1));
	}
}

static void
vmstorm_begin(struct vmstorm *s, uint64_t self)
{
	const struct vm_map_what shared = {
		.object = vmstorm_object,
		.offset = ptoa(self),
		.prot = RW,
		.max = RW,
		.cow = MAP_INHERIT_SHARE,
	};

	s->vms_self = self;
	s->vms_random = storm_seed + (uint32_t)self;
	while ((s->vms_vm = vmspace_alloc(STORM_FIRST, VM_MAXUSER_ADDRESS)) ==
	    NULL)
		vm_wait(VM_ALLOC_NORMAL);
	map_range(s, 0, STORM_PAGES);
	vm_object_reference(vmstorm_object);
	must(s,
	    vm_map_fixed(&s->vms_vm->vm_map, page_va(STORM_PAGES), PAGE_SIZE,
		&shared),
	    "to map what is shared");
}

static void
vmstorm_thread(void *arg)
{
	struct vmstorm *s = malloc(sizeof(*s), M_VMSTORM, M_WAITOK | M_ZERO);

	vmstorm_begin(s, (uintptr_t)arg);
	while (s->vms_step++ < nsteps) {
		__atomic_store_n(&vmstorm_last, s->vms_vm, __ATOMIC_RELAXED);
		one_step(s);
	}
	vm_map_lock_read(&s->vms_vm->vm_map);
	if (vm_map_audit(&s->vms_vm->vm_map) != NULL)
		wrong(s, vm_map_audit(&s->vms_vm->vm_map), 0);
	vm_map_unlock_read(&s->vms_vm->vm_map);
	free_space(s->vms_vm);
	free(s, M_VMSTORM);

	mtx_lock(&vmstorm_mtx);
	nover++;
	wakeup(&nover);
	mtx_unlock(&vmstorm_mtx);
}

static void
sh_vmstorm(const char *args)
{
	uint64_t nthreads = strtouq(args, &args);

	while (*args == ' ')
		args++;
	nsteps = strtouq(args, &args);
	while (*args == ' ')
		args++;
	storm_seed = (uint32_t)strtouq(args, &args);
	if (nthreads > STORM_SHARED) {
		printf("vmstorm: %d threads at most\n", STORM_SHARED);
		return;
	}
	nover = nforks = nfaults = nlost = 0;
	vmstorm_object = vm_object_allocate(OBJT_SWAP, STORM_SHARED);
	for (uint64_t i = 0; i < nthreads; i++)
		(void)kproc_kthread_add(vmstorm_thread, (void *)(uintptr_t)i,
		    NULL, NULL, "vmstorm", "vmstorm %ju", (uintmax_t)i);
	mtx_lock(&vmstorm_mtx);
	while (nover < nthreads)
		(void)msleep(&nover, &vmstorm_mtx, 0, "vmstorm", 0);
	mtx_unlock(&vmstorm_mtx);
	vm_object_deallocate(vmstorm_object);
	vmstorm_object = NULL;
	printf("vmstorm: %ju steps, %ju faults, %ju forks",
	    (uintmax_t)(nthreads * nsteps), (uintmax_t)nfaults,
	    (uintmax_t)nforks);
	if (nlost > 0)
		printf(", %ju lost", (uintmax_t)nlost);
	printf("\n");
}
COMMAND(vmstorm, "vmstorm", CMD_SHELL, sh_vmstorm,
    "N STEPS [SEED]: threads that map, write, protect, wire and fork");
