/*
 * usage: storm_vm [SEED [STEPS]]
 *
 * Processes on simulated CPUs map memory and files, fork, read, write, protect,
 * wire, unmap and exit, and every page that they see is compared with plain
 * arrays.  Pages leave memory at any time, for swap and for the files, requests to
 * both fail, and swap goes and comes back.  The same seed gives the same steps, so
 * what a failure says is enough to see it again.
 */
#include <string.h>

#include "tests/support/unit.h"
#include "tests/vm/audit.h"
#include "tests/vm/mmu.h"
#include "tests/vm/objects.h"
#include "tests/vm/sim.h"
#include "tests/vm/sim_disks.h"
#include "tests/vm/storm.h"
#include "tests/vm/storm_model.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/mman.h"
#include "kernel/sys/smp.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/swap_pager.h"
#include "kernel/vm/vm_fault.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pageout.h"
#include "kernel/vm/vm_pager.h"
#include "kernel/vm/vnode_pager.h"

#define NCPUS  4
#define NPROCS 8
#define NFILES 2
#define FIRST  UINT64_C(0x7ffff8000000)

#define AUDIT 1000

static const struct sim_config config = {
	.ram =
	    (const vm_paddr_t[]){ 0x1000, 0x9f000, 0x100000, 0x1900000, 0, 0 },
	.kva_size = 64 << 20,
	.ncpus = NCPUS + 1, /* the last for the disk */
	.pinned = true,
};

static struct proc {
	struct vmspace *vm; /* NULL: there is no such process */
	struct slot slots[NPAGES];
} procs[NPROCS];

/* A file: its bytes, and what it is to the VM system. */
static struct file {
	struct vnode vnode;
	unsigned char bytes[NPAGES][4096];
} files[NFILES];
static bool files_fail;
static uint64_t nfailed; /* pages that could not be written to swap */

static struct disk *swap;
static struct sim_disks disk_worker = { .dks_disks = &swap,
	.dks_ndisks = 1,
	.dks_cpu = NCPUS,
	.dks_on_demand = true };
static struct content *file_contents[NFILES][NPAGES];

static struct proc *loaded[NCPUS];

static vm_offset_t
page_va(unsigned int page)
{
	return (FIRST + ptoa(page));
}

static struct range
any_range(void)
{
	unsigned int first = below(NPAGES);
	unsigned int n = 1 + below(below(8) == 0 ? NPAGES : 10);

	return ((struct range){ first,
	    first + n > NPAGES ? NPAGES : first + n });
}

static struct proc *
any_proc(void)
{
	struct proc *p;

	do {
		p = &procs[below(NPROCS)];
	} while (p->vm == NULL);
	return (p);
}

/* ---- Accesses ---- */

static void
load(unsigned int cpu, struct proc *p)
{
	sim_pin(cpu);
	pmap_activate(p == NULL ? kernel_pmap : p->vm->vm_map.pmap);
	loaded[cpu] = p;
}

/* The page's bytes, through the MMU and faults; NULL: not for that access. */
static unsigned char *
touch(struct proc *p, unsigned int page, bool write)
{
	vm_prot_t access = write ? VM_PROT_WRITE : VM_PROT_READ;
	unsigned int cpu = below(NCPUS);
	void *got;
	int error, expected;

	load(cpu, p);
	got = mmu_access(cpu, page_va(page),
	    MMU_USER | (write ? MMU_WRITE : MMU_READ));
	expected = expected_error(p->slots, page, access);
	if (got != NULL) {
		expect(expected == KERN_SUCCESS, "an access without a right");
		return (got);
	}
	error =
	    vm_fault(&p->vm->vm_map, page_va(page), access, VM_FAULT_NORMAL);
	if (error == KERN_FAILURE && expected == KERN_SUCCESS && files_fail)
		return (NULL);
	if (error != expected)
		panic("step %ju: vm_fault says %d of page %u, not %d",
		    (uintmax_t)storm_step, error, page, expected);
	if (error != KERN_SUCCESS)
		return (NULL);
	got = mmu_access(cpu, page_va(page),
	    MMU_USER | (write ? MMU_WRITE : MMU_READ));
	expect(got != NULL, "no mapping after vm_fault");
	return (got);
}

static void
access_page(struct proc *p, unsigned int page, bool write)
{
	unsigned char *bytes = touch(p, page, write);
	struct content *c = p->slots[page].content;
	unsigned int at = below(4096);

	if (bytes == NULL)
		return;
	expect(content_is(c, bytes), "bytes");
	if (!write)
		return;
	content_own(c);
	c->freed = false;
	bytes[at] = c->bytes[at] = (unsigned char)below(256);
}

