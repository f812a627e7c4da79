/*
 * Reverse maps: from a page to all of its mappings.
 *
 * Entries live in chunks of a page.  A chunk belongs to one pmap, so an entry does
 * not name it, and is freed with its last entry.  Chunks are pages, taken and
 * given back directly: no zone, no map, nothing that could want a mapping.
 *
 *	page -> entry <-> entry <-> entry	of any pmaps
 *	pmap -> chunk <-> chunk			that have free entries
 *
 * An entry is named by 32 bits, of which a page has room for one: the index in
 * the page array of the chunk's page, and the entry's place in it.  So chunks
 * lie among the first 2^24 pages; where those are in use, pmap_wait() has pages of
 * objects move away.  An entry takes 16 bytes, and 252 of them share
 * the 64 bytes of a chunk's head.
 *
 * Lock: pmap_lock, which callers hold.  pmap_wait() is called without locks,
 * and pmap_pv_release() for a pmap that has no users.
 */
#include "kernel/amd64/pmap.h"
#include "kernel/amd64/pmap_int.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/dumpset.h"
#include "kernel/sys/systm.h"
#include "kernel/vm/pmap.h"
#include "kernel/vm/vm_page.h"

#define PV_SLOT_BITS  8
#define PV_HEAD_SLOTS 4 /* that the chunk's head takes */
#define PV_PER_CHUNK  (256 - PV_HEAD_SLOTS)

/* For a chunk. */
#define PV_ALLOC (VM_ALLOC_NORMAL | VM_ALLOC_USER | VM_ALLOC_WIRED)

vm_pindex_t pmap_pv_npages = (vm_pindex_t)1 << (32 - PV_SLOT_BITS);

/* For the next chunk, wired; NULL: none.  Atomic. */
static vm_page_t pv_spare;

struct pv_chunk {
	struct pmap *pvc_pmap;
	LIST_ENTRY(pv_chunk) pvc_list; /* of the pmap, while entries are free */
	uint64_t pvc_free[4];	       /* a bit each entry */
};
static_assert(sizeof(struct pv_entry) * 256 == 4096, "a chunk is a page");
static_assert(sizeof(struct pv_chunk) <=
	PV_HEAD_SLOTS * sizeof(struct pv_entry),
    "its head fits");

static struct pv_entry *
entry_named(uint32_t name)
{
	vm_page_t m = &vm_page_array[name >> PV_SLOT_BITS];
	struct pv_entry *entries =
	    (struct pv_entry *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m));

	return (&entries[name & ((1 << PV_SLOT_BITS) - 1)]);
}

static struct pv_chunk *
chunk_of(const struct pv_entry *pv)
{
	return ((struct pv_chunk *)trunc_page((vm_offset_t)pv));
}

static vm_page_t
chunk_page(const struct pv_chunk *pvc)
{
	return (PHYS_TO_VM_PAGE(DMAP_TO_PHYS((vm_offset_t)pvc)));
}

static unsigned int
slot_of(const struct pv_entry *pv)
{
	return ((unsigned int)(((vm_offset_t)pv & PAGE_MASK) / sizeof(*pv)));
}

static uint32_t
name_of(const struct pv_entry *pv)
{
	return ((uint32_t)(chunk_page(chunk_of(pv)) - vm_page_array)
		<< PV_SLOT_BITS |
	    slot_of(pv));
}

/* ---- Chunks ---- */

/* May a chunk lie in any page of this machine? */
static bool
any_page_will_do(void)
{
	return (vm_page_array_size <= pmap_pv_npages);
}

/* Where it may lie if not. */
static struct vm_phys_where
chunk_where(void)
{
	return ((struct vm_phys_where){
	    .high = VM_PAGE_TO_PHYS(&vm_page_array[pmap_pv_npages]) });
}

static vm_page_t
set_spare(vm_page_t m)
{
	return (__atomic_exchange_n(&pv_spare, m, __ATOMIC_ACQ_REL));
}

static void
free_chunk_page(vm_page_t m)
{
	(void)vm_page_unwire_noq(m);
	vm_page_free(m);
}

static vm_page_t
chunk_alloc_page(void)
{
	struct vm_phys_where where;
	vm_page_t m;

	if (any_page_will_do())
		return (vm_page_alloc_noobj(PV_ALLOC));
	where = chunk_where();
	m = vm_page_alloc_contig(PV_ALLOC, 1, &where);
	return (m != NULL ? m : set_spare(NULL));
}

static bool
chunk_add(struct pmap *pmap)
{
	vm_page_t m = chunk_alloc_page();
	struct pv_chunk *pvc;

	if (m == NULL)
		return (false);
	dump_add_bulk(VM_PAGE_TO_PHYS(m));
	pvc = (struct pv_chunk *)PHYS_TO_DMAP(VM_PAGE_TO_PHYS(m));
	*pvc = (struct pv_chunk){
		.pvc_pmap = pmap,
		.pvc_free = { ~(uint64_t)((1 << PV_HEAD_SLOTS) - 1), UINT64_MAX,
		    UINT64_MAX, UINT64_MAX },
	};
	LIST_INSERT_HEAD(&pmap->pm_chunks, pvc, pvc_list);
	pmap->pm_pvfree += PV_PER_CHUNK;
	return (true);
}

