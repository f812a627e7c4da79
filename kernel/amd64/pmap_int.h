/*
 * Declarations that only the files of the pmap use.
 *
 *	pmap_bootstrap.c	the page tables of the boot: needs the machine
 *	pmap_kernel.c		the kernel map
 *	pmap.c			user halves: what is mapped in a range
 *	pmap_page.c		where a page is mapped
 *	pmap_pte.c		one entry, with all that goes with it
 *	pmap_large.c		large pages: 512 entries as one
 *	pmap_table.c		page tables of user halves
 *	pmap_pv.c		reverse maps
 *	pmap_tlb.c		what CPUs have to forget
 *	pmap_pcid.c		what they may keep of what they have not loaded
 *
 * One spin mutex, pmap_lock, guards all page tables but the kernel map's, and all
 * reverse maps.  It is held while pages are taken and freed, and while other CPUs
 * are told what to forget, so these locks come after it:
 *
 *	vm map -> vm_mtx -> pmap_lock -> those of vm_page_alloc_noobj(), invltlb
 *
 * CPUs set accessed and dirty bits at any time, so entries change by one atomic
 * operation, and what it replaced decides what is to be done.
 *
 * All but pmap_bootstrap.c are compiled for a host, too, where tests/vm/mmu.c
 * has the functions of pmap_cpu.h.
 */
#ifndef KERNEL_AMD64_PMAP_INT_H
#define KERNEL_AMD64_PMAP_INT_H

#include "format/paging_amd64.h"
#include "kernel/sys/mutex.h"
#include "kernel/sys/param.h"
#include "kernel/vm/vm.h"

struct pmap;
struct tlb_gather;

#define NPTEPG 512
#define NBPDR  UINT64_C(0x200000)
#define NBPDP  UINT64_C(0x40000000)
#define NKPD   2 /* directory pages of the top 2 GB */

typedef uint64_t pt_entry_t;

/* An entry that leads to a table, and one that maps a kernel page of data. */
#define ENTRY_TABLE (AMD64_PTE_V | AMD64_PTE_RW)
#define ENTRY_DATA                                                             \
	(AMD64_PTE_V | AMD64_PTE_RW | AMD64_PTE_A | AMD64_PTE_M |              \
	    AMD64_PTE_G | AMD64_PTE_NX)

/* Of user halves: a table's entry, and a bit that CPUs leave to us. */
#define ENTRY_USER_TABLE (ENTRY_TABLE | AMD64_PTE_U)
#define PTE_WIRED	 UINT64_C(0x200)

extern struct mtx pmap_lock; /* (p) */

/* What an entry of a level maps, 0 the lowest. */
static inline uint64_t
level_size(unsigned int level)
{
	return (UINT64_C(1) << (12 + 9 * level));
}

/* The directories of the top 2 GB, through which its page tables are reached. */
extern pt_entry_t *kernel_pd[NKPD]; /* (c) */

/*
 * The directory entry, and the entry, for va in the top 2 GB; the second wants a
 * page table that exists.
 */
pt_entry_t *pmap_kernel_pde(vm_offset_t va);
pt_entry_t *pmap_kernel_pte(vm_offset_t va);

/* The physical address of va in the kernel's image; 0: it is not in it. */
vm_paddr_t pmap_image_extract(vm_offset_t va);

/* ---- One mapping, or the place for one ---- */

struct mapping {
	struct pmap *mp_pmap;
	vm_offset_t mp_va;
	pt_entry_t *mp_pte;
	unsigned int mp_level;
};

/* The page that is mapped, by an entry that is valid; NULL: a device's memory. */
vm_page_t pmap_mapped_page(pt_entry_t entry);

/*
 * Remove it, or clear and set bits of its entry: counts, reverse map and what
 * the page knows follow.  What CPUs have to forget is gathered.
 */
void pmap_pte_remove(const struct mapping *mp, struct tlb_gather *g);
void pmap_pte_change(const struct mapping *mp, pt_entry_t clear, pt_entry_t set,
    struct tlb_gather *g);

/*
 * Make a mapping where there is none.  A reverse map has been reserved; the page
 * table is there.
 */
void pmap_pte_insert(const struct mapping *mp, pt_entry_t entry);

/* ---- Large pages ---- */

/*
 * If all entries of mp's page table map one large page alike, make them one.
 */
void pmap_promote(const struct mapping *mp, struct tlb_gather *g);

/*
 * The reverse: a page table for a large page.  If there is no memory for one, the
 * mapping is removed, since it may be forgotten.
 */
void pmap_demote(const struct mapping *mp, struct tlb_gather *g);

/* The first page of the large page that m is part of; NULL: it is in none. */
vm_page_t pmap_large_head(vm_page_t m);

/* ---- Page tables ---- */

/*
 * The entry that maps va, or that would have to lead on to it but is invalid: then
 * nothing is mapped in all of what that maps.
 */
struct mapping pmap_find(struct pmap *pmap, vm_offset_t va);

/* The same, down to a level at most. */
struct mapping pmap_find_at(struct pmap *pmap, vm_offset_t va,
    unsigned int level);

/*
 * The entry of a level for va, with the tables that lead to it; 0 the lowest.
 * false: there was no page for one; pmap_prune() those that were made.
 */
bool pmap_make(struct pmap *pmap, vm_offset_t va, unsigned int level,
    struct mapping *mp);

/* A page table of no entries, which a dump does without.  NULL: no memory. */
vm_page_t pmap_table_alloc(struct pmap *pmap);

/* The page that holds an entry. */
vm_page_t pmap_table_of(const pt_entry_t *pte);

/* Has it no valid entry? */
bool pmap_table_is_empty(vm_page_t table);

/* Take out the tables for va that are empty; they are freed with g. */
void pmap_prune(struct pmap *pmap, vm_offset_t va, struct tlb_gather *g);

/* ---- PCIDs ---- */

void pmap_pcid_init(void);

/* What to load into this CPU's CR3 for pmap.  Interrupts are off until then. */
uint64_t pmap_pcid_cr3(struct pmap *pmap, unsigned int cpu);

/* Something was taken away from pmap: CPUs keep nothing that they know of it. */
void pmap_pcid_forget(struct pmap *pmap);

/* ---- Reverse maps ---- */

/*
 * One mapping of a page.  That of a large page is with its first page, and has
 * PV_LARGE in its address.
 */
#define PV_LARGE 1

struct pv_entry {
	vm_offset_t pv_va;
	uint32_t pv_next; /* of the page; see pmap_pv.c */
	uint32_t pv_prev;
};

/* Entries lie in so many pages of the machine, the first; fewer in tests. */
extern vm_pindex_t pmap_pv_npages;

/* Make sure that n entries are free in pmap's chunks.  false: no memory. */
bool pmap_pv_reserve(struct pmap *pmap, vm_pindex_t n);

/* Of a pmap that maps nothing any more: free what is left of its chunks. */
void pmap_pv_release(struct pmap *pmap);

/* Add one of these to m, or remove the one that is there. */
void pmap_pv_insert(struct pmap *pmap, vm_page_t m, vm_offset_t va);
void pmap_pv_remove(struct pmap *pmap, vm_page_t m, vm_offset_t va);

/* The mappings of a page, one after the other; NULL: no more. */
struct pv_entry *pmap_pv_first(vm_page_t m);
struct pv_entry *pmap_pv_next(const struct pv_entry *pv);
struct mapping pmap_pv_mapping(const struct pv_entry *pv);

#endif