/* Each request to a file and to the disk. */
static void
set_failing(bool fails)
{
	files_fail = fails;
	sim_disk_break(swap, fails ? SIM_DISK_FAILS : SIM_DISK_WORKS);
}

static void
step_access(void)
{
	set_failing(below(16) == 0);
	access_page(any_proc(), below(NPAGES), below(2) == 0);
	set_failing(false);
}

/* ---- Mapping ---- */

static void
step_map(void)
{
	struct proc *p = any_proc();
	struct range r = any_range();
	int file = (int)below(NFILES + 2) - 2;
	struct vm_map_what what = {
		.prot =
		    (vm_prot_t)(VM_PROT_READ | (below(4) != 0) * VM_PROT_WRITE),
		.max = VM_PROT_ALL,
	};

	if (file >= 0) {
		what.object = files[file].vnode.v_object;
		what.offset = ptoa(r.first);
		vm_object_reference(what.object);
	}
	if (below(2) == 0)
		what.cow = MAP_INHERIT_SHARE;
	else if (file >= 0)
		what.cow = MAP_COPY_ON_WRITE;
	else if (below(8) == 0)
		what.cow = MAP_CREATE_GUARD;
	expect(vm_map_fixed(&p->vm->vm_map, page_va(r.first),
		   ptoa(r.end - r.first), &what) == KERN_SUCCESS,
	    "to map");
	note_mapped(p->slots, r, &what, file < 0 ? NULL : file_contents[file]);
}

static void
step_unmap(void)
{
	struct proc *p = any_proc();
	struct range r = any_range();

	expect(vm_map_remove(&p->vm->vm_map, page_va(r.first),
		   page_va(r.end)) == KERN_SUCCESS,
	    "to unmap");
	for (unsigned int i = r.first; i < r.end; i++)
		slot_clear(&p->slots[i]);
}

static void
step_stack(void)
{
	const struct vm_map_what what = { .prot = VM_PROT_READ | VM_PROT_WRITE,
		.max = VM_PROT_ALL };
	struct proc *p = any_proc();
	unsigned int mapped = 1 + below(4);
	int error;

	error = vm_map_stack(&p->vm->vm_map, page_va(NLOW), ptoa(NSTACK),
	    ptoa(mapped), &what);
	if (!room_for_stack(p->slots)) {
		expect(error == KERN_NO_SPACE, "room for a stack");
		return;
	}
	expect(error == KERN_SUCCESS, "a stack");
	note_stack(p->slots, mapped, &what);
}

/* Then the file has what was written to the pages that show it. */
static void
step_sync(void)
{
	struct proc *p = any_proc();
	struct range r = any_range();
	int error = vm_map_sync(&p->vm->vm_map, page_va(r.first),
	    page_va(r.end), VM_MAP_SYNC_WAIT);

	for (unsigned int i = r.first; error == KERN_SUCCESS && i < r.end;
	     i++) {
		for (unsigned int f = 0; f < NFILES; f++)
			expect(p->slots[i].content != file_contents[f][i] ||
				memcmp(files[f].bytes[i],
				    file_contents[f][i]->bytes, 4096) == 0,
			    "a file after msync");
	}
}

/* ---- Rights ---- */

/* Is what the process sees there the page of a file, or nothing yet? */
static bool
sees_file(struct proc *p, unsigned int page)
{
	vm_map_t map = &p->vm->vm_map;
	vm_map_entry_t entry;
	vm_object_t object;
	vm_pindex_t pindex;

	vm_map_lock_read(map);
	expect(vm_map_lookup_entry(map, page_va(page), &entry), "an entry");
	vm_map_unlock_read(map);
	pindex = atop(page_va(page) - entry->start + entry->offset);
	VM_OBJECT_LOCK(entry->object);
	for (object = entry->object;
	     object != NULL && vm_page_lookup(object, pindex) == NULL &&
	     !vm_pager_has_page(object, pindex, NULL, NULL);
	     object = object->backing_object)
		pindex += atop(object->backing_object_offset);
	VM_OBJECT_UNLOCK(entry->object);
	return (object == NULL || object->type == OBJT_VNODE);
}

/*
 * To wire a page of a file may make a copy of it that others see, too, who have
 * not written to it.  From then on they do not see what is written to the file.
 */
