/*
 * Minidump headers.  A table has the offsets of each architecture's fields;
 * everything else is the same for all.
 */
#include "format/minidump.h"

#include <string.h>

#define MAGIC_LEN      24 /* at the start */
#define FIELD_VERSION  24
#define FIELD_MSGBUF   28
#define FIELD_BITMAP   32
#define FIELD_PMAP     36
#define FIELD_KERNBASE 40

/* The page size is in bits 0-1 of arm64's flags, version 3 and later. */
#define ARM64_FLAG_PS_MASK 3
#define ARM64_FLAG_PS_4K   0
#define ARM64_FLAG_PS_16K  1

/* A machine's minidumps. */
struct minidump_arch {
	char magic[MAGIC_LEN];	/* filled with NULs: no other name matches */
	uint32_t newest;	/* latest version known */
	uint32_t dumpavail_min; /* first version with dump_avail */
	uint32_t directory_min; /* and with tables that are not flat; 0: none */
	bool unpadded_pmap;	/* see minidump_has_two_layouts() */

	/* Offsets into the header; 0: there is no such field. */
	uint8_t dmapphys, dmapbase, dmapend;
	uint8_t paemode, mmuformat, flags;
	uint8_t dumpavail;

	/* The form of its page tables, and another if is_other says so. */
	const struct paging *paging;
	const struct paging *other_paging;
	bool (*is_other)(const struct minidump_hdr *hdr);
};

static bool
is_arm_v4(const struct minidump_hdr *hdr)
{
	return (hdr->md_mmuformat == ARM_MMU_V4);
}

static bool
is_arm64_16k(const struct minidump_hdr *hdr)
{
	return (hdr->md_page_size == 16384);
}

static bool
is_i386_pae(const struct minidump_hdr *hdr)
{
	return (hdr->md_paemode != 0);
}

/* Source: sys/<arch>/include/minidump.h of FreeBSD. */
static const struct minidump_arch arches[ARCH_COUNT] = {
	[ARCH_AMD64] = { .magic = "minidump FreeBSD/amd64",
	    .newest = 3,
	    .dumpavail_min = 3,
	    .dmapbase = 48,
	    .dmapend = 56,
	    .dumpavail = 64,
	    .directory_min = 2,
	    .paging = &paging_amd64 },
	[ARCH_ARM] = { .magic = "minidump FreeBSD/arm",
	    .newest = 2,
	    .dumpavail_min = 2,
	    .mmuformat = 48,
	    .dumpavail = 52,
	    .unpadded_pmap = true,
	    .paging = &paging_arm,
	    .other_paging = &paging_arm_v4,
	    .is_other = is_arm_v4 },
	[ARCH_ARM64] = { .magic = "minidump FreeBSD/arm64",
	    .newest = 3,
	    .dumpavail_min = 2,
	    .dmapphys = 48,
	    .dmapbase = 56,
	    .dmapend = 64,
	    .dumpavail = 72,
	    .flags = 76,
	    .paging = &paging_arm64_4k,
	    .other_paging = &paging_arm64_16k,
	    .is_other = is_arm64_16k },
	[ARCH_I386] = { .magic = "minidump FreeBSD/i386",
	    .newest = 2,
	    .dumpavail_min = 2,
	    .paemode = 44,
	    .dumpavail = 48,
	    .paging = &paging_i386,
	    .other_paging = &paging_i386_pae,
	    .is_other = is_i386_pae },
	[ARCH_RISCV] = { .magic = "minidump FreeBSD/riscv",
	    .newest = 2,
	    .dumpavail_min = 2,
	    .dmapphys = 48,
	    .dmapbase = 56,
	    .dmapend = 64,
	    .dumpavail = 72,
	    .paging = &paging_riscv },
};

const char *const minidump_section_names[MINIDUMP_NSECTIONS] = {
	[MINIDUMP_HEADER] = "header",
	[MINIDUMP_MSGBUF] = "message buffer",
	[MINIDUMP_AVAIL] = "dump_avail",
	[MINIDUMP_BITMAP] = "page bitmap",
	[MINIDUMP_MAP] = "page tables",
	[MINIDUMP_PAGES] = "pages",
	[MINIDUMP_OWNERS] = "page owners",
};

