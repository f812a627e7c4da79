/*
 * mmap(2) and its like, as functions of an address space.
 *
 * A request is looked at as a whole before anything is changed: first what it
 * asks for, then whether the file allows that, then where there is room.
 *
 * Locks: vm map -> vm_mtx -> pmap.
 */
#include "kernel/vm/vm_mmap.h"

#include "kernel/sys/errno.h"
#include "kernel/sys/mman.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_page.h"
#include "kernel/vm/vm_pager.h"

static_assert(PROT_READ == VM_PROT_READ && PROT_WRITE == VM_PROT_WRITE &&
	PROT_EXEC == VM_PROT_EXECUTE,
    "rights are passed on as they are");

#define SHARING (MAP_SHARED | MAP_PRIVATE)
#define NO_FILE (MAP_ANON | MAP_STACK | MAP_GUARD)
#define KNOWN_FLAGS                                                            \
	(SHARING | NO_FILE | MAP_FIXED | MAP_EXCL | MAP_NOSYNC | MAP_NOCORE)

/* How much of a new stack is mapped. */
#define STACK_MAPPED ((vm_size_t)128 * 1024)

static int
vm_mmap_to_errno(int error)
{
	switch (error) {
	case KERN_SUCCESS:
		return (0);
	case KERN_INVALID_ADDRESS:
	case KERN_NO_SPACE:
	case KERN_OUT_OF_BOUNDS:
	case KERN_RESOURCE_SHORTAGE:
		return (ENOMEM);
	case KERN_PROTECTION_FAILURE:
		return (EACCES);
	case KERN_FAILURE:
		return (EIO);
	default:
		return (EINVAL);
	}
}

/* Whole pages that hold [addr, addr + len); false: they wrap. */
static bool
whole_pages(vm_offset_t addr, vm_size_t len, vm_offset_t *start,
    vm_offset_t *end)
{
	*start = trunc_page(addr);
	*end = round_page(addr + len);
	return (addr + len >= addr && *end >= addr + len);
}

/* ---- mmap ---- */

static int
check_kind(const struct mmap_req *req)
{
	int sharing = req->mr_flags & SHARING;

	if (req->mr_len == 0 || (req->mr_flags & ~KNOWN_FLAGS) != 0 ||
	    (req->mr_prot & ~VM_PROT_ALL) != 0 || sharing == SHARING)
		return (EINVAL);
	if ((req->mr_flags & NO_FILE) != 0 &&
	    (req->mr_object != NULL || req->mr_pos != 0))
		return (EINVAL);
	if ((req->mr_flags & NO_FILE) == 0 && req->mr_object == NULL)
		return (EINVAL);
	if ((req->mr_flags & MAP_GUARD) != 0)
		return (req->mr_prot != PROT_NONE || sharing != 0 ? EINVAL : 0);
	if ((req->mr_flags & MAP_STACK) != 0)
		return (sharing == MAP_SHARED ||
			    (req->mr_prot & (PROT_READ | PROT_WRITE)) !=
				(PROT_READ | PROT_WRITE) ?
			EINVAL :
			0);
	return (sharing == 0 ? EINVAL : 0);
}

/* A private copy may be written to, whatever the file was opened for. */
static vm_prot_t
max_prot(const struct mmap_req *req)
{
	if (req->mr_object == NULL)
		return (VM_PROT_ALL);
	if ((req->mr_flags & MAP_PRIVATE) != 0 &&
	    (req->mr_maxprot & VM_PROT_READ) != 0)
		return (req->mr_maxprot | VM_PROT_WRITE);
	return (req->mr_maxprot);
}

