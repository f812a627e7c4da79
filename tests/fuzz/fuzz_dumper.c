/*
 * The dump writer over memory that is anything: page tables of random entries,
 * pages registered at random, pages that cannot be read.
 *
 * The first byte picks the format and what to leave out, each twelve bytes
 * after it change one page:
 *
 *	page, what to do, entry number (16 bits), entry (64 bits)
 *
 * The writer must look at memory only, write what it announced, and every page
 * that its dump claims to have must be there.  In version 3, so must each page
 * table that the map section leads to.
 */
#include <stdlib.h>
#include <string.h>

#include "dumper/dumper.h"
#include "format/dumpset.h"
#include "format/minidump.h"
#include "format/paging_amd64.h"
#include "tests/fuzz/claim.h"

#define PAGE	   DUMP_PAGE_SIZE
#define NPAGES	   32
#define IMAGE_LEN  (1024 * PAGE)
#define RECORD_LEN 12

/* Actions on a page. */
#define DO_ENTRY      0x01
#define DO_CORE	      0x02
#define DO_BULK	      0x04
#define DO_USER	      0x08
#define DO_UNREADABLE 0x10
#define DO_NEVER      0x20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct dump_range ranges[] = {
	{ 0x1000, 0x11000 },
	{ 0x200000, 0x210000 },
};

static _Alignas(PAGE) uint8_t memory[NPAGES][PAGE];
static bool unreadable[NPAGES];
static uint8_t image[IMAGE_LEN];
static uint64_t pages_mem[64];
static struct dump_pages pages;
static struct dump_work work;

static size_t
index_of(uint64_t pa)
{
	size_t first = 0;

	for (size_t i = 0; i < 2; first += 16, i++)
		if (pa >= ranges[i].r_start && pa < ranges[i].r_end)
			return (first +
			    (size_t)(pa - ranges[i].r_start) / PAGE);
	abort();
}

static uint64_t
pa_of(size_t index)
{
	return (ranges[index / 16].r_start + index % 16 * PAGE);
}

static const void *
look(void *arg, uint64_t pa)
{
	size_t index = index_of(pa);

	(void)arg;
	claim(pa % PAGE == 0);
	return (unreadable[index] ? NULL : memory[index]);
}

static bool
describes(void *arg, uint64_t pa, unsigned int i, struct dump_range *out)
{
	size_t index = index_of(pa);

	(void)arg;
	if (i > 1)
		return (false);
	/* Any range, be it of memory or not. */
	out->r_start = le64dec(memory[index] + (size_t)16 * i);
	out->r_end = le64dec(memory[index] + (size_t)16 * i + 8);
	return (true);
}

static int
submit(void *arg, unsigned int tag, const struct dump_iov *iov,
    unsigned int niov, uint64_t off)
{
	uint64_t *written = arg;

	(void)tag;
	for (unsigned int i = 0; i < niov; i++) {
		claim(off <= IMAGE_LEN && iov[i].iv_len <= IMAGE_LEN - off);
		memcpy(image + off, iov[i].iv_base, iov[i].iv_len);
		off += iov[i].iv_len;
	}
	if (off > *written)
		*written = off;
	return (0);
}

static void
set_up(const uint8_t *data, size_t size)
{
	memset(memory, 0, sizeof(memory));
	memset(unreadable, 0, sizeof(unreadable));
	claim(dump_pages_init(&pages, ranges, 2, pages_mem,
		  sizeof(pages_mem)) == 0);
	le64enc(memory[0] + (size_t)8 * 511, 0x2003);
	le64enc(memory[1] + (size_t)8 * 510, 0x3003);
	le64enc(memory[2], 0x4003);
	for (; size >= RECORD_LEN; data += RECORD_LEN, size -= RECORD_LEN) {
		size_t index = data[0] % NPAGES;
		size_t entry = (size_t)(data[2] | data[3] << 8) % 512;

		if ((data[1] & DO_ENTRY) != 0)
			memcpy(memory[index] + 8 * entry, data + 4, 8);
		if ((data[1] & DO_CORE) != 0)
			dump_pages_add(&pages, pa_of(index), DUMP_CLASS_CORE);
		if ((data[1] & DO_BULK) != 0)
			dump_pages_add(&pages, pa_of(index), DUMP_CLASS_BULK);
		if ((data[1] & DO_USER) != 0)
			dump_pages_add(&pages, pa_of(index), DUMP_CLASS_USER);
		if ((data[1] & DO_NEVER) != 0)
			dump_pages_add(&pages, pa_of(index), DUMP_CLASS_NEVER);
		if ((data[1] & DO_UNREADABLE) != 0)
			unreadable[index] = true;
	}
}

