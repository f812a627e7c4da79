/*
 * Minidump headers: three of real dumps (their figures, byte for byte) and one
 * of each other architecture and version; then every refusal.
 */
#include "format/minidump.h"

#include <string.h>

#include "tests/support/hex.h"
#include "tests/support/unit.h"

/* clang-format off */
static const char amd64_v3[] =
	"@0 'minidump FreeBSD/amd64' "
	"@24 03000000 b87f0100 00100000 00f07f00 " /* version, lengths */
	"@40 0000000000feffff 0000000000f8ffff 0000000000fcffff "
	"@64 00100000";                            /* dump_avail */
static const char amd64_v1[] =
	"@0 'minidump FreeBSD/amd64' "
	"@24 01000000 00800000 00800000 00004000 "
	"@40 00000080ffffffff 0000000000f8ffff 0000000000fcffff "
	"@64 ffffffff";                            /* not read: version 1 */
static const char i386_v2[] =
	"@0 'minidump FreeBSD/i386' "
	"@24 02000000 c87f0100 00100000 00c00e00 "
	"@40 00008000 01000000 00100000";          /* kernbase, PAE, avail */
static const char arm64_v2[] =
	"@0 'minidump FreeBSD/arm64' "
	"@24 02000000 b87f0100 00200000 00e06a00 "
	"@40 000000000000ffff 0000004000000000 "   /* kernbase, dmapphys */
	"@56 0000000000a0ffff 0000000000ffffff "   /* direct map */
	"@72 00100000 01000000";                   /* flags: not in version 2 */
static const char arm64_v3[] =
	"@0 'minidump FreeBSD/arm64' "
	"@24 03000000 01000000 00400000 00800000 "
	"@40 000000000000ffff 0000004000000000 "
	"@56 0000000000a0ffff 0000000000ffffff "
	"@72 10000000 01000000";                   /* flags: 16 KB pages */
static const char riscv_v1[] =
	"@0 'minidump FreeBSD/riscv' "
	"@24 01000000 00100000 08000000 00100000 "
	"@40 000000c0ffffffff 0000008000000000 "
	"@56 000000c0c0ffffff 000000c0d0ffffff";
static const char arm_v2_big[] =
	"@0 'minidump FreeBSD/arm' "
	"@24 00000002 00000040 00000100 00001000 "
	"@40 c0000000 00000007 00000002 00000020"; /* V7, V6 tables, avail */
/* clang-format on */

