/*
 * The entries of a map, by address: a list, and a balanced tree (AVL) over it.
 *
 * Each entry knows its height and the largest gap that follows an entry of its
 * subtree, so a gap that is large enough is found without a look at those that
 * are not.  The gap before the first entry is the header's.  Both numbers are
 * put right along the way to the root, after each change.
 *
 * Nothing recurses: an entry knows its parent, and no way is longer than the
 * height, which is at most 1.44 log2(n).
 *
 * Lock: vm map, which callers hold: owned for changes, shared for lookups.
 */
#include "kernel/vm/vm_map_int.h"

#include "kernel/sys/systm.h"
#include "kernel/vm/vm_object.h"

enum { LEFT, RIGHT };

/* What is free between an entry and the next. */
static vm_size_t
gap_after(const struct vm_map_entry *entry)
{
	return (entry->next->start - entry->end);
}

static int
height(const struct vm_map_entry *entry)
{
	return (entry != NULL ? entry->height : 0);
}

static vm_size_t
max_free(const struct vm_map_entry *entry)
{
	return (entry != NULL ? entry->max_free : 0);
}

static vm_size_t
larger(vm_size_t a, vm_size_t b)
{
	return (a > b ? a : b);
}

static vm_size_t
right_max_free(const struct vm_map_entry *entry)
{
	return (larger(max_free(entry->child[LEFT]),
	    larger(gap_after(entry), max_free(entry->child[RIGHT]))));
}

static int
right_height(const struct vm_map_entry *entry)
{
	int left = height(entry->child[LEFT]);
	int right = height(entry->child[RIGHT]);

	return (1 + (left > right ? left : right));
}

static void
put_right(vm_map_entry_t entry)
{
	entry->height = (uint8_t)right_height(entry);
	entry->max_free = right_max_free(entry);
}

/* Whatever leads to old leads to new, which may be NULL. */
static void
replace(vm_map_t map, const struct vm_map_entry *old, vm_map_entry_t new)
{
	vm_map_entry_t parent = old->parent;

	if (parent == NULL)
		map->root = new;
	else
		parent->child[parent->child[RIGHT] == old] = new;
	if (new != NULL)
		new->parent = parent;
}

static void
set_child(vm_map_entry_t parent, int side, vm_map_entry_t child)
{
	parent->child[side] = child;
	if (child != NULL)
		child->parent = parent;
}

/* The child on a side takes its parent's place, which goes to the other side. */
static vm_map_entry_t
rotate(vm_map_t map, vm_map_entry_t entry, int side)
{
	vm_map_entry_t up = entry->child[side];

	replace(map, entry, up);
	set_child(entry, side, up->child[!side]);
	set_child(up, !side, entry);
	put_right(entry);
	put_right(up);
	return (up);
}

/* From entry to the root: numbers, and heights that differ by two. */
static void
repair(vm_map_t map, vm_map_entry_t entry)
{
	for (; entry != NULL; entry = entry->parent) {
		int left = height(entry->child[LEFT]);
		int right = height(entry->child[RIGHT]);
		int side = right > left ? RIGHT : LEFT;
		vm_map_entry_t child = entry->child[side];

		put_right(entry);
		if (left - right <= 1 && right - left <= 1)
			continue;
		if (height(child->child[!side]) > height(child->child[side]))
			(void)rotate(map, child, !side);
		entry = rotate(map, entry, side);
	}
}

/* The header is in no tree. */
static void
repair_gap(vm_map_t map, vm_map_entry_t entry)
{
	if (entry != &map->header)
		repair(map, entry);
}

void
vm_map_entry_link(vm_map_t map, vm_map_entry_t after, vm_map_entry_t entry)
{
	vm_map_entry_t next = after->next;

	entry->prev = after;
	entry->next = next;
	after->next = next->prev = entry;

	entry->parent = entry->child[LEFT] = entry->child[RIGHT] = NULL;
	if (map->root == NULL)
		map->root = entry;
	else if (after != &map->header && after->child[RIGHT] == NULL)
		set_child(after, RIGHT, entry);
	else
		set_child(next, LEFT, entry);
	map->nentries++;
	map->size += entry->end - entry->start;
	repair(map, entry);
	repair_gap(map, after);
}