/* Is the page's bit set? */
static bool
present(const struct minidump_hdr *hdr, const struct dumpset *set, uint64_t pa)
{
	const struct dump_seg *seg = dumpset_find(set, pa / PAGE);
	uint64_t bit;

	if (seg == NULL)
		return (false);
	bit = seg->seg_bit + (pa / PAGE - seg->seg_start);
	return ((image[hdr->md_bitmap_off + bit / 8] >> bit % 8 & 1) != 0);
}

/* The pages lie in the file as the bitmap says, and hold what memory holds. */
static void
check_pages(const struct minidump_hdr *hdr, const struct dumpset *set,
    uint64_t len)
{
	static const uint8_t zeros[PAGE];
	uint64_t off = hdr->md_pages_off;

	for (size_t i = 0; i < NPAGES; i++) {
		bool never = dump_pages_has(&pages, pa_of(i), DUMP_CLASS_NEVER);

		if (!present(hdr, set, pa_of(i))) {
			claim(never ||
			    !dump_pages_has(&pages, pa_of(i), DUMP_CLASS_CORE));
			continue;
		}
		claim(!never);
		claim(memcmp(image + off, unreadable[i] ? zeros : memory[i],
			  PAGE) == 0);
		off += PAGE;
	}
	claim(off == len);
}

static void
check_directory(const struct minidump_hdr *hdr, const struct dumpset *set)
{
	for (uint64_t off = 0; off < hdr->md_pmap_len; off += 8) {
		struct pte pte =
		    amd64_pte_decode(le64dec(image + hdr->md_pmap_off + off),
			1);

		claim(pte.pte_kind != PTE_TABLE ||
		    present(hdr, set, pte.pte_pa));
	}
}

static void
check_minidump(uint64_t len)
{
	struct dump_seg segs[PAGE / DUMP_AVAIL_ENTRY_LEN];
	struct span file = { .base = image, .len = len };
	struct minidump_hdr hdr;
	struct dumpset set;
	struct span avail;
	const char *why;

	claim(minidump_decode(file, ORDER_LITTLE, &hdr, &why));
	if (hdr.md_version == 1) {
		set = dumpset_dense((uint64_t)hdr.md_bitmap_len * 8, 12, segs);
	} else {
		claim(span_sub(file, hdr.md_dumpavail_off, hdr.md_dumpavail_len,
		    &avail));
		claim(dumpset_decode(avail, ORDER_LITTLE, 12, segs, &set,
		    &why));
		check_directory(&hdr, &set);
	}
	check_pages(&hdr, &set, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dump_machine machine = { .dm_arch = ARCH_AMD64,
		.dm_pages = &pages,
		.dm_page = look,
		.dm_describes = describes,
		.dm_root_pa = 0x1000,
		.dm_phys_bits = 40,
		.dm_kva_start = UINT64_C(0xffffffff80000000),
		.dm_kva_len = UINT64_C(0x4200000),
		.dm_msgbuf = "message",
		.dm_msgbuf_len = 7 };
	uint64_t written = 0;
	const struct dump_sink sink = { .ds_arg = &written,
		.ds_media = DUMP_MEDIA_FILE,
		.ds_block_len = 512,
		.ds_submit = submit };
	struct dump_request req = { .dr_machine = &machine,
		.dr_sinks = &sink,
		.dr_nsinks = 1,
		.dr_work = &work };
	struct dump_result res;

	if (size == 0)
		return (0);
	req.dr_format = (enum dump_format)(data[0] % 3);
	req.dr_flags = data[0] >> 4 & 7;
	set_up(data + 1, size - 1);
	claim(dump_write(&req, &res) == 0);
	claim(written == res.res_bytes);
	if (res.res_format != DUMP_FORMAT_FULL)
		check_minidump(res.res_bytes);
	return (0);
}