static const struct good_row {
	const char *name;
	const char *bytes;
	enum byte_order order;
	struct minidump_hdr want;
} good_rows[] = {
	{ "amd64, version 3", amd64_v3, ORDER_LITTLE,
	    { .md_arch = ARCH_AMD64,
		.md_version = 3,
		.md_page_size = 4096,
		.md_msgbuf_len = 0x17fb8,
		.md_dumpavail_len = 0x1000,
		.md_bitmap_len = 0x1000,
		.md_pmap_len = 0x7ff000,
		.md_kernbase = UINT64_C(0xfffffe0000000000),
		.md_dmapbase = UINT64_C(0xfffff80000000000),
		.md_dmapend = UINT64_C(0xfffffc0000000000),
		.md_msgbuf_off = 0x1000,
		.md_dumpavail_off = 0x19000,
		.md_bitmap_off = 0x1a000,
		.md_pmap_off = 0x1b000,
		.md_pages_off = 0x81a000 } },
	{ "amd64, version 1", amd64_v1, ORDER_LITTLE,
	    { .md_arch = ARCH_AMD64,
		.md_version = 1,
		.md_page_size = 4096,
		.md_msgbuf_len = 0x8000,
		.md_bitmap_len = 0x8000,
		.md_pmap_len = 0x400000,
		.md_kernbase = UINT64_C(0xffffffff80000000),
		.md_dmapbase = UINT64_C(0xfffff80000000000),
		.md_dmapend = UINT64_C(0xfffffc0000000000),
		.md_msgbuf_off = 0x1000,
		.md_dumpavail_off = 0x9000,
		.md_bitmap_off = 0x9000,
		.md_pmap_off = 0x11000,
		.md_pages_off = 0x411000 } },
	{ "i386, version 2, PAE", i386_v2, ORDER_LITTLE,
	    { .md_arch = ARCH_I386,
		.md_version = 2,
		.md_page_size = 4096,
		.md_msgbuf_len = 0x17fc8,
		.md_dumpavail_len = 0x1000,
		.md_bitmap_len = 0x1000,
		.md_pmap_len = 0xec000,
		.md_kernbase = 0x800000,
		.md_paemode = 1,
		.md_msgbuf_off = 0x1000,
		.md_dumpavail_off = 0x19000,
		.md_bitmap_off = 0x1a000,
		.md_pmap_off = 0x1b000,
		.md_pages_off = 0x107000 } },
	{ "arm64, version 2", arm64_v2, ORDER_LITTLE,
	    { .md_arch = ARCH_ARM64,
		.md_version = 2,
		.md_page_size = 4096,
		.md_msgbuf_len = 0x17fb8,
		.md_dumpavail_len = 0x1000,
		.md_bitmap_len = 0x2000,
		.md_pmap_len = 0x6ae000,
		.md_kernbase = UINT64_C(0xffff000000000000),
		.md_dmapbase = UINT64_C(0xffffa00000000000),
		.md_dmapend = UINT64_C(0xffffff0000000000),
		.md_dmapphys = 0x40000000,
		.md_msgbuf_off = 0x1000,
		.md_dumpavail_off = 0x19000,
		.md_bitmap_off = 0x1a000,
		.md_pmap_off = 0x1c000,
		.md_pages_off = 0x6ca000 } },
	{ "arm64, version 3, 16 KB pages", arm64_v3, ORDER_LITTLE,
	    { .md_arch = ARCH_ARM64,
		.md_version = 3,
		.md_page_size = 16384,
		.md_msgbuf_len = 1,
		.md_dumpavail_len = 0x10,
		.md_bitmap_len = 0x4000,
		.md_pmap_len = 0x8000,
		.md_kernbase = UINT64_C(0xffff000000000000),
		.md_dmapbase = UINT64_C(0xffffa00000000000),
		.md_dmapend = UINT64_C(0xffffff0000000000),
		.md_dmapphys = 0x40000000,
		.md_msgbuf_off = 0x4000,
		.md_dumpavail_off = 0x8000,
		.md_bitmap_off = 0xc000,
		.md_pmap_off = 0x10000,
		.md_pages_off = 0x18000 } },
	{ "riscv, version 1", riscv_v1, ORDER_LITTLE,
	    { .md_arch = ARCH_RISCV,
		.md_version = 1,
		.md_page_size = 4096,
		.md_msgbuf_len = 0x1000,
		.md_bitmap_len = 8,
		.md_pmap_len = 0x1000,
		.md_kernbase = UINT64_C(0xffffffffc0000000),
		.md_dmapbase = UINT64_C(0xffffffc0c0000000),
		.md_dmapend = UINT64_C(0xffffffd0c0000000),
		.md_dmapphys = UINT64_C(0x80000000),
		.md_msgbuf_off = 0x1000,
		.md_dumpavail_off = 0x2000,
		.md_bitmap_off = 0x2000,
		.md_pmap_off = 0x3000,
		.md_pages_off = 0x4000 } },
	{ "arm, version 2, big-endian", arm_v2_big, ORDER_BIG,
	    { .md_arch = ARCH_ARM,
		.md_order = ORDER_BIG,
		.md_version = 2,
		.md_page_size = 4096,
		.md_msgbuf_len = 0x40,
		.md_dumpavail_len = 0x20,
		.md_bitmap_len = 0x100,
		.md_pmap_len = 0x1000,
		.md_kernbase = UINT64_C(0xc0000000),
		.md_mmuformat = ARM_MMU_V6,
		.md_msgbuf_off = 0x1000,
		.md_dumpavail_off = 0x2000,
		.md_bitmap_off = 0x3000,
		.md_pmap_off = 0x4000,
		.md_pages_off = 0x5000 } },
};

