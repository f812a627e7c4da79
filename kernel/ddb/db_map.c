/*
 * The debugger's view of address spaces.
 *
 * What is looked at may be broken, so it is copied before it is believed, and a
 * list ends after as many entries as its map says there are.
 */
#include "kernel/ddb/ddb.h"
#include "kernel/machine/pmap.h"
#include "kernel/sys/command.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/vm_map.h"
#include "kernel/vm/vm_object.h"

/* The address that is all of args, copied: false, with a message, if it is not. */
static bool
copy_argument(const char *args, const char *usage, void *copy, size_t len,
    uint64_t *addr)
{
	const char *rest;

	if (!db_expression(args, addr, &rest) || *rest != '\0') {
		printf("%s\n", usage);
		return (false);
	}
	if (!safe_copy(copy, (const void *)*addr, len)) {
		printf("%#jx: not memory\n", (uintmax_t)*addr);
		return (false);
	}
	return (true);
}

/* rwx, and what is special about the entry. */
static void
print_entry(const struct vm_map_entry *entry)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ MAP_ENTRY_COW, "cow" },
		{ MAP_ENTRY_NEEDS_COPY, "needs-copy" },
		{ MAP_ENTRY_GUARD, "guard" },
		{ MAP_ENTRY_STACK_GAP_DN, "stack" },
		{ MAP_ENTRY_IN_TRANSITION, "in-transition" },
	};

	printf("%#14jx %#14jx %c%c%c object %p offset %#jx wired %u",
	    (uintmax_t)entry->start, (uintmax_t)entry->end,
	    (entry->protection & VM_PROT_READ) != 0 ? 'r' : '-',
	    (entry->protection & VM_PROT_WRITE) != 0 ? 'w' : '-',
	    (entry->protection & VM_PROT_EXECUTE) != 0 ? 'x' : '-',
	    (void *)entry->object, (uintmax_t)entry->offset,
	    entry->wired_count);
	for (size_t i = 0; i < nitems(names); i++) {
		if ((entry->eflags & names[i].flag) != 0)
			printf(" %s", names[i].name);
	}
	printf("\n");
}

/* So many of a kind are listed: the list may be a circle. */
#define LISTED_MAX 10000

/* Calls print for each vmspace, copied from at. */
static void
list_vmspaces(void (*print)(const struct vmspace *vm, const struct vmspace *at))
{
	struct vmspace vm;
	const struct vmspace *at = TAILQ_FIRST(&vmspace_list);

	for (int n = 0; at != NULL; n++, at = TAILQ_NEXT(&vm, vm_list)) {
		if (n == LISTED_MAX) {
			printf("and more\n");
			return;
		}
		if (!safe_copy(&vm, at, sizeof(vm))) {
			printf("vmspace %p: not memory\n", (const void *)at);
			return;
		}
		print(&vm, at);
	}
}

static void
print_map(const struct vm_map *map, uint64_t addr)
{
	printf("map %#jx: [%#jx, %#jx) %u entries, %ju bytes, pmap %p, "
	       "timestamp %u\n",
	    (uintmax_t)addr, (uintmax_t)vm_map_min(map),
	    (uintmax_t)vm_map_max(map), map->nentries, (uintmax_t)map->size,
	    (void *)map->pmap, map->timestamp);
}

static void
print_map_of(const struct vmspace *vm, const struct vmspace *at)
{
	print_map(&vm->vm_map, (uintptr_t)&at->vm_map);
}

static void
db_show_map(const char *args)
{
	struct vm_map map;
	struct vm_map_entry entry;
	uint64_t addr;
	uint32_t n;

	if (*args == '\0') {
		list_vmspaces(print_map_of);
		return;
	}
	if (!copy_argument(args, "show map [ADDRESS]", &map, sizeof(map),
		&addr))
		return;
	print_map(&map, addr);
	entry = map.header;
	for (n = 0; n < map.nentries; n++) {
		if (!safe_copy(&entry, entry.next, sizeof(entry))) {
			printf("entry %u: not memory\n", n);
			return;
		}
		print_entry(&entry);
	}
}
COMMAND(show_map, "show map", CMD_DDB, db_show_map,
    "[ADDR]: all vm_maps of vmspaces, or one and its entries");

