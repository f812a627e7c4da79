/*
 * Types that the whole VM system shares.
 *
 * Nothing in kernel/vm may be called from an interrupt handler: its per-CPU
 * data is guarded against preemption, not against interrupts.
 */
#ifndef KERNEL_VM_VM_H
#define KERNEL_VM_VM_H

#include "kernel/sys/types.h"

typedef struct vm_page *vm_page_t;
typedef struct pmap *pmap_t;
typedef struct vm_object *vm_object_t;
typedef struct vm_map *vm_map_t;
typedef struct vm_map_entry *vm_map_entry_t;

typedef uint64_t vm_ooffset_t; /* bytes into an object */

/* What may be done to memory; FreeBSD's bits. */
typedef uint8_t vm_prot_t;
#define VM_PROT_NONE	0x0
#define VM_PROT_READ	0x1
#define VM_PROT_WRITE	0x2
#define VM_PROT_EXECUTE 0x4
#define VM_PROT_ALL	0x7

/* What a child gets of an entry of its parent's map; FreeBSD's numbers. */
typedef uint8_t vm_inherit_t;
#define VM_INHERIT_SHARE 0
#define VM_INHERIT_COPY	 1
#define VM_INHERIT_NONE	 2
#define VM_INHERIT_ZERO	 3

#endif
