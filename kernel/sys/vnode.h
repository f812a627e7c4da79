/*
 * Files, as far as the VM system has to know them.
 *
 * A file system makes a struct vnode, and an object for it with
 * vnode_create_vobject(), and says when its size changes.
 */
#ifndef KERNEL_SYS_VNODE_H
#define KERNEL_SYS_VNODE_H

#include "kernel/sys/types.h"

struct vm_object;
struct vnode;

/*
 * Move len bytes of a file, from byte off on, from or to npages pages; len is
 * more than npages - 1 pages and ends within the file.  They sleep, are called
 * without locks, and return 0 or an errno.
 */
struct vop_vector {
	int (*vop_getpages)(struct vnode *vp, uint64_t off,
	    const vm_paddr_t *pas, unsigned int npages, size_t len);
	int (*vop_putpages)(struct vnode *vp, uint64_t off,
	    const vm_paddr_t *pas, unsigned int npages, size_t len);
};

struct vnode {
	const struct vop_vector *v_op;
	void *v_data;		    /* the file system's */
	struct vm_object *v_object; /* (vm_mtx) referenced; NULL: none */
};

#endif
