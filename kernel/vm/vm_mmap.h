/*
 * The kernel's halves of system calls about memory: they take an address space, and
 * return 0 or an errno.
 *
 * Lengths round up to whole pages.  EINVAL for what can never be; ENOMEM where there
 * is nothing, or no room; EACCES for more rights than there may be.
 */
#ifndef KERNEL_VM_VM_MMAP_H
#define KERNEL_VM_VM_MMAP_H

#include "kernel/vm/vm_map.h"

struct cdev;

/* What mmap(2) asks for. */
struct mmap_req {
	vm_offset_t mr_hint; /* where: with MAP_FIXED exactly there */
	vm_size_t mr_len;
	int mr_prot;  /* PROT_* */
	int mr_flags; /* MAP_* of sys/mman.h */
	/* Not with MAP_ANON, MAP_STACK, MAP_GUARD; stays the caller's. */
	vm_object_t mr_object;
	vm_ooffset_t mr_pos;
	vm_prot_t mr_maxprot; /* that the file was opened for */
};

/*
 * *addr is where it is.  Without a hint, or with one that is in the heap's way, it
 * is the first gap after the heap.
 */
int kern_mmap(struct vmspace *vm, const struct mmap_req *req,
    vm_offset_t *addr);

/*
 * The same of a device's memory, which can only be shared.  What mr_object says
 * does not matter.  EINVAL, too: the device has not got all of it, or not for that.
 */
int vm_mmap_cdev(struct vmspace *vm, struct cdev *dev,
    const struct mmap_req *req, vm_offset_t *addr);

int kern_munmap(struct vmspace *vm, vm_offset_t addr, vm_size_t len);
int kern_mprotect(struct vmspace *vm, vm_offset_t addr, vm_size_t len,
    int prot);
int kern_minherit(struct vmspace *vm, vm_offset_t addr, vm_size_t len,
    int inherit);
int kern_madvise(struct vmspace *vm, vm_offset_t addr, vm_size_t len,
    int advice);
int kern_msync(struct vmspace *vm, vm_offset_t addr, vm_size_t len, int flags);
int kern_mlock(struct vmspace *vm, vm_offset_t addr, vm_size_t len);
int kern_munlock(struct vmspace *vm, vm_offset_t addr, vm_size_t len);

/*
 * mlockall(2), MCL_*: what is mapped, what will be, or both.  EAGAIN: not all that is
 * mapped can stay, and nothing of it does.
 */
int kern_mlockall(struct vmspace *vm, int how);
int kern_munlockall(struct vmspace *vm);

/* MINCORE_* of each page of the range into vec, which has room. */
int kern_mincore(struct vmspace *vm, vm_offset_t addr, vm_size_t len,
    unsigned char *vec);

/* brk(2): the heap ends at addr, rounded up to a page; vm_unix.c. */
int kern_break(struct vmspace *vm, vm_offset_t addr);

#endif
