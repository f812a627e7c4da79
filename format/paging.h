/*
 * Page tables of each architecture: geometry and entries.
 *
 * Level 0 is the last one, whose entries map pages.  An entry of a higher level
 * points to a table of the level below, or maps a large page.  This file only
 * decodes entries; a caller that follows them counts the levels.
 */
#ifndef FORMAT_PAGING_H
#define FORMAT_PAGING_H

#include "format/bytes.h"

#define PAGING_MAXLEVELS 4

enum pte_kind {
	PTE_NONE,  /* maps nothing */
	PTE_TABLE, /* pte_pa is the page table one level below */
	PTE_PAGE   /* pte_pa is a page of 1 << pte_shift bytes */
};

/* Protection bits, with the values of VM_PROT_*. */
enum { PTE_READ = 1, PTE_WRITE = 2, PTE_EXECUTE = 4 };

struct pte {
	uint64_t pte_pa;
	enum pte_kind pte_kind;
	uint8_t pte_shift;
	uint8_t pte_prot;
};

struct paging {
	const char *pg_name;
	unsigned int pg_entry_len; /* bytes: 4 or 8 */
	unsigned int pg_nlevels;
	struct {
		uint8_t shift; /* log2 of the bytes that an entry maps */
		uint8_t bits;  /* log2 of the entries of a table */
	} pg_level[PAGING_MAXLEVELS];
	uint64_t pg_va_first; /* the kernel's addresses, ends included */
	uint64_t pg_va_last;
	struct pte (*pg_decode)(uint64_t entry, unsigned int level);
};

extern const struct paging paging_amd64;
extern const struct paging paging_arm;	  /* last level only, V6 */
extern const struct paging paging_arm_v4; /* last level only */
extern const struct paging paging_arm64_4k;
extern const struct paging paging_arm64_16k;
extern const struct paging paging_i386; /* without PAE */
extern const struct paging paging_i386_pae;
extern const struct paging paging_riscv; /* last level only */

/* Entry i of a table, in host order. */
static inline uint64_t
paging_entry(const struct paging *pg, enum byte_order order, const uint8_t *p)
{
	return (pg->pg_entry_len == 8 ? dec64(order, p) : dec32(order, p));
}

/* The index of the entry that maps va, in a table at level. */
static inline uint64_t
paging_index(const struct paging *pg, unsigned int level, uint64_t va)
{
	return ((va >> pg->pg_level[level].shift) &
	    ((UINT64_C(1) << pg->pg_level[level].bits) - 1));
}

#endif