static unsigned int
chunk_nfree(const struct pv_chunk *pvc)
{
	unsigned int n = 0;

	for (size_t i = 0; i < nitems(pvc->pvc_free); i++)
		n += (unsigned int)__builtin_popcountll(pvc->pvc_free[i]);
	return (n);
}

static void
chunk_remove(struct pv_chunk *pvc)
{
	vm_page_t m = chunk_page(pvc);

	LIST_REMOVE(pvc, pvc_list);
	pvc->pvc_pmap->pm_pvfree -= PV_PER_CHUNK;
	dump_drop_page(VM_PAGE_TO_PHYS(m));
	free_chunk_page(m);
}

static struct pv_entry *
entry_alloc(struct pmap *pmap)
{
	struct pv_chunk *pvc = LIST_FIRST(&pmap->pm_chunks);
	size_t word = 0;
	unsigned int bit;

	KASSERT(pvc != NULL, ("%s: none was reserved", __func__));
	while (pvc->pvc_free[word] == 0)
		word++;
	bit = (unsigned int)__builtin_ctzll(pvc->pvc_free[word]);
	pvc->pvc_free[word] &= ~(UINT64_C(1) << bit);
	pmap->pm_pvfree--;
	if (chunk_nfree(pvc) == 0)
		LIST_REMOVE(pvc, pvc_list);
	return ((struct pv_entry *)(void *)pvc + word * 64 + bit);
}

static void
entry_free(struct pv_entry *pv)
{
	struct pv_chunk *pvc = chunk_of(pv);
	struct pmap *pmap = pvc->pvc_pmap;
	unsigned int slot = slot_of(pv);

	if (chunk_nfree(pvc) == 0)
		LIST_INSERT_HEAD(&pmap->pm_chunks, pvc, pvc_list);
	pvc->pvc_free[slot / 64] |= UINT64_C(1) << slot % 64;
	pmap->pm_pvfree++;
	/* One free entry stays: what was reserved is there after a removal. */
	if (chunk_nfree(pvc) == PV_PER_CHUNK && pmap->pm_pvfree > PV_PER_CHUNK)
		chunk_remove(pvc);
}

/* A page that was merely freed would be the next page of a program. */
void
pmap_wait(void)
{
	struct vm_phys_where where;
	vm_page_t m;

	vm_wait(VM_ALLOC_NORMAL);
	if (any_page_will_do())
		return;
	where = chunk_where();
	m = vm_page_alloc_contig_hard(PV_ALLOC, 1, &where);
	if (m == NULL) {
		pause("pmappv", 1); /* until one of those is freed */
		return;
	}
	m = set_spare(m);
	if (m != NULL)
		free_chunk_page(m);
}

/* ---- A page's mappings ---- */

bool
pmap_pv_reserve(struct pmap *pmap, vm_pindex_t n)
{
	while (pmap->pm_pvfree < n) {
		if (!chunk_add(pmap))
			return (false);
	}
	return (true);
}

void
pmap_pv_release(struct pmap *pmap)
{
	struct pv_chunk *pvc = LIST_FIRST(&pmap->pm_chunks);

	if (pvc != NULL)
		chunk_remove(pvc);
	KASSERT(pmap->pm_pvfree == 0,
	    ("%s: %ju entries are free", __func__, (uintmax_t)pmap->pm_pvfree));
}

struct pv_entry *
pmap_pv_first(vm_page_t m)
{
	return (m->pv == VM_PAGE_NONE ? NULL : entry_named(m->pv));
}

struct pv_entry *
pmap_pv_next(const struct pv_entry *pv)
{
	return (pv->pv_next == VM_PAGE_NONE ? NULL : entry_named(pv->pv_next));
}

struct mapping
pmap_pv_mapping(const struct pv_entry *pv)
{
	return (pmap_find(chunk_of(pv)->pvc_pmap, trunc_page(pv->pv_va)));
}

void
pmap_pv_insert(struct pmap *pmap, vm_page_t m, vm_offset_t va)
{
	struct pv_entry *pv = entry_alloc(pmap);

	*pv = (struct pv_entry){ va, m->pv, VM_PAGE_NONE };
	if (pv->pv_next != VM_PAGE_NONE)
		entry_named(pv->pv_next)->pv_prev = name_of(pv);
	m->pv = name_of(pv);
}

void
pmap_pv_remove(struct pmap *pmap, vm_page_t m, vm_offset_t va)
{
	struct pv_entry *pv = pmap_pv_first(m);

	while (pv != NULL &&
	    (pv->pv_va != va || chunk_of(pv)->pvc_pmap != pmap))
		pv = pmap_pv_next(pv);
	KASSERT(pv != NULL,
	    ("%s: page %#jx is not known at %#jx", __func__,
		(uintmax_t)VM_PAGE_TO_PHYS(m), (uintmax_t)va));
	if (pv->pv_prev != VM_PAGE_NONE)
		entry_named(pv->pv_prev)->pv_next = pv->pv_next;
	else
		m->pv = pv->pv_next;
	if (pv->pv_next != VM_PAGE_NONE)
		entry_named(pv->pv_next)->pv_prev = pv->pv_prev;
	entry_free(pv);
}