static void
note_copies(struct range r)
{
	for (unsigned int i = 0; i < NPROCS; i++) {
		for (unsigned int page = r.first; page < r.end; page++) {
			struct slot *s = &procs[i].slots[page];

			if (procs[i].vm != NULL && s->content != NULL &&
			    s->private && s->content->file != NULL &&
			    !s->content->own && !sees_file(&procs[i], page))
				content_own(s->content);
		}
	}
}

static void
step_protect(void)
{
	static const vm_prot_t prots[] = { VM_PROT_NONE, VM_PROT_READ,
		VM_PROT_READ | VM_PROT_WRITE, VM_PROT_READ | VM_PROT_WRITE };
	struct proc *p = any_proc();
	struct range r = any_range();
	vm_prot_t prot = prots[below(4)];

	expect(vm_map_protect(&p->vm->vm_map, page_va(r.first), page_va(r.end),
		   prot, 0) == KERN_SUCCESS,
	    "to protect");
	for (unsigned int i = r.first; i < r.end; i++) {
		if (p->slots[i].content != NULL)
			p->slots[i].prot = prot;
	}
	note_copies(r);
}

/* What was shared once is never to be copied: that would not be a snapshot. */
static void
step_inherit(void)
{
	struct proc *p = any_proc();
	struct range r = any_range();
	vm_inherit_t inherit = (vm_inherit_t)below(4);

	for (unsigned int i = r.first; i < r.end; i++) {
		if (inherit == VM_INHERIT_COPY && p->slots[i].shared)
			return;
	}
	expect(vm_map_inherit(&p->vm->vm_map, page_va(r.first), page_va(r.end),
		   inherit) == KERN_SUCCESS,
	    "to inherit");
	for (unsigned int i = r.first; i < r.end; i++)
		p->slots[i].inherit = inherit;
}

static void
step_wire(void)
{
	struct proc *p = any_proc();
	struct range r = any_range();
	unsigned int i;
	int error = vm_map_wire(&p->vm->vm_map, page_va(r.first),
	    page_va(r.end), VM_MAP_WIRE_USER);

	for (i = r.first; i < r.end; i++) {
		if (p->slots[i].content == NULL || p->slots[i].prot == 0)
			break;
	}
	expect(error == (i < r.end ? KERN_INVALID_ADDRESS : KERN_SUCCESS),
	    "to wire");
	for (i = r.first; error == KERN_SUCCESS && i < r.end; i++)
		p->slots[i].wired = true;
	note_copies(r);
}

static void
step_unwire(void)
{
	struct proc *p = any_proc();
	struct range r = any_range();

	expect(vm_map_unwire(&p->vm->vm_map, page_va(r.first), page_va(r.end),
		   VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK) == KERN_SUCCESS,
	    "to unwire");
	for (unsigned int i = r.first; i < r.end; i++)
		p->slots[i].wired = false;
}

/* ---- Memory for others ---- */

static void
step_advise(void)
{
	static const int advices[] = { MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE };
	struct proc *p = any_proc();
	struct range r = any_range();
	int advice = advices[below(NROWS(advices))];

	expect(vm_map_madvise(&p->vm->vm_map, page_va(r.first), page_va(r.end),
		   advice) == KERN_SUCCESS,
	    "to advise");
	for (unsigned int i = r.first; advice == MADV_FREE && i < r.end; i++) {
		if (may_free(&p->slots[i]))
			p->slots[i].content->freed = true;
	}
}

/* What the page daemon does when memory is low; writes stay in flight. */
static void
step_pageout(void)
{
	vm_pageout_scan_active(below(400), (int)below(7));
	(void)vm_pageout_scan_inactive(below(400));
	(void)vm_pageout_launder(below(400));
	vm_laundry_freed(below(1 << 20));
	(void)vm_laundry_turn();
	set_failing(below(4) == 0);
	sim_disks_ask(&disk_worker, below(8));
	set_failing(false);
	(void)vm_pageout_scan_inactive(below(400));
}

static int
file_move(struct vnode *vp, uint64_t off, const vm_paddr_t *pas, size_t len,
    bool out)
{
	struct file *file = vp->v_data;

	if (files_fail)
		return (EIO);
	for (size_t done = 0; done < len; done += PAGE_SIZE) {
		void *mem = (void *)PHYS_TO_DMAP(pas[done / PAGE_SIZE]);
		void *bytes = file->bytes[(off + done) / PAGE_SIZE];

		memcpy(out ? bytes : mem, out ? mem : bytes, PAGE_SIZE);
	}
	return (0);
}