static struct vm_map_what
what_of(const struct mmap_req *req)
{
	struct vm_map_what what = {
		.object = req->mr_object,
		.offset = trunc_page(req->mr_pos),
		.prot = (vm_prot_t)req->mr_prot,
		.max = max_prot(req),
	};

	if ((req->mr_flags & MAP_GUARD) != 0)
		return ((struct vm_map_what){ .cow = MAP_CREATE_GUARD });
	if ((req->mr_flags & MAP_SHARED) != 0)
		what.cow |= MAP_INHERIT_SHARE;
	else if (req->mr_object != NULL)
		what.cow |= MAP_COPY_ON_WRITE;
	if ((req->mr_flags & MAP_NOSYNC) != 0)
		what.cow |= MAP_DISABLE_SYNCER;
	if ((req->mr_flags & MAP_NOCORE) != 0)
		what.cow |= MAP_DISABLE_COREDUMP;
	return (what);
}

static int
map_stack(vm_map_t map, vm_offset_t start, vm_size_t len,
    const struct vm_map_what *what)
{
	vm_size_t most = len - PAGE_SIZE;

	return (vm_map_stack(map, start, len,
	    most < STACK_MAPPED ? most : STACK_MAPPED, what));
}

static int
map_fixed(vm_map_t map, const struct mmap_req *req, vm_offset_t start,
    vm_size_t len, const struct vm_map_what *what)
{
	int error = KERN_SUCCESS;

	if ((req->mr_flags & MAP_STACK) != 0) {
		if (len < 2 * PAGE_SIZE)
			return (KERN_INVALID_ARGUMENT);
		if ((req->mr_flags & MAP_EXCL) == 0)
			error = vm_map_remove(map, start, start + len);
		return (error == KERN_SUCCESS ?
			map_stack(map, start, len, what) :
			error);
	}
	if ((req->mr_flags & MAP_EXCL) == 0)
		return (vm_map_fixed(map, start, len, what));
	vm_map_lock(map);
	error = vm_map_insert(map, start, start + len, what);
	vm_map_unlock(map);
	return (error);
}

/* The first gap from start on; for a stack another thread may have been faster. */
static int
map_anywhere(vm_map_t map, const struct mmap_req *req, vm_offset_t *start,
    vm_size_t len, const struct vm_map_what *what)
{
	int error = KERN_NO_SPACE;
	bool found;

	if ((req->mr_flags & MAP_STACK) == 0)
		return (vm_map_find(map, start, len, what));
	if (len < 2 * PAGE_SIZE)
		return (KERN_INVALID_ARGUMENT);
	do {
		vm_map_lock_read(map);
		found = vm_map_findspace(map, *start, len, start);
		vm_map_unlock_read(map);
		if (found)
			error = map_stack(map, *start, len, what);
	} while (found && error == KERN_NO_SPACE);
	return (error);
}

/* Where to look: at the hint, unless that is where the heap will be. */
static vm_offset_t
where(const struct vmspace *vm, vm_offset_t hint)
{
	vm_offset_t end = vm->vm_daddr + vm->vm_dmax;

	if (hint == 0 || (hint >= vm->vm_daddr && hint < end))
		return (round_page(end));
	return (trunc_page(hint));
}

static int
map_request(struct vmspace *vm, const struct mmap_req *req, vm_size_t len,
    vm_offset_t *addr)
{
	vm_map_t map = &vm->vm_map;
	struct vm_map_what what = what_of(req);
	vm_offset_t start = req->mr_hint - (req->mr_pos & PAGE_MASK);
	int error;

	vm_object_reference(what.object);
	if ((req->mr_flags & MAP_FIXED) != 0) {
		error = map_fixed(map, req, start, len, &what);
	} else {
		start = where(vm, req->mr_hint);
		error = map_anywhere(map, req, &start, len, &what);
		if (error == KERN_NO_SPACE) {
			start = vm_map_min(map);
			error = map_anywhere(map, req, &start, len, &what);
		}
	}
	if (error != KERN_SUCCESS)
		vm_object_deallocate(what.object);
	else
		*addr = start + (req->mr_pos & PAGE_MASK);
	return (error);
}