/* A field that may not exist: then it is 0. */
static uint32_t
field32(const struct minidump_hdr *hdr, const uint8_t *p, uint8_t off)
{
	return (off == 0 ? 0 : dec32(hdr->md_order, p + off));
}

/* An address field is as long as the machine's pointers. */
static bool
has_long_addrs(const struct minidump_hdr *hdr)
{
	return (arch_facts(hdr->md_arch)->af_ptr_len == 8);
}

static uint64_t
field_addr(const struct minidump_hdr *hdr, const uint8_t *p, uint8_t off)
{
	if (off == 0)
		return (0);
	return (has_long_addrs(hdr) ? dec64(hdr->md_order, p + off) :
				      dec32(hdr->md_order, p + off));
}

static bool
decode_page_size(const struct minidump_arch *ma, const uint8_t *p,
    struct minidump_hdr *hdr)
{
	uint32_t flags = hdr->md_version >= 3 ? field32(hdr, p, ma->flags) : 0;

	switch (flags & ARM64_FLAG_PS_MASK) {
	case ARM64_FLAG_PS_4K:
		hdr->md_page_size = 4096;
		return (true);
	case ARM64_FLAG_PS_16K:
		hdr->md_page_size = 16384;
		return (true);
	default:
		return (false);
	}
}

bool
minidump_has_two_layouts(const struct minidump_hdr *hdr)
{
	return (arches[hdr->md_arch].unpadded_pmap &&
	    hdr->md_pmap_len % hdr->md_page_size != 0);
}

/* No sum here can wrap: each length has 32 bits. */
void
minidump_place(struct minidump_hdr *hdr)
{
	uint64_t align = hdr->md_page_size;
	uint64_t off = align;
	struct {
		uint64_t *off;
		uint64_t len;
	} sections[] = {
		{ &hdr->md_msgbuf_off, hdr->md_msgbuf_len },
		{ &hdr->md_dumpavail_off, hdr->md_dumpavail_len },
		{ &hdr->md_bitmap_off, hdr->md_bitmap_len },
		{ &hdr->md_pmap_off, hdr->md_pmap_len },
		{ &hdr->md_pages_off, 0 },
	};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		*sections[i].off = off;
		off += (sections[i].len + align - 1) & ~(align - 1);
	}
	if (minidump_has_two_layouts(hdr))
		hdr->md_pages_off = hdr->md_pmap_off + hdr->md_pmap_len;
}

/* log2 of the bytes of addresses that an entry of the page tables maps. */
static unsigned int
entry_shift(const struct minidump_hdr *hdr)
{
	return (minidump_paging(hdr)->pg_level[minidump_map_level(hdr)].shift);
}

static uint64_t
count_entries(const struct minidump_hdr *hdr)
{
	return (hdr->md_pmap_len / minidump_paging(hdr)->pg_entry_len);
}

/* Do the page tables have entries for more addresses than the machine has? */
static bool
exceeds_addresses(const struct minidump_hdr *hdr)
{
	uint64_t above = minidump_paging(hdr)->pg_va_last - hdr->md_kernbase;

	return (count_entries(hdr) > (above >> entry_shift(hdr)) + 1);
}

/* Has an address of the direct map an entry in the page tables, too? */
static bool
maps_overlap(const struct minidump_hdr *hdr)
{
	uint64_t nentries = count_entries(hdr);

	if (hdr->md_dmapbase == hdr->md_dmapend || nentries == 0)
		return (false);
	if (hdr->md_dmapbase < hdr->md_kernbase)
		return (hdr->md_dmapend > hdr->md_kernbase);
	return ((hdr->md_dmapbase - hdr->md_kernbase) >> entry_shift(hdr) <
	    nentries);
}