static void
print_pmap(const struct pmap *pmap, uint64_t addr)
{
	printf("pmap %#jx: root %#jx active %#jx resident %ju wired %ju "
	       "tables %ju\n",
	    (uintmax_t)addr, (uintmax_t)pmap->pm_root,
	    (uintmax_t)pmap->pm_active, (uintmax_t)pmap->pm_resident,
	    (uintmax_t)pmap->pm_wired, (uintmax_t)pmap->pm_tables);
}

static void
print_pmap_of(const struct vmspace *vm, const struct vmspace *at)
{
	const struct pmap *pmap_at = vm->vm_map.pmap;
	struct pmap pmap;

	if (safe_copy(&pmap, pmap_at, sizeof(pmap)))
		print_pmap(&pmap, (uintptr_t)pmap_at);
	else
		printf("pmap %p of vmspace %p: not memory\n",
		    (const void *)pmap_at, (const void *)at);
}

static void
db_show_pmap(const char *args)
{
	struct pmap pmap;
	uint64_t addr;

	if (*args == '\0')
		list_vmspaces(print_pmap_of);
	else if (copy_argument(args, "show pmap [ADDRESS]", &pmap, sizeof(pmap),
		     &addr))
		print_pmap(&pmap, addr);
}
COMMAND(show_pmap, "show pmap", CMD_DDB, db_show_pmap,
    "[ADDR]: counts of all pmaps of vmspaces, or of one");

/* One object of a chain, copied from at. */
static void
print_object(const struct vm_object *object, const void *at)
{
	static const char *const types[OBJT_NTYPES] = {
		[OBJT_SWAP] = "swap",
		[OBJT_PHYS] = "phys",
		[OBJT_VNODE] = "vnode",
		[OBJT_DEVICE] = "device",
		[OBJT_DEAD] = "dead",
	};

	printf("object %p: %s, %ju pages, %ju in memory", at,
	    object->type < OBJT_NTYPES ? types[object->type] : "?",
	    (uintmax_t)object->size, (uintmax_t)object->resident_page_count);
	if (object->type == OBJT_SWAP)
		printf(", %ju on swap",
		    (uintmax_t)object->un_pager.swp.swp_npages);
	printf("; references %u shadows %u paging %u flags %#x",
	    object->ref_count, object->shadow_count, object->paging_in_progress,
	    object->flags);
	if (object->backing_object != NULL)
		printf(" offset %#jx in",
		    (uintmax_t)object->backing_object_offset);
	printf("\n");
}

/* A chain that is longer than this is cut: it may be a circle. */
#define CHAIN_MAX 100

static void
list_objects(void)
{
	struct vm_object object;
	const struct vm_object *at = TAILQ_FIRST(&vm_object_list);

	for (int n = 0; at != NULL;
	     n++, at = TAILQ_NEXT(&object, object_list)) {
		if (n == LISTED_MAX) {
			printf("and more\n");
			return;
		}
		if (!safe_copy(&object, at, sizeof(object))) {
			printf("object %p: not memory\n", (const void *)at);
			return;
		}
		print_object(&object, at);
	}
}

static void
db_show_object(const char *args)
{
	struct vm_object object;
	const void *at;
	uint64_t addr;

	if (*args == '\0') {
		list_objects();
		return;
	}
	if (!copy_argument(args, "show object [ADDRESS]", &object,
		sizeof(object), &addr))
		return;
	at = (const void *)addr;
	print_object(&object, at);
	for (int n = 1; (at = object.backing_object) != NULL; n++) {
		if (n == CHAIN_MAX) {
			printf("and more\n");
			return;
		}
		if (!safe_copy(&object, at, sizeof(object))) {
			printf("object %p: not memory\n", at);
			return;
		}
		print_object(&object, at);
	}
}
COMMAND(show_object, "show object", CMD_DDB, db_show_object,
    "[ADDR]: all vm_objects, or one and those behind it");