int
kern_mmap(struct vmspace *vm, const struct mmap_req *req, vm_offset_t *addr)
{
	vm_map_t map = &vm->vm_map;
	vm_size_t off = req->mr_pos & PAGE_MASK;
	vm_size_t len = round_page(req->mr_len + off);
	vm_offset_t start = req->mr_hint - off;
	int error = check_kind(req);

	if (error != 0)
		return (error);
	if (len < req->mr_len || len > VM_OBJECT_MAX)
		return (ENOMEM);
	if (req->mr_pos > VM_OBJECT_MAX - len)
		return (EINVAL);
	if ((req->mr_flags & MAP_FIXED) != 0 &&
	    ((start & PAGE_MASK) != 0 || start < vm_map_min(map) ||
		start > vm_map_max(map) || len > vm_map_max(map) - start))
		return (EINVAL);
	if ((req->mr_prot & ~max_prot(req)) != 0)
		return (EACCES);
	error = map_request(vm, req, len, addr);
	if (error == KERN_SUCCESS)
		error = vm_map_wire_new(map, trunc_page(*addr),
		    trunc_page(*addr) + len);
	return (vm_mmap_to_errno(error));
}

int
vm_mmap_cdev(struct vmspace *vm, struct cdev *dev, const struct mmap_req *req,
    vm_offset_t *addr)
{
	struct mmap_req shows = *req;
	int error;

	shows.mr_object = vm_pager_allocate(OBJT_DEVICE, dev, req->mr_len,
	    req->mr_prot & VM_PROT_ALL, req->mr_pos);
	if (shows.mr_object == NULL)
		return (EINVAL);
	error = kern_mmap(vm, &shows, addr);
	vm_object_deallocate(shows.mr_object);
	return (error);
}

/* ---- What is mapped ---- */

int
kern_munmap(struct vmspace *vm, vm_offset_t addr, vm_size_t len)
{
	vm_offset_t start, end;

	if (len == 0 || !whole_pages(addr, len, &start, &end) ||
	    vm_map_remove(&vm->vm_map, start, end) != KERN_SUCCESS)
		return (EINVAL);
	return (0);
}

int
kern_mprotect(struct vmspace *vm, vm_offset_t addr, vm_size_t len, int prot)
{
	vm_offset_t start, end;

	if ((prot & ~VM_PROT_ALL) != 0 || !whole_pages(addr, len, &start, &end))
		return (EINVAL);
	return (vm_mmap_to_errno(vm_map_protect(&vm->vm_map, start, end,
	    (vm_prot_t)prot, 0)));
}

int
kern_minherit(struct vmspace *vm, vm_offset_t addr, vm_size_t len, int inherit)
{
	vm_offset_t start, end;

	if (inherit < 0 || inherit > VM_INHERIT_ZERO ||
	    !whole_pages(addr, len, &start, &end))
		return (EINVAL);
	return (vm_mmap_to_errno(vm_map_inherit(&vm->vm_map, start, end,
	    (vm_inherit_t)inherit)));
}

int
kern_madvise(struct vmspace *vm, vm_offset_t addr, vm_size_t len, int advice)
{
	vm_offset_t start, end;

	if (!whole_pages(addr, len, &start, &end))
		return (EINVAL);
	return (vm_mmap_to_errno(vm_map_madvise(&vm->vm_map, start, end,
	    advice)));
}

int
kern_msync(struct vmspace *vm, vm_offset_t addr, vm_size_t len, int flags)
{
	vm_offset_t start, end;
	unsigned int how = 0;
	int error;

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE)) != 0 ||
	    flags == (MS_ASYNC | MS_INVALIDATE) ||
	    !whole_pages(addr, len, &start, &end))
		return (EINVAL);
	if ((flags & MS_ASYNC) == 0)
		how |= VM_MAP_SYNC_WAIT;
	if ((flags & MS_INVALIDATE) != 0)
		how |= VM_MAP_SYNC_INVAL;
	error = vm_map_sync(&vm->vm_map, start, end, how);
	return (error == KERN_INVALID_ARGUMENT ? EBUSY :
						 vm_mmap_to_errno(error));
}