static int
file_get(struct vnode *vp, uint64_t off, const vm_paddr_t *pas,
    unsigned int npages, size_t len)
{
	(void)npages;
	return (file_move(vp, off, pas, len, false));
}

static int
file_put(struct vnode *vp, uint64_t off, const vm_paddr_t *pas,
    unsigned int npages, size_t len)
{
	(void)npages;
	return (file_move(vp, off, pas, len, true));
}

static const struct vop_vector file_ops = { file_get, file_put };

/* The disk goes, with writes in flight, and comes back without bad blocks. */
static void
step_swap(void)
{
	int error;

	mtx_lock(&vm_mtx);
	nfailed += swap_dev_find("swap")->sw_bad;
	mtx_unlock(&vm_mtx);
	error = swapoff_one("swap");

	if (error == 0)
		error = sim_swap_add("swap", swap, 0, 16 << 20);
	expect(error == 0 || error == ENOMEM, "to take swap away");
}

/* ---- Processes ---- */

static void
unload(const struct proc *p)
{
	for (unsigned int cpu = 0; cpu < NCPUS; cpu++) {
		if (loaded[cpu] == p)
			load(cpu, NULL);
	}
}

static void
end(struct proc *p)
{
	unload(p);
	vmspace_free(p->vm);
	p->vm = NULL;
	for (unsigned int i = 0; i < NPAGES; i++)
		slot_clear(&p->slots[i]);
}

static void
begin(struct proc *p)
{
	p->vm = vmspace_alloc(FIRST, page_va(NPAGES));
	expect(p->vm != NULL, "an address space");
}

/* Another program begins. */
static void
step_exec(void)
{
	struct proc *p = any_proc();

	unload(p);
	expect(vmspace_exec(&p->vm, FIRST, page_va(NPAGES)), "to execute");
	for (unsigned int i = 0; i < NPAGES; i++)
		slot_clear(&p->slots[i]);
}

/* There is always one. */
static void
step_exit(void)
{
	struct proc *p = any_proc();

	end(p);
	for (unsigned int i = 0; i < NPROCS; i++) {
		if (procs[i].vm != NULL)
			return;
	}
	begin(p);
}

static void
step_fork(void)
{
	struct proc *p = any_proc();
	struct proc *q = &procs[below(NPROCS)];

	if (q == p)
		return;
	if (q->vm != NULL)
		end(q);
	q->vm = vmspace_fork(p->vm);
	expect(q->vm != NULL, "a fork");
	for (unsigned int i = 0; i < NPAGES; i++)
		fork_slot(&q->slots[i], &p->slots[i]);
	note_copies((struct range){ 0, NPAGES });
}

/* ---- Everything ---- */

static void
audit_proc(struct proc *p)
{
	vm_map_t map = &p->vm->vm_map;
	const char *wrong;

	vm_map_lock_read(map);
	wrong = vm_map_audit(map);
	vm_map_unlock_read(map);
	expect(wrong == NULL, wrong);
	for (unsigned int page = 0; page < NPAGES; page++)
		access_page(p, page, false);
}

/* Call func for each entry that shows an object. */
static unsigned int
for_entries(vm_object_t object,
    unsigned int (*func)(const struct vm_map_entry *entry, vm_pindex_t pindex),
    vm_pindex_t pindex)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < NPROCS; i++) {
		vm_map_t map;

		if (procs[i].vm == NULL)
			continue;
		map = &procs[i].vm->vm_map;
		for (vm_map_entry_t entry = map->header.next;
		     entry != &map->header; entry = entry->next) {
			if (entry->object == object)
				n += func(entry, pindex);
		}
	}
	return (n);
}

static unsigned int
one_reference(const struct vm_map_entry *entry, vm_pindex_t pindex)
{
	(void)entry, (void)pindex;
	return (1);
}

static unsigned int
one_wiring(const struct vm_map_entry *entry, vm_pindex_t pindex)
{
	vm_pindex_t first = atop(entry->offset);

	return (entry->wired_count > 0 && pindex >= first &&
	    pindex - first < atop(entry->end - entry->start));
}

/* Entries, shadows, and the test's own of files. */
static unsigned int
count_references(vm_object_t object)
{
	unsigned int n = object->shadow_count;

	for (unsigned int i = 0; i < NFILES; i++)
		n += files[i].vnode.v_object == object;
	return (n + for_entries(object, one_reference, 0));
}

