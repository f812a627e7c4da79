/*
 * A machine with two disks to swap to, and objects whose pages go there.
 */
#ifndef TESTS_VM_SIM_SWAP_H
#define TESTS_VM_SIM_SWAP_H

#include "tests/vm/sim_disk.h"

#include "kernel/vm/vm_object.h"
#include "kernel/vm/vm_pager.h"

#define NSWAPDISKS 2

extern struct disk *swap_disks[NSWAPDISKS];

/* The setup and the teardown of a test.  Each disk has 8 MB. */
int swap_power_on(void **state);
int swap_power_off(void **state);

/* No disk does anything, until this is called with false. */
void hold_disks(bool hold);

/* Swap to npages of disk i, as "sim0" or "sim1", besides those that are reserved. */
void swap_on(int i, vm_pindex_t npages);

/* How many blocks of a device are used. */
uint32_t swap_used(const char *name);

/* The page, exclusively busy.  The object is locked. */
vm_page_t grab_page(vm_object_t object, vm_pindex_t pindex);

/* Write a pattern to a page, which is dirty then. */
vm_page_t write_page(vm_object_t object, vm_pindex_t pindex, uint32_t pattern);

/* Put out n pages from pindex on, with one call; what was said of each. */
void put_out(vm_object_t object, vm_pindex_t pindex, int n, int *rtvals);

/* Forget clean pages, as the page daemon does. */
void forget_pages(vm_object_t object, vm_pindex_t pindex, int n);

/* Bring in n pages that are not in memory, with one call. */
int get_in(vm_object_t object, vm_pindex_t pindex, int n, int *behind,
    int *ahead);

/* Is the page in memory, valid, and with that pattern? */
bool in_memory(vm_object_t object, vm_pindex_t pindex, uint32_t pattern);

/* An object whose n pages are on swap and not in memory; page i has 1000 * i. */
vm_object_t swapped(int n);

/* Take all memory that such a request gets, until it is given back. */
void take_memory(int req);
void give_memory(void);

#endif
