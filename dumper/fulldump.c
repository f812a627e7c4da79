/*
 * The full dump: all memory as an ELF core, a program header for each segment
 * of it.  One more header says where the kernel was loaded, if the machine
 * does: a reader finds the page tables without trying.
 */
#include "dumper/dumper_int.h"
#include "format/elfcore.h"

static uint64_t
nheaders(const struct attempt *at)
{
	return (at->at_pages->dp_set.set_nsegs +
	    (at->at_machine->dm_load_va != 0 ? 1 : 0));
}

/* Length of the ELF header and the program headers, rounded up. */
static uint64_t
headers_len(const struct attempt *at)
{
	uint64_t len = ELFCORE_HDR_LEN + nheaders(at) * ELFCORE_PHDR_LEN;

	return ((len + PAGE_MASK) & ~PAGE_MASK);
}

static void
encode_segment(const struct attempt *at, uint64_t i,
    uint8_t entry[ELFCORE_PHDR_LEN])
{
	const struct dump_machine *machine = at->at_machine;
	const struct dumpset *set = &at->at_pages->dp_set;
	struct elfcore_phdr ph = { .ph_type = ELFCORE_PT_DUMP_DELTA,
		.ph_va = machine->dm_load_va,
		.ph_pa = machine->dm_load_pa };

	if (i < set->set_nsegs) {
		const struct dump_seg *seg = &set->set_segs[i];
		uint64_t start = seg->seg_start << PAGE_SHIFT;
		uint64_t len = (seg->seg_end - seg->seg_start) << PAGE_SHIFT;

		ph = (struct elfcore_phdr){ .ph_type = ELFCORE_PT_LOAD,
			.ph_off =
			    headers_len(at) + (seg->seg_bit << PAGE_SHIFT),
			.ph_va = start,
			.ph_pa = start,
			.ph_file_len = len,
			.ph_mem_len = len };
	}
	elfcore_phdr_encode(&ph, entry);
}

/* Copy the part of the len bytes at off that lies in the page at page_off. */
static void
put_bytes(uint8_t page[DUMP_PAGE_SIZE], uint64_t page_off, uint64_t off,
    const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (off + i >= page_off && off + i - page_off < DUMP_PAGE_SIZE)
			page[off + i - page_off] = bytes[i];
}

/* A page of the headers, which may straddle pages. */
static void
encode_headers(const struct attempt *at, uint64_t page_off,
    uint8_t page[DUMP_PAGE_SIZE])
{
	uint8_t hdr[ELFCORE_HDR_LEN];
	uint8_t entry[ELFCORE_PHDR_LEN];

	memset(page, 0, DUMP_PAGE_SIZE);
	elfcore_encode(arch_facts(at->at_machine->dm_arch)->af_elf_machine,
	    (uint16_t)nheaders(at), hdr);
	put_bytes(page, page_off, 0, hdr, sizeof(hdr));
	for (uint64_t i = 0; i < nheaders(at); i++) {
		encode_segment(at, i, entry);
		put_bytes(page, page_off, sizeof(hdr) + i * sizeof(entry),
		    entry, sizeof(entry));
	}
}

/* A page of the headers that starts at off. */
static int
write_headers_page(const struct attempt *at, struct stream *st, uint64_t off)
{
	uint8_t *page;
	int error = stream_stage(st, DUMP_PAGE_SIZE, &page);

	if (error == 0)
		encode_headers(at, off, page);
	return (error);
}

static int
write_first(struct attempt *at, struct stream *st)
{
	return (write_headers_page(at, st, 0));
}

static uint64_t
more_headers_len(const struct attempt *at)
{
	return (headers_len(at) - DUMP_PAGE_SIZE);
}

static int
write_more_headers(struct attempt *at, struct stream *st)
{
	int error = 0;

	for (uint64_t off = DUMP_PAGE_SIZE; off < headers_len(at) && error == 0;
	     off += DUMP_PAGE_SIZE)
		error = write_headers_page(at, st, off);
	return (error);
}

static uint64_t
memory_len(const struct attempt *at)
{
	return (at->at_pages->dp_set.set_nbits * DUMP_PAGE_SIZE);
}

static int
write_memory(struct attempt *at, struct stream *st)
{
	const struct dumpset *set = &at->at_pages->dp_set;
	int error = 0;

	for (size_t i = 0; i < set->set_nsegs && error == 0; i++) {
		const struct dump_seg *seg = &set->set_segs[i];

		error =
		    section_write_memory(at, st, seg->seg_start << PAGE_SHIFT,
			seg->seg_end - seg->seg_start);
	}
	return (error);
}

/* All of memory is core here. */
static int
size(struct attempt *at)
{
	struct dump_result *res = at->at_res;

	if (nheaders(at) >= UINT16_MAX)
		return (DUMP_EINVAL);
	memset(res->res_pages, 0, sizeof(res->res_pages));
	res->res_pages[DUMP_CLASS_CORE] = at->at_pages->dp_set.set_nbits;
	return (0);
}

enum { FIRST, MORE_HEADERS, MEMORY };

static const char *const names[] = {
	[FIRST] = "ELF header",
	[MORE_HEADERS] = "program headers",
	[MEMORY] = "memory",
};

static const struct section sections[] = {
	{ FIRST, section_page_len, write_first },
	{ MORE_HEADERS, more_headers_len, write_more_headers },
	{ MEMORY, memory_len, write_memory },
};

const struct dump_layout layout_full = {
	.ly_sections = sections,
	.ly_nsections = sizeof(sections) / sizeof(sections[0]),
	.ly_names = names,
	.ly_size = size,
};
