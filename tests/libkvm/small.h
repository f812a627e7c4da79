/*
 * A machine of a few pages, made by hand: amd64, its kernel map at the top
 * 2 GB, as a minidump of version 3 or as a full dump.
 *
 * Page n of memory holds small_byte() of each of its addresses, but for what a
 * test writes over it.  The last pages are the machine's page tables.
 */
#ifndef TESTS_LIBKVM_SMALL_H
#define TESTS_LIBKVM_SMALL_H

#include "format/bytes.h"

#define SMALL_PAGE   4096
#define SMALL_NPAGES 32

#define SMALL_KERNBASE UINT64_C(0xffffffff80000000)
#define SMALL_DMAPBASE UINT64_C(0xfffff80000000000)
#define SMALL_DMAPEND  (SMALL_DMAPBASE + SMALL_NPAGES * SMALL_PAGE)

/* Bits of an entry. */
#define SMALL_V	 UINT64_C(0x001)
#define SMALL_RW UINT64_C(0x002)
#define SMALL_PS UINT64_C(0x080)
#define SMALL_NX (UINT64_C(1) << 63)

/* Where a minidump's sections are. */
#define SMALL_MSGBUF_OFF 4096
#define SMALL_MSGBUF_LEN 2000
#define SMALL_AVAIL_OFF	 8192
#define SMALL_BITMAP_OFF 12288
#define SMALL_PMAP_OFF	 16384
#define SMALL_PAGES_OFF	 24576

#define SMALL_FILE_MAX (SMALL_PAGES_OFF + SMALL_NPAGES * SMALL_PAGE)

struct small {
	uint8_t mem[SMALL_NPAGES][SMALL_PAGE];
	uint32_t memory;  /* a bit for each page: the machine has it */
	uint32_t present; /* ... and the minidump holds it */
	unsigned int next_table;
};

/* Never 0, and not the same at the same place of two pages. */
uint8_t small_byte(uint64_t pa);

/*
 * Memory and pages present, a bit for each page.  The five uppermost pages are
 * tables, and always there.
 */
void small_init(struct small *sm, uint32_t memory, uint32_t present);

/* Map the page at va with a last-level entry; tables are made as needed. */
void small_map(struct small *sm, uint64_t va, uint64_t entry);

/* Set the page-directory entry of va. */
void small_map_directory(struct small *sm, uint64_t va, uint64_t entry);

/*
 * Make the tables above the directories, and the variable KPML4phys at kpml4_pa,
 * which leads to them.
 */
void small_put_root(struct small *sm, uint64_t kpml4_pa);

/* Set the entry for va of the root, which is there. */
void small_map_root(struct small *sm, uint64_t va, uint64_t entry);

/* Write an integer into memory. */
void small_poke32(struct small *sm, uint64_t pa, uint32_t v);
void small_poke64(struct small *sm, uint64_t pa, uint64_t v);

/* The dump's bytes; their number. */
size_t small_minidump(const struct small *sm, uint8_t buf[SMALL_FILE_MAX]);

/* The same machine's full dump; kpml4_pa is where KPML4phys is. */
size_t small_full(struct small *sm, uint64_t kpml4_pa,
    uint8_t buf[SMALL_FILE_MAX]);

/* Where a minidump has the page of pa. */
size_t small_page_off(const struct small *sm, uint64_t pa);

#endif