/* A page is wired once for each wired entry that shows it, and is there. */
static void
audit_wirings(vm_object_t object)
{
	for (vm_pindex_t pindex = 0; pindex < object->size; pindex++) {
		unsigned int n = for_entries(object, one_wiring, pindex);
		vm_page_t m;

		VM_OBJECT_LOCK(object);
		m = vm_page_lookup(object, pindex);
		VM_OBJECT_UNLOCK(object);
		expect(n == (m == NULL ? 0 : m->wire_count), "wirings");
	}
}

static void
audit_all_objects(void)
{
	vm_object_t object;

	TAILQ_FOREACH(object, &vm_object_list, object_list) {
		expect(object->ref_count > 0, "an object without a user");
		expect(object->ref_count == count_references(object),
		    "references of an object");
		expect(object->paging_in_progress == 0, "paging for ever");
		audit_wirings(object);
	}
}

static void
audit(void)
{
	vm_pindex_t npages;
	const char *wrong;

	sim_disks_drain();
	for (unsigned int i = 0; i < NPROCS; i++) {
		if (procs[i].vm != NULL)
			audit_proc(&procs[i]);
	}
	audit_all_objects();
	(void)audit_objects(&npages);
	audit_swap();
	wrong = audit_pages();
	expect(wrong == NULL, wrong);
}

/* ---- The storm ---- */

static const struct storm_kind kinds[] = {
	{ 600, step_access },
	{ 40, step_map },
	{ 20, step_unmap },
	{ 10, step_stack },
	{ 10, step_sync },
	{ 30, step_protect },
	{ 10, step_inherit },
	{ 15, step_wire },
	{ 15, step_unwire },
	{ 15, step_advise },
	{ 20, step_fork },
	{ 5, step_exec },
	{ 10, step_exit },
	{ 10, step_pageout },
	{ 1, step_swap },
};

static void
swap_begin(void)
{
	swap = sim_disk_create(&(struct sim_disk_config){ .media_len = 16 << 20,
	    .sector_len = 512,
	    .seed = 1 });
	expect(sim_swap_add("swap", swap, 0, 16 << 20) == 0, "swap");
	sim_disks_start(&disk_worker);
}

static void
power_on(void)
{
	sim_boot(&config);
	vmspace_startup();
	vm_background_launder_target = 100;
	swap_begin();
	for (unsigned int i = 0; i < NFILES; i++) {
		files[i].vnode =
		    (struct vnode){ .v_op = &file_ops, .v_data = &files[i] };
		vnode_create_vobject(&files[i].vnode, ptoa(NPAGES));
		for (unsigned int page = 0; page < NPAGES; page++) {
			file_contents[i][page] = content_new(NULL);
			file_contents[i][page]->own = true;
		}
	}
	begin(&procs[0]);
}

/* What was written to a page that was shared is in the file. */
static void
file_end(unsigned int i)
{
	expect(files[i].vnode.v_object->ref_count == 1, "references of a file");
	expect(vnode_destroy_vobject(&files[i].vnode), "to write a file");
	for (unsigned int page = 0; page < NPAGES; page++) {
		expect(memcmp(files[i].bytes[page],
			   file_contents[i][page]->bytes, 4096) == 0,
		    "bytes of a file");
		content_free(file_contents[i][page]);
	}
}

static void
power_off(void)
{
	for (unsigned int i = 0; i < NPROCS; i++) {
		if (procs[i].vm != NULL)
			end(&procs[i]);
	}
	for (unsigned int i = 0; i < NFILES; i++)
		file_end(i);
	expect(TAILQ_EMPTY(&vm_object_list), "objects that are left");
	audit_swap();
	sim_disks_stop(&disk_worker);
	sim_disk_destroy(swap);
}

static void
run(void *arg)
{
	(void)arg;
	power_on();
	for (; storm_step < storm_nsteps; storm_step++) {
		storm_choose(kinds, NROWS(kinds));
		if (storm_step % AUDIT == 0)
			audit();
	}
	audit();
	print_message("# pages laundered %ju, not written to swap %ju\n",
	    (uintmax_t)vm_cnt.v_laundered, (uintmax_t)nfailed);
	power_off();
}

static void
test_storm(void **state)
{
	(void)state;
	storm_run("storm_vm", "", run);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storm),
	};

	storm_args(argc, argv, 30000);
	return (RUN_TESTS(tests, NROWS(tests)));
}
