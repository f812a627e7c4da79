/*
 * Declarations that only the files of maps use; all want the map's lock owned.
 */
#ifndef KERNEL_VM_VM_MAP_INT_H
#define KERNEL_VM_VM_MAP_INT_H

#include "kernel/vm/vm_map.h"

/* ---- vm_map_tree.c ---- */

/* Put entry, whose range is set, after another; take it out; move its edges. */
void vm_map_entry_link(vm_map_t map, vm_map_entry_t after,
    vm_map_entry_t entry);
void vm_map_entry_unlink(vm_map_t map, vm_map_entry_t entry);
void vm_map_entry_resize(vm_map_t map, vm_map_entry_t entry, vm_offset_t start,
    vm_offset_t end);

/*
 * The first entry of [start, end), and the one after it; NULL: there is none.  For
 * these and the next, a shared lock will do.
 */
vm_map_entry_t vm_map_range_first(vm_map_t map, vm_offset_t start,
    vm_offset_t end);
vm_map_entry_t vm_map_range_next(vm_map_t map, vm_map_entry_t entry,
    vm_offset_t end);

/* Is all of [start, end) mapped, by entries of which is() is true? */
bool vm_map_range_all(vm_map_t map, vm_offset_t start, vm_offset_t end,
    bool (*is)(const struct vm_map_entry *entry, const void *arg),
    const void *arg);

/* ---- vm_map.c ---- */

vm_map_entry_t vm_map_entry_create(void);

/* The first entry that ends after va, split so that it does not begin before. */
vm_map_entry_t vm_map_clip_first(vm_map_t map, vm_offset_t va);

/* Split entry, if need be, so that it does not end after va. */
void vm_map_clip_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t va);

/* Make entry and the one before it, or all neighbours up to va, one if alike. */
void vm_map_try_merge_entries(vm_map_t map, vm_map_entry_t prev,
    vm_map_entry_t entry);
void vm_map_simplify_range(vm_map_t map, vm_map_entry_t entry, vm_offset_t va);

/*
 * Split the entries that reach out of [start, end), call change() for each that is
 * inside, and make those one that are alike then.
 */
void vm_map_range_change(vm_map_t map, vm_offset_t start, vm_offset_t end,
    void (*change)(vm_map_t map, vm_map_entry_t entry, const void *arg),
    const void *arg);

/* An object for an entry that has none. */
void vm_map_entry_object(vm_map_entry_t entry);

/* Is it a range of the map? */
bool vm_map_range_valid(const struct vm_map *map, vm_offset_t start,
    vm_offset_t end);

/* The same, or *error is what a call returns: KERN_SUCCESS for no bytes. */
bool vm_map_range_given(const struct vm_map *map, vm_offset_t start,
    vm_offset_t end, int *error);

/*
 * The same, and lock the map to change the range: no entry in it is in
 * transition.
 */
bool vm_map_range_lock(vm_map_t map, vm_offset_t start, vm_offset_t end,
    int *error);

/*
 * Wait until nothing in the map is being wired.  If it has to, it lets go of the
 * lock: nothing that was looked up before is true.
 */
void vm_map_wait_busy(vm_map_t map);

/* ---- vm_map_lookup.c ---- */

/* A shadow for an entry that needs a copy. */
void vm_map_entry_shadow(vm_map_entry_t entry);

/* ---- vm_map_wire.c ---- */

/* All that wanted it to stay let go of it. */
void vm_map_entry_unwire(vm_map_t map, vm_map_entry_t entry);

/*
 * A wired entry that needs a copy gets it now, of all pages: a fault could not make
 * it page by page, since what is there is wired.
 */
void vm_map_entry_copy_wired(vm_map_t map, vm_map_entry_t entry);

#endif