void
vm_map_entry_unlink(vm_map_t map, vm_map_entry_t entry)
{
	vm_map_entry_t next = entry->next;
	vm_map_entry_t from = entry->parent;

	entry->prev->next = next;
	next->prev = entry->prev;

	if (entry->child[LEFT] == NULL) {
		replace(map, entry, entry->child[RIGHT]);
	} else if (entry->child[RIGHT] == NULL) {
		replace(map, entry, entry->child[LEFT]);
	} else {
		/* The next one, which has no left child, takes its place. */
		from = next->parent == entry ? next : next->parent;
		replace(map, next, next->child[RIGHT]);
		replace(map, entry, next);
		set_child(next, LEFT, entry->child[LEFT]);
		set_child(next, RIGHT, entry->child[RIGHT]);
	}
	map->nentries--;
	map->size -= entry->end - entry->start;
	repair(map, from);
	repair_gap(map, entry->prev);
}

void
vm_map_entry_resize(vm_map_t map, vm_map_entry_t entry, vm_offset_t start,
    vm_offset_t end)
{
	map->size -= entry->end - entry->start;
	map->size += end - start;
	entry->start = start;
	entry->end = end;
	repair(map, entry);
	repair_gap(map, entry->prev);
}

bool
vm_map_lookup_entry(vm_map_t map, vm_offset_t va, vm_map_entry_t *entry)
{
	vm_map_entry_t at = map->root;

	*entry = &map->header;
	while (at != NULL) {
		if (va >= at->start) {
			*entry = at;
			if (va < at->end)
				return (true);
		}
		at = at->child[va >= at->start];
	}
	return (false);
}

static vm_map_entry_t
before_end(vm_map_t map, vm_map_entry_t entry, vm_offset_t end)
{
	return (entry != &map->header && entry->start < end ? entry : NULL);
}

vm_map_entry_t
vm_map_range_first(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	vm_map_entry_t entry;

	if (!vm_map_lookup_entry(map, start, &entry))
		entry = entry->next;
	return (before_end(map, entry, end));
}

vm_map_entry_t
vm_map_range_next(vm_map_t map, vm_map_entry_t entry, vm_offset_t end)
{
	return (before_end(map, entry->next, end));
}

bool
vm_map_range_all(vm_map_t map, vm_offset_t start, vm_offset_t end,
    bool (*is)(const struct vm_map_entry *entry, const void *arg),
    const void *arg)
{
	vm_map_entry_t entry;

	for (; start < end; start = entry->end) {
		if (!vm_map_lookup_entry(map, start, &entry) || !is(entry, arg))
			return (false);
	}
	return (true);
}

/* The first entry of a subtree, which has one, that such a gap follows. */
static vm_map_entry_t
first_with_gap(vm_map_entry_t entry, vm_size_t length)
{
	for (;;) {
		if (max_free(entry->child[LEFT]) >= length)
			entry = entry->child[LEFT];
		else if (gap_after(entry) >= length)
			return (entry);
		else
			entry = entry->child[RIGHT];
	}
}

/* The first entry after this one that such a gap follows; NULL: none. */
static vm_map_entry_t
next_with_gap(vm_map_entry_t entry, vm_size_t length)
{
	if (max_free(entry->child[RIGHT]) >= length)
		return (first_with_gap(entry->child[RIGHT], length));
	for (; entry->parent != NULL; entry = entry->parent) {
		vm_map_entry_t up = entry->parent;

		if (up->child[RIGHT] == entry)
			continue;
		if (gap_after(up) >= length)
			return (up);
		if (max_free(up->child[RIGHT]) >= length)
			return (first_with_gap(up->child[RIGHT], length));
	}
	return (NULL);
}