static void
assert_hdr_equal(const struct minidump_hdr *a, const struct minidump_hdr *b)
{
	assert_int_equal(a->md_arch, b->md_arch);
	assert_int_equal(a->md_order, b->md_order);
	assert_int_equal(a->md_version, b->md_version);
	assert_int_equal(a->md_page_size, b->md_page_size);
	assert_int_equal(a->md_msgbuf_len, b->md_msgbuf_len);
	assert_int_equal(a->md_dumpavail_len, b->md_dumpavail_len);
	assert_int_equal(a->md_bitmap_len, b->md_bitmap_len);
	assert_int_equal(a->md_pmap_len, b->md_pmap_len);
	assert_true(a->md_kernbase == b->md_kernbase);
	assert_true(a->md_dmapbase == b->md_dmapbase);
	assert_true(a->md_dmapend == b->md_dmapend);
	assert_true(a->md_dmapphys == b->md_dmapphys);
	assert_int_equal(a->md_paemode, b->md_paemode);
	assert_int_equal(a->md_mmuformat, b->md_mmuformat);
	assert_true(a->md_msgbuf_off == b->md_msgbuf_off);
	assert_true(a->md_dumpavail_off == b->md_dumpavail_off);
	assert_true(a->md_bitmap_off == b->md_bitmap_off);
	assert_true(a->md_pmap_off == b->md_pmap_off);
	assert_true(a->md_pages_off == b->md_pages_off);
}

static void
test_good(void **state)
{
	const struct good_row *row = *state;
	uint8_t page[MINIDUMP_HDR_LEN];
	struct span file = { .base = page, .len = sizeof(page) };
	struct minidump_hdr got;
	const char *why = NULL;

	hex_decode(row->bytes, page, sizeof(page));
	assert_true(minidump_is(file));
	if (!minidump_decode(file, row->order, &got, &why))
		fail_msg("%s", why);
	assert_hdr_equal(&got, &row->want);

	/* Encoded, it is the same header again. */
	memset(page, 0xff, sizeof(page));
	assert_true(minidump_encode(&row->want, page, &why));
	assert_true(minidump_decode(file, row->order, &got, &why));
	assert_hdr_equal(&got, &row->want);
}

/* The encoder writes what a real kernel wrote, to the byte. */
static void
test_encode(void **state)
{
	uint8_t want[MINIDUMP_HDR_LEN];
	uint8_t got[MINIDUMP_HDR_LEN];
	struct minidump_hdr hdr;
	const char *why = NULL;

	(void)state;
	hex_decode(amd64_v3, want, sizeof(want));
	assert_true(minidump_decode((struct span){ want, sizeof(want) },
	    ORDER_LITTLE, &hdr, &why));
	assert_true(minidump_encode(&hdr, got, &why));
	assert_memory_equal(got, want, sizeof(want));
}

static void
test_encode_refuses(void **state)
{
	struct minidump_hdr hdr = { .md_arch = ARCH_AMD64,
		.md_version = 4,
		.md_page_size = 4096,
		.md_bitmap_len = 4096,
		.md_dumpavail_len = 4096 };
	uint8_t page[MINIDUMP_HDR_LEN];
	const char *why = NULL;

	(void)state;
	assert_false(minidump_encode(&hdr, page, &why));
	assert_string_equal(why, "unknown minidump version");
	hdr.md_version = 3;
	hdr.md_bitmap_len = 4;
	assert_false(minidump_encode(&hdr, page, &why));
	hdr.md_bitmap_len = 8;
	assert_true(minidump_encode(&hdr, page, &why));
}

