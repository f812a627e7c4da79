/*
 * Page tables, from the top of memory down: the two page directories of the
 * kernel map's 2 GB, the table above them, the root, then last-level tables.
 */
#include "tests/libkvm/small.h"

#include <stdlib.h>
#include <string.h>

#define DIRECTORIES (SMALL_NPAGES - 2)
#define PDP	    (SMALL_NPAGES - 3)
#define PML4	    (SMALL_NPAGES - 4)
#define LAST_TABLE  (SMALL_NPAGES - 5)

#define FULL_HDR_LEN SMALL_PAGE

uint8_t
small_byte(uint64_t pa)
{
	return ((uint8_t)(1 + (pa * 7 + pa / SMALL_PAGE * 31) % 255));
}

void
small_init(struct small *sm, uint32_t memory, uint32_t present)
{
	uint32_t tables = UINT32_C(0xf8000000);

	memset(sm, 0, sizeof(*sm));
	sm->memory = memory | tables;
	sm->present = (present & memory) | tables;
	sm->next_table = LAST_TABLE;
	for (uint64_t pa = 0; pa < LAST_TABLE * SMALL_PAGE; pa++)
		sm->mem[pa / SMALL_PAGE][pa % SMALL_PAGE] = small_byte(pa);
}

static uint8_t *
directory_entry(struct small *sm, uint64_t va)
{
	uint64_t i = (va - SMALL_KERNBASE) >> 21;

	return (&sm->mem[DIRECTORIES + i / 512][i % 512 * 8]);
}

void
small_map_directory(struct small *sm, uint64_t va, uint64_t entry)
{
	le64enc(directory_entry(sm, va), entry);
}

void
small_map(struct small *sm, uint64_t va, uint64_t entry)
{
	uint8_t *pde = directory_entry(sm, va);
	uint64_t table = le64dec(pde) / SMALL_PAGE;

	if (table == 0) {
		table = sm->next_table--;
		memset(sm->mem[table], 0, SMALL_PAGE);
		sm->memory |= UINT32_C(1) << table;
		sm->present |= UINT32_C(1) << table;
		le64enc(pde, table * SMALL_PAGE | SMALL_V | SMALL_RW);
	}
	le64enc(&sm->mem[table][(va >> 12 & 511) * 8], entry);
}

void
small_poke32(struct small *sm, uint64_t pa, uint32_t v)
{
	le32enc(&sm->mem[pa / SMALL_PAGE][pa % SMALL_PAGE], v);
}

void
small_poke64(struct small *sm, uint64_t pa, uint64_t v)
{
	le64enc(&sm->mem[pa / SMALL_PAGE][pa % SMALL_PAGE], v);
}

void
small_put_root(struct small *sm, uint64_t kpml4_pa)
{
	memset(sm->mem[PDP], 0, SMALL_PAGE);
	memset(sm->mem[PML4], 0, SMALL_PAGE);
	le64enc(&sm->mem[PDP][510 * 8], DIRECTORIES * SMALL_PAGE | SMALL_V);
	le64enc(&sm->mem[PDP][511 * 8],
	    (DIRECTORIES + 1) * SMALL_PAGE | SMALL_V);
	le64enc(&sm->mem[PML4][511 * 8], PDP * SMALL_PAGE | SMALL_V);
	small_poke64(sm, kpml4_pa, PML4 * SMALL_PAGE);
}

void
small_map_root(struct small *sm, uint64_t va, uint64_t entry)
{
	le64enc(&sm->mem[PML4][(va >> 39 & 511) * 8], entry);
}

/* ---- the minidump ---- */

static void
put_header(uint8_t *p)
{
	memcpy(p, "minidump FreeBSD/amd64", 22);
	le32enc(p + 24, 3);
	le32enc(p + 28, SMALL_MSGBUF_LEN);
	le32enc(p + 32, SMALL_PAGE);
	le32enc(p + 36, 2 * SMALL_PAGE);
	le64enc(p + 40, SMALL_KERNBASE);
	le64enc(p + 48, SMALL_DMAPBASE);
	le64enc(p + 56, SMALL_DMAPEND);
	le32enc(p + 64, SMALL_PAGE);
}

/* Runs of pages that the machine has, and a bit for each such page. */
static void
put_page_set(const struct small *sm, uint8_t *avail, uint8_t *bitmap)
{
	unsigned int nbits = 0;
	bool inside = false;

	for (uint64_t n = 0; n <= SMALL_NPAGES; n++) {
		bool here = n < SMALL_NPAGES && (sm->memory >> n & 1) != 0;

		if (here != inside) {
			le64enc(avail, n * SMALL_PAGE);
			avail += 8;
		}
		inside = here;
		if (!here)
			continue;
		if ((sm->present >> n & 1) != 0)
			bitmap[nbits / 8] |= (uint8_t)(1 << nbits % 8);
		nbits++;
	}
}

size_t
small_page_off(const struct small *sm, uint64_t pa)
{
	size_t off = SMALL_PAGES_OFF;

	for (uint64_t n = 0; n < pa / SMALL_PAGE; n++)
		if ((sm->present >> n & 1) != 0)
			off += SMALL_PAGE;
	return (off);
}

size_t
small_minidump(const struct small *sm, uint8_t buf[SMALL_FILE_MAX])
{
	size_t len = SMALL_PAGES_OFF;

	memset(buf, 0, SMALL_FILE_MAX);
	put_header(buf);
	for (size_t i = 0; i < SMALL_MSGBUF_LEN; i++)
		buf[SMALL_MSGBUF_OFF + i] = (uint8_t)('a' + i % 26);
	put_page_set(sm, buf + SMALL_AVAIL_OFF, buf + SMALL_BITMAP_OFF);
	memcpy(buf + SMALL_PMAP_OFF, sm->mem[DIRECTORIES], 2 * SMALL_PAGE);
	for (size_t n = 0; n < SMALL_NPAGES; n++) {
		if ((sm->present >> n & 1) == 0)
			continue;
		memcpy(buf + len, sm->mem[n], SMALL_PAGE);
		len += SMALL_PAGE;
	}
	return (len);
}

/* ---- the full dump ---- */

/* One segment; all pages are there. */
size_t
small_full(struct small *sm, uint64_t kpml4_pa, uint8_t buf[SMALL_FILE_MAX])
{
	uint8_t *ph = buf + 64;

	small_put_root(sm, kpml4_pa);
	memset(buf, 0, FULL_HDR_LEN);
	memcpy(buf, "\177ELF\2\1\1\377", 8);
	le16enc(buf + 16, 4);  /* a core */
	le16enc(buf + 18, 62); /* amd64 */
	le64enc(buf + 32, 64); /* program headers */
	le16enc(buf + 54, 56);
	le16enc(buf + 56, 1);
	le32enc(ph, 1); /* PT_LOAD */
	le64enc(ph + 8, FULL_HDR_LEN);
	le64enc(ph + 32, sizeof(sm->mem));
	le64enc(ph + 40, sizeof(sm->mem));
	memcpy(buf + FULL_HDR_LEN, sm->mem, sizeof(sm->mem));
	return (FULL_HDR_LEN + sizeof(sm->mem));
}