bool
vm_map_findspace(vm_map_t map, vm_offset_t start, vm_size_t length,
    vm_offset_t *addr)
{
	vm_map_entry_t entry;

	VM_MAP_ASSERT_LOCKED(map);
	if (start < vm_map_min(map))
		start = vm_map_min(map);
	if (start > vm_map_max(map) || length > vm_map_max(map) - start)
		return (false);
	(void)vm_map_lookup_entry(map, start, &entry);
	start = larger(start, entry->end);
	if (start <= entry->next->start &&
	    length <= entry->next->start - start) {
		*addr = start;
		return (true);
	}
	if (map->root == NULL)
		return (false);
	if (entry == &map->header)
		entry = max_free(map->root) >= length ?
		    first_with_gap(map->root, length) :
		    NULL;
	else
		entry = next_with_gap(entry, length);
	if (entry == NULL)
		return (false);
	*addr = entry->end;
	return (true);
}

/* ---- Is all of it so? ---- */

static const char *
audit_tree(const struct vm_map *map, const struct vm_map_entry *entry)
{
	int left = height(entry->child[LEFT]);
	int right = height(entry->child[RIGHT]);

	for (int side = LEFT; side <= RIGHT; side++) {
		if (entry->child[side] != NULL &&
		    entry->child[side]->parent != entry)
			return ("a child of another parent");
	}
	if (entry->parent == NULL ? map->root != entry :
				    entry->parent->child[LEFT] != entry &&
		    entry->parent->child[RIGHT] != entry)
		return ("an entry that is not in the tree");
	if (entry->height != right_height(entry) || left - right > 1 ||
	    right - left > 1)
		return ("a tree that is out of balance");
	if (entry->max_free != right_max_free(entry))
		return ("a gap that is not known");
	return (NULL);
}

/* Does the tree lead from entry to the next of the list? */
static bool
same_order(const struct vm_map *map, vm_map_entry_t entry)
{
	const struct vm_map_entry *at = entry->child[RIGHT];

	if (at != NULL) {
		while (at->child[LEFT] != NULL)
			at = at->child[LEFT];
		return (at == entry->next);
	}
	for (at = entry; at->parent != NULL; at = at->parent) {
		if (at->parent->child[LEFT] == at)
			return (at->parent == entry->next);
	}
	return (entry->next == &map->header);
}

static const char *
audit_entry(const struct vm_map *map, vm_map_entry_t entry)
{
	if (entry->next->prev != entry)
		return ("a list that does not lead back");
	if (entry->start >= entry->end || entry->end > entry->next->start ||
	    ((entry->start | entry->end) & PAGE_MASK) != 0)
		return ("an entry's range");
	if (!same_order(map, entry))
		return ("list and tree in different orders");
	if ((entry->protection & ~entry->max_protection) != 0)
		return ("more rights than an entry may have");
	if (entry->end - entry->start > VM_OBJECT_MAX ||
	    entry->offset > VM_OBJECT_MAX - (entry->end - entry->start))
		return ("an entry past the end of all objects");
	if ((entry->eflags & MAP_ENTRY_GUARD) != 0 && entry->object != NULL)
		return ("a guard with an object");
	if ((entry->eflags & MAP_ENTRY_USER_WIRED) != 0 &&
	    entry->wired_count == 0)
		return ("a wired entry that is not");
	return (audit_tree(map, entry));
}

const char *
vm_map_audit(vm_map_t map)
{
	const char *wrong = NULL;
	vm_size_t size = 0;
	uint32_t n = 0;

	if (map->header.next->prev != &map->header ||
	    map->header.next->start < vm_map_min(map))
		return ("a list that does not begin with the header");
	for (vm_map_entry_t entry = map->header.next;
	     entry != &map->header && wrong == NULL; entry = entry->next) {
		size += entry->end - entry->start;
		n++;
		wrong = audit_entry(map, entry);
	}
	if (wrong == NULL && (n != map->nentries || size != map->size))
		wrong = "sums of entries";
	return (wrong);
}