/* Where the pages start when the page tables end inside of a page. */
static const struct layout_row {
	const char *name;
	uint32_t pmap_len;
	uint64_t npages;
	uint64_t file_len;
	uint64_t pages_off; /* 0: no layout fits */
} layout_rows[] = {
	{ "layout: pages directly after the tables", 0x5d800, 3, 0x64800,
	    0x61800 },
	{ "layout: pages at the next page", 0x5d800, 3, 0x65000, 0x62000 },
	{ "layout: no pages at all", 0x5d800, 0, 0x61800, 0x61800 },
	{ "layout: a byte too many", 0x5d800, 3, 0x64801, 0 },
	{ "layout: a byte too few", 0x5d800, 3, 0x647ff, 0 },
	{ "layout: a page more than it has", 0x5d800, 4, 0x64800, 0 },
	{ "layout: tables that fill their pages", 0x5e000, 3, 0x65000,
	    0x62000 },
};

static void
test_layout(void **state)
{
	const struct layout_row *row = *state;
	struct minidump_hdr hdr = { .md_arch = ARCH_ARM,
		.md_page_size = 4096,
		.md_pmap_off = 0x4000,
		.md_pmap_len = row->pmap_len,
		.md_pages_off = 1 };
	bool fits = row->pages_off != 0;

	assert_int_equal(minidump_has_two_layouts(&hdr),
	    row->pmap_len % 4096 != 0);
	assert_int_equal(minidump_choose_layout(&hdr, row->npages,
			     row->file_len),
	    fits);
	assert_true(hdr.md_pages_off == (fits ? row->pages_off : 1));
	hdr.md_arch = ARCH_I386;
	assert_false(minidump_has_two_layouts(&hdr));
}

