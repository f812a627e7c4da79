/*
 * Files in memory: vnode_pager.c.
 */
#ifndef KERNEL_VM_VNODE_PAGER_H
#define KERNEL_VM_VNODE_PAGER_H

#include "kernel/sys/vnode.h"
#include "kernel/vm/vm_pager.h"

/*
 * Give a file of size bytes its object, if it has none; the file has a reference
 * to it.  May sleep for memory.
 */
void vnode_create_vobject(struct vnode *vp, vm_ooffset_t size);

/*
 * Take it away, after what is dirty has been written.  Maps that show it keep it,
 * and what they read and write afterwards goes nowhere.  false: some could not be
 * written.
 */
bool vnode_destroy_vobject(struct vnode *vp);

/*
 * The file has nsize bytes now.  If it is shorter, pages past the end are gone
 * when this returns, and the rest of the last one is zeros.  Sleeps.
 */
void vnode_pager_setsize(struct vnode *vp, vm_ooffset_t nsize);

#endif