static const char *
check(const struct minidump_arch *ma, const struct minidump_hdr *hdr)
{
	if (hdr->md_bitmap_len == 0)
		return ("empty page bitmap");
	if (hdr->md_bitmap_len % 8 != 0)
		return ("length of the page bitmap is not a multiple of 8");
	if (hdr->md_version >= ma->dumpavail_min && hdr->md_dumpavail_len == 0)
		return ("no dump_avail section");
	if (hdr->md_dumpavail_len % 16 != 0)
		return ("length of dump_avail is not a multiple of 16");
	/* The low bits of an address are its place in what an entry maps. */
	if (hdr->md_kernbase % (UINT64_C(1) << entry_shift(hdr)) != 0)
		return ("kernbase is inside of what one page-table entry maps");
	if (exceeds_addresses(hdr))
		return ("page tables reach past the last address");
	if (hdr->md_dmapend < hdr->md_dmapbase)
		return ("direct map ends before it starts");
	if (hdr->md_dmapbase % hdr->md_page_size != 0)
		return ("direct map does not start at a page");
	if (maps_overlap(hdr))
		return ("direct map overlaps the kernel map");
	if (hdr->md_mmuformat == ARM_MMU_V6_LPAE)
		return ("LPAE page tables are not supported");
	if (hdr->md_mmuformat > ARM_MMU_V6_LPAE)
		return ("unknown format of page tables");
	return (NULL);
}

bool
minidump_is(struct span file)
{
	return (file.len >= MINIDUMP_PREFIX_LEN &&
	    memcmp(file.base, MINIDUMP_PREFIX, MINIDUMP_PREFIX_LEN) == 0);
}

bool
minidump_find_arch(struct span file, enum dump_arch *arch)
{
	if (file.len < MAGIC_LEN)
		return (false);
	for (size_t i = 0; i < ARCH_COUNT; i++) {
		if (memcmp(file.base, arches[i].magic, MAGIC_LEN) == 0) {
			*arch = (enum dump_arch)i;
			return (true);
		}
	}
	return (false);
}

/* What cannot be is as if it were not said: a dump does not need it. */
static void
decode_owners(const uint8_t *p, struct minidump_hdr *hdr)
{
	struct owners_hdr found;

	if (owners_decode(p + OWNERS_HDR_OFF, hdr->md_order, &found) &&
	    found.oh_len == (uint64_t)hdr->md_bitmap_len * OWNERS_PER_BITMAP &&
	    found.oh_off >= hdr->md_pages_off &&
	    found.oh_off % hdr->md_page_size == 0)
		hdr->md_owners = found;
}

bool
minidump_decode(struct span file, enum byte_order order,
    struct minidump_hdr *out, const char **why)
{
	struct minidump_hdr hdr = { .md_order = order };
	const uint8_t *p = file.base;
	const struct minidump_arch *ma;

	if (!minidump_find_arch(file, &hdr.md_arch)) {
		*why = "not a minidump of a known architecture";
		return (false);
	}
	if (file.len < MINIDUMP_HDR_LEN) {
		*why = "shorter than a header page";
		return (false);
	}
	ma = &arches[hdr.md_arch];
	hdr.md_version = field32(&hdr, p, FIELD_VERSION);
	if (hdr.md_version < 1 || hdr.md_version > ma->newest) {
		*why = "unknown minidump version";
		return (false);
	}
	if (!decode_page_size(ma, p, &hdr)) {
		*why = "unknown page size";
		return (false);
	}
	hdr.md_msgbuf_len = field32(&hdr, p, FIELD_MSGBUF);
	hdr.md_bitmap_len = field32(&hdr, p, FIELD_BITMAP);
	hdr.md_pmap_len = field32(&hdr, p, FIELD_PMAP);
	hdr.md_kernbase = field_addr(&hdr, p, FIELD_KERNBASE);
	hdr.md_dmapphys = field_addr(&hdr, p, ma->dmapphys);
	hdr.md_dmapbase = field_addr(&hdr, p, ma->dmapbase);
	hdr.md_dmapend = field_addr(&hdr, p, ma->dmapend);
	hdr.md_paemode = field32(&hdr, p, ma->paemode);
	hdr.md_mmuformat = field32(&hdr, p, ma->mmuformat);
	if (hdr.md_version >= ma->dumpavail_min)
		hdr.md_dumpavail_len = field32(&hdr, p, ma->dumpavail);
	if ((*why = check(ma, &hdr)) != NULL)
		return (false);
	minidump_place(&hdr);
	decode_owners(p, &hdr);
	*out = hdr;
	return (true);
}