/* Each is a good header with one change, and is refused for that. */
static const struct bad_row {
	const char *name;
	const char *bytes;
	enum byte_order order;
	const char *change;
	const char *why;
} bad_rows[] = {
	{ "refuses: an unknown architecture", amd64_v3, ORDER_LITTLE,
	    "@17 'vax64'", "known architecture" },
	{ "refuses: text after the magic", amd64_v3, ORDER_LITTLE, "@23 01",
	    "known architecture" },
	{ "refuses: version 0", amd64_v3, ORDER_LITTLE, "@24 00000000",
	    "version" },
	{ "refuses: version 4 of amd64", amd64_v3, ORDER_LITTLE, "@24 04000000",
	    "version" },
	{ "refuses: version 3 of i386", i386_v2, ORDER_LITTLE, "@24 03000000",
	    "version" },
	{ "refuses: the largest version", arm64_v2, ORDER_LITTLE,
	    "@24 ffffffff", "version" },
	{ "refuses: arm in the other byte order", arm_v2_big, ORDER_LITTLE, "",
	    "version" },
	{ "refuses: no bitmap", amd64_v3, ORDER_LITTLE, "@32 00000000",
	    "empty page bitmap" },
	{ "refuses: a bitmap of part of a word", amd64_v3, ORDER_LITTLE,
	    "@32 04100000", "multiple of 8" },
	{ "refuses: version 3 without dump_avail", amd64_v3, ORDER_LITTLE,
	    "@64 00000000", "no dump_avail" },
	{ "refuses: half an entry of dump_avail", amd64_v3, ORDER_LITTLE,
	    "@64 08100000", "multiple of 16" },
	{ "refuses: a kernbase inside of a page", arm64_v2, ORDER_LITTLE,
	    "@40 01", "kernbase" },
	{ "refuses: a kernbase inside of a page of 16 KB", arm64_v3,
	    ORDER_LITTLE, "@41 10", "kernbase" },
	{ "refuses: a kernbase inside of a page of arm", arm_v2_big, ORDER_BIG,
	    "@42 08", "kernbase" },
	{ "refuses: a kernbase inside of a directory entry's 2 MB", amd64_v3,
	    ORDER_LITTLE, "@41 10", "kernbase" },
	{ "refuses: ... in version 2", amd64_v3, ORDER_LITTLE,
	    "@24 02000000 @42 10", "kernbase" },
	{ "refuses: an entry for a page after 4 GB", arm_v2_big, ORDER_BIG,
	    "@40 ffc01000", "past the last address" },
	{ "refuses: an entry for a page after 4 GB, PAE", i386_v2, ORDER_LITTLE,
	    "@40 001080e2", "past the last address" },
	{ "refuses: an entry for a page after 2^64", amd64_v1, ORDER_LITTLE,
	    "@41 10", "past the last address" },
	{ "refuses: a directory entry for 2 MB after 2^64", amd64_v3,
	    ORDER_LITTLE, "@42 2040", "past the last address" },
	{ "refuses: a direct map that ends before it starts", arm64_v2,
	    ORDER_LITTLE, "@70 0000", "direct map" },
	{ "refuses: a direct map that starts inside of a page", amd64_v3,
	    ORDER_LITTLE, "@48 3412", "does not start at a page" },
	{ "refuses: ... of 16 KB", arm64_v3, ORDER_LITTLE, "@57 10",
	    "does not start at a page" },
	{ "refuses: a direct map inside of the kernel map", amd64_v3,
	    ORDER_LITTLE, "@48 00100400 00feffff @56 00001000 00feffff",
	    "overlaps" },
	{ "refuses: a direct map over the kernel map's first byte", arm64_v2,
	    ORDER_LITTLE, "@64 01000000 0000ffff @56 00000000 0000feff",
	    "overlaps" },
	{ "refuses: a direct map over the kernel map's last page", riscv_v1,
	    ORDER_LITTLE, "@56 00f01fc0 ffffffff @64 ffffffff ffffffff",
	    "overlaps" },
	{ "refuses: a direct map over the last page of 16 KB", arm64_v3,
	    ORDER_LITTLE, "@56 00c0ff03 0000ffff @64 00000004 0000ffff",
	    "overlaps" },
	{ "refuses: a direct map over the last entry's 2 MB", amd64_v3,
	    ORDER_LITTLE,
	    "@36 08000000 @48 00f01f00 00feffff "
	    "@56 00002000 00feffff",
	    "overlaps" },
	{ "refuses: 64 KB pages", arm64_v3, ORDER_LITTLE, "@76 02",
	    "page size" },
	{ "refuses: LPAE tables", arm_v2_big, ORDER_BIG, "@48 00000003",
	    "LPAE" },
	{ "refuses: unknown tables of arm", arm_v2_big, ORDER_BIG,
	    "@48 00000004", "format of page tables" },
};

static bool
decode_changed(const char *bytes, const char *change, enum byte_order order,
    const char **why)
{
	uint8_t page[MINIDUMP_HDR_LEN];
	struct minidump_hdr got;

	hex_decode(bytes, page, sizeof(page));
	hex_patch(change, page, sizeof(page));
	return (minidump_decode((struct span){ page, sizeof(page) }, order,
	    &got, why));
}

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	const char *why = NULL;

	assert_false(decode_changed(row->bytes, row->change, row->order, &why));
	assert_non_null(why);
	if (strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
}

/* What is as close to a refusal as can be, and good. */
static const struct edge_row {
	const char *name;
	const char *bytes;
	const char *change;
} edge_rows[] = {
	{ "takes: a kernbase at a page, entries for pages", amd64_v1,
	    "@38 3f @41 10" },
	{ "takes: a kernbase at a directory entry's 2 MB", amd64_v3, "@42 20" },
	{ "takes: page tables up to 4 GB", i386_v2, "@40 000080e2" },
	{ "takes: a directory up to 2^64", amd64_v3, "@43 40" },
	{ "takes: a direct map up to the kernel map", arm64_v2,
	    "@64 00000000 0000ffff @56 00000000 0000feff" },
	{ "takes: a direct map from the kernel map's end on", riscv_v1,
	    "@56 000020c0 ffffffff @64 00002fc0 ffffffff" },
	{ "takes: a kernel map up to the top, a direct map at 0", amd64_v1,
	    "@48 00000000 00000000 @56 00000001 00000000" },
	{ "takes: an empty direct map inside of the kernel map", amd64_v3,
	    "@48 00100400 00feffff @56 00100400 00feffff" },
	{ "takes: a direct map over a kernel map without entries", arm64_v2,
	    "@36 00000000 @64 01000000 0000ffff @56 00000000 0000feff" },
	{ "takes: a direct map whose end is its last byte", riscv_v1,
	    "@64 ffffffff dfffffff" },
};

