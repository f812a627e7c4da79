/*
 * Faults: what a map says of an address becomes a mapping of the pmap.
 */
#ifndef KERNEL_VM_VM_FAULT_H
#define KERNEL_VM_VM_FAULT_H

#include "kernel/vm/vm_map.h"

/* For vm_fault(). */
#define VM_FAULT_NORMAL 0x0
#define VM_FAULT_WIRE	0x1 /* for vm_map_wire(): the page stays */

/*
 * Make the page at va accessible, for access: VM_PROT_*.  Sleeps for memory and
 * for the pager.  INVALID_ADDRESS: nothing is there; PROTECTION_FAILURE: not for
 * that access; OUT_OF_BOUNDS: the object has no such page; FAILURE: it could not
 * be read, or is of a file that is gone, and was to be written to;
 * RESOURCE_SHORTAGE: to wire, and it has VM_PAGE_WIRE_MAX wirings.
 */
int vm_fault(vm_map_t map, vm_offset_t va, vm_prot_t access,
    unsigned int flags);

/*
 * Give entry an object of its own, with a copy of each page of the wired entry from
 * in the same place; wired, with VM_FAULT_WIRE.  What it had before is the
 * caller's.  The maps of both are owned.
 */
void vm_fault_copy_entry(vm_map_entry_t entry, const struct vm_map_entry *from,
    unsigned int flags);

#endif