/* A field that may not exist. */
static void
put_addr(const struct minidump_hdr *hdr, uint8_t *p, uint8_t off, uint64_t v)
{
	if (off == 0)
		return;
	if (has_long_addrs(hdr))
		enc64(hdr->md_order, p + off, v);
	else
		enc32(hdr->md_order, p + off, (uint32_t)v);
}

static void
put32(const struct minidump_hdr *hdr, uint8_t *p, uint8_t off, uint32_t v)
{
	if (off != 0)
		enc32(hdr->md_order, p + off, v);
}

bool
minidump_encode(const struct minidump_hdr *hdr, uint8_t page[MINIDUMP_HDR_LEN],
    const char **why)
{
	const struct minidump_arch *ma = &arches[hdr->md_arch];

	if (hdr->md_version < 1 || hdr->md_version > ma->newest) {
		*why = "unknown minidump version";
		return (false);
	}
	if ((*why = check(ma, hdr)) != NULL)
		return (false);
	memset(page, 0, MINIDUMP_HDR_LEN);
	memcpy(page, ma->magic, MAGIC_LEN);
	put32(hdr, page, FIELD_VERSION, hdr->md_version);
	put32(hdr, page, FIELD_MSGBUF, hdr->md_msgbuf_len);
	put32(hdr, page, FIELD_BITMAP, hdr->md_bitmap_len);
	put32(hdr, page, FIELD_PMAP, hdr->md_pmap_len);
	put_addr(hdr, page, FIELD_KERNBASE, hdr->md_kernbase);
	put_addr(hdr, page, ma->dmapphys, hdr->md_dmapphys);
	put_addr(hdr, page, ma->dmapbase, hdr->md_dmapbase);
	put_addr(hdr, page, ma->dmapend, hdr->md_dmapend);
	put32(hdr, page, ma->paemode, hdr->md_paemode);
	put32(hdr, page, ma->mmuformat, hdr->md_mmuformat);
	if (hdr->md_version >= ma->dumpavail_min)
		put32(hdr, page, ma->dumpavail, hdr->md_dumpavail_len);
	if (hdr->md_version >= 3 && hdr->md_page_size == 16384)
		put32(hdr, page, ma->flags, ARM64_FLAG_PS_16K);
	if (hdr->md_owners.oh_len != 0)
		owners_encode(&hdr->md_owners, hdr->md_order,
		    page + OWNERS_HDR_OFF);
	return (true);
}

bool
minidump_choose_layout(struct minidump_hdr *hdr, uint64_t npages,
    uint64_t file_len)
{
	uint64_t exact = hdr->md_pmap_off + hdr->md_pmap_len;
	uint64_t align = hdr->md_page_size;
	uint64_t starts[] = { exact, (exact + align - 1) & ~(align - 1) };

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (starts[i] + npages * align != file_len)
			continue;
		hdr->md_pages_off = starts[i];
		return (true);
	}
	return (false);
}

unsigned int
minidump_map_level(const struct minidump_hdr *hdr)
{
	uint32_t directory_min = arches[hdr->md_arch].directory_min;

	return (directory_min == 0 || hdr->md_version < directory_min ? 0 : 1);
}

const struct paging *
minidump_paging(const struct minidump_hdr *hdr)
{
	const struct minidump_arch *ma = &arches[hdr->md_arch];

	return (ma->is_other != NULL && ma->is_other(hdr) ? ma->other_paging :
							    ma->paging);
}