static void
test_edge(void **state)
{
	const struct edge_row *row = *state;
	const char *why = NULL;

	if (!decode_changed(row->bytes, row->change, ORDER_LITTLE, &why))
		fail_msg("refused: %s", why);
}

/* A header that is cut short is refused, however long what is left is. */
static void
test_short(void **state)
{
	uint8_t page[MINIDUMP_HDR_LEN];
	struct minidump_hdr got;
	const char *why = NULL;

	(void)state;
	hex_decode(amd64_v3, page, sizeof(page));
	for (size_t len = 0; len < sizeof(page); len++) {
		struct span file = { .base = page, .len = len };

		assert_int_equal(minidump_is(file), len >= 8);
		assert_false(minidump_decode(file, ORDER_LITTLE, &got, &why));
		assert_non_null(why);
	}
}

static void
test_map_level(void **state)
{
	struct minidump_hdr hdr = { .md_arch = ARCH_AMD64, .md_version = 1 };

	(void)state;
	assert_int_equal(minidump_map_level(&hdr), 0);
	hdr.md_version = 2;
	assert_int_equal(minidump_map_level(&hdr), 1);
	hdr.md_arch = ARCH_ARM64;
	assert_int_equal(minidump_map_level(&hdr), 0);
}

static const struct paging_row {
	const char *name;
	struct minidump_hdr hdr;
	const struct paging *paging;
} paging_rows[] = {
	{ "tables of amd64", { .md_arch = ARCH_AMD64 }, &paging_amd64 },
	{ "tables of arm, V6",
	    { .md_arch = ARCH_ARM, .md_mmuformat = ARM_MMU_V6 }, &paging_arm },
	{ "tables of arm, V4",
	    { .md_arch = ARCH_ARM, .md_mmuformat = ARM_MMU_V4 },
	    &paging_arm_v4 },
	{ "tables of arm64, 4 KB",
	    { .md_arch = ARCH_ARM64, .md_page_size = 4096 }, &paging_arm64_4k },
	{ "tables of arm64, 16 KB",
	    { .md_arch = ARCH_ARM64, .md_page_size = 16384 },
	    &paging_arm64_16k },
	{ "tables of i386", { .md_arch = ARCH_I386 }, &paging_i386 },
	{ "tables of i386, PAE", { .md_arch = ARCH_I386, .md_paemode = 1 },
	    &paging_i386_pae },
	{ "tables of riscv64", { .md_arch = ARCH_RISCV }, &paging_riscv },
};

static void
test_paging(void **state)
{
	const struct paging_row *row = *state;

	assert_ptr_equal(minidump_paging(&row->hdr), row->paging);
}

int
main(void)
{
	struct CMUnitTest tests[80];
	size_t n = 0;

	ADD_ROWS(tests, n, good_rows, test_good);
	ADD_ROWS(tests, n, layout_rows, test_layout);
	ADD_ROWS(tests, n, bad_rows, test_bad);
	ADD_ROWS(tests, n, edge_rows, test_edge);
	ADD_ROWS(tests, n, paging_rows, test_paging);
	tests[n++] = row_test("refuses: cut short anywhere", test_short, NULL);
	tests[n++] = row_test("encodes as a kernel does", test_encode, NULL);
	tests[n++] =
	    row_test("encodes nothing wrong", test_encode_refuses, NULL);
	tests[n++] = row_test("levels of the entries", test_map_level, NULL);
	return (RUN_TESTS(tests, n));
}