/* ---- What stays ---- */

int
kern_mlock(struct vmspace *vm, vm_offset_t addr, vm_size_t len)
{
	vm_offset_t start, end;
	int error;

	if (!whole_pages(addr, len, &start, &end))
		return (EINVAL);
	error = vm_map_wire(&vm->vm_map, start, end, VM_MAP_WIRE_USER);
	return (error == KERN_SUCCESS ? 0 : ENOMEM);
}

int
kern_munlock(struct vmspace *vm, vm_offset_t addr, vm_size_t len)
{
	vm_offset_t start, end;
	int error;

	if (!whole_pages(addr, len, &start, &end))
		return (EINVAL);
	error = vm_map_unwire(&vm->vm_map, start, end, VM_MAP_WIRE_USER);
	return (error == KERN_SUCCESS ? 0 : ENOMEM);
}

static void
set_wire_future(vm_map_t map, bool future)
{
	vm_map_lock(map);
	map->flags &= ~(uint32_t)MAP_WIREFUTURE;
	if (future)
		map->flags |= MAP_WIREFUTURE;
	vm_map_unlock(map);
}

int
kern_mlockall(struct vmspace *vm, int how)
{
	vm_map_t map = &vm->vm_map;
	int error = KERN_SUCCESS;

	if (how == 0 || (how & ~(MCL_CURRENT | MCL_FUTURE)) != 0)
		return (EINVAL);
	set_wire_future(map, (how & MCL_FUTURE) != 0);
	if ((how & MCL_CURRENT) != 0)
		error = vm_map_wire(map, vm_map_min(map), vm_map_max(map),
		    VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK);
	if (error == KERN_RESOURCE_SHORTAGE)
		return (ENOMEM);
	return (error == KERN_SUCCESS ? 0 : EAGAIN);
}

int
kern_munlockall(struct vmspace *vm)
{
	vm_map_t map = &vm->vm_map;

	set_wire_future(map, false);
	return (vm_mmap_to_errno(vm_map_unwire(map, vm_map_min(map),
	    vm_map_max(map), VM_MAP_WIRE_USER | VM_MAP_WIRE_HOLESOK)));
}

/* ---- What is in memory ---- */

/* Through the mapping, or else in the object that the entry shows. */
static vm_page_t
page_at(vm_map_t map, const struct vm_map_entry *entry, vm_offset_t va)
{
	vm_paddr_t pa = pmap_extract(map->pmap, va);

	if (pa != 0)
		return (PHYS_TO_VM_PAGE(pa));
	if (entry->object == NULL)
		return (NULL);
	return (vm_page_lookup(entry->object,
	    atop(va - entry->start + entry->offset)));
}

static unsigned char
mincore_page(vm_map_t map, const struct vm_map_entry *entry, vm_offset_t va)
{
	unsigned char core = 0;
	vm_page_t m;

	VM_OBJECT_LOCK(entry->object);
	m = page_at(map, entry, va);
	if (m != NULL && vm_page_all_valid(m)) {
		core = MINCORE_INCORE;
		if (m->dirty != 0 || pmap_is_modified(m))
			core |= MINCORE_MODIFIED;
		if (pmap_is_referenced(m))
			core |= MINCORE_REFERENCED;
	}
	VM_OBJECT_UNLOCK(entry->object);
	return (core);
}

int
kern_mincore(struct vmspace *vm, vm_offset_t addr, vm_size_t len,
    unsigned char *vec)
{
	vm_map_t map = &vm->vm_map;
	vm_offset_t start, end;
	vm_map_entry_t entry;
	int error = 0;

	if (!whole_pages(addr, len, &start, &end))
		return (EINVAL);
	vm_map_lock_read(map);
	for (; start < end; start += PAGE_SIZE) {
		if (!vm_map_lookup_entry(map, start, &entry)) {
			error = ENOMEM;
			break;
		}
		*vec++ = mincore_page(map, entry, start);
	}
	vm_map_unlock_read(map);
	return (error);
}
