/* Page-table entries of every machine, at every level that has them. */
#include "format/paging_amd64.h"

#include "tests/support/unit.h"

#define R   PTE_READ
#define RW  (PTE_READ | PTE_WRITE)
#define RX  (PTE_READ | PTE_EXECUTE)
#define RWX (PTE_READ | PTE_WRITE | PTE_EXECUTE)

static const struct pte_row {
	const char *name;
	const struct paging *paging;
	uint64_t entry;
	unsigned int level;
	struct pte want;
} pte_rows[] = {
	{ "amd64: nothing", &paging_amd64, 0, 0, { 0, PTE_NONE, 0, 0 } },
	{ "amd64: not valid, all other bits set", &paging_amd64, ~UINT64_C(1),
	    0, { 0, PTE_NONE, 0, 0 } },
	{ "amd64: 4 KB, writable, no-execute, software bits", &paging_amd64,
	    UINT64_C(0xfff0123456789e63), 0,
	    { UINT64_C(0x0123456789000), PTE_PAGE, 12, RW } },
	{ "amd64: 4 KB, read-only, bit 7 is PAT", &paging_amd64,
	    UINT64_C(0x00000000feed0081), 0, { 0xfeed0000, PTE_PAGE, 12, RX } },
	{ "amd64: 2 MB, bit 12 is PAT, bits 54 and 63 set", &paging_amd64,
	    UINT64_C(0x80400000076010e3), 1, { 0x7600000, PTE_PAGE, 21, RW } },
	{ "amd64: 1 GB", &paging_amd64, UINT64_C(0x00000001400000e3), 2,
	    { UINT64_C(0x140000000), PTE_PAGE, 30, RWX } },
	{ "amd64: a table at each level above", &paging_amd64,
	    UINT64_C(0x8000000007fde067), 3, { 0x7fde000, PTE_TABLE, 0, 0 } },
	{ "i386: 4 KB", &paging_i386, 0x01234003, 0,
	    { 0x1234000, PTE_PAGE, 12, RWX } },
	{ "i386: 4 MB, read-only", &paging_i386, 0xffc00081, 1,
	    { 0xffc00000, PTE_PAGE, 22, RX } },
	{ "i386: a table", &paging_i386, 0x00abc067, 1,
	    { 0xabc000, PTE_TABLE, 0, 0 } },
	{ "i386 PAE: 4 KB above 4 GB, no-execute", &paging_i386_pae,
	    UINT64_C(0x8000000123456003), 0,
	    { UINT64_C(0x123456000), PTE_PAGE, 12, RW } },
	{ "i386 PAE: 2 MB", &paging_i386_pae, 0x7e000e3, 1,
	    { 0x7e00000, PTE_PAGE, 21, RWX } },
	{ "i386 PAE: no 1 GB pages", &paging_i386_pae, 0x400000e1, 2,
	    { 0x40000000, PTE_TABLE, 0, 0 } },
	{ "arm64: a page, read-only, no-execute", &paging_arm64_4k,
	    UINT64_C(0x0060000012345783), 0, { 0x12345000, PTE_PAGE, 12, R } },
	{ "arm64: a page, software bits at the top", &paging_arm64_4k,
	    UINT64_C(0xff80000012345703), 0,
	    { 0x12345000, PTE_PAGE, 12, RWX } },
	{ "arm64: a block's mark at the last level", &paging_arm64_4k,
	    0x12345701, 0, { 0, PTE_NONE, 0, 0 } },
	{ "arm64: 2 MB", &paging_arm64_4k, 0x40200701, 1,
	    { 0x40200000, PTE_PAGE, 21, RWX } },
	{ "arm64: 1 GB", &paging_arm64_4k, 0x40000701, 2,
	    { 0x40000000, PTE_PAGE, 30, RWX } },
	{ "arm64: no 512 GB blocks", &paging_arm64_4k, 0x40000701, 3,
	    { 0, PTE_NONE, 0, 0 } },
	{ "arm64: a table", &paging_arm64_4k, 0x40001003, 3,
	    { 0x40001000, PTE_TABLE, 0, 0 } },
	{ "arm64, 16 KB: a page", &paging_arm64_16k, 0x12344703, 0,
	    { 0x12344000, PTE_PAGE, 14, RWX } },
	{ "arm64, 16 KB: 32 MB", &paging_arm64_16k, 0x42000701, 1,
	    { 0x42000000, PTE_PAGE, 25, RWX } },
	{ "arm64, 16 KB: no larger blocks", &paging_arm64_16k, 0x42000701, 2,
	    { 0, PTE_NONE, 0, 0 } },
	{ "riscv: a page; PBMT and N are not its address", &paging_riscv,
	    UINT64_C(0xffc0000020000407) | 0xc0, 0,
	    { 0x80001000, PTE_PAGE, 12, RW } },
	{ "riscv: valid, but no permission", &paging_riscv, 0x20000401, 0,
	    { 0, PTE_NONE, 0, 0 } },
	{ "riscv: permissions, but not valid", &paging_riscv, 0x2000040e, 0,
	    { 0, PTE_NONE, 0, 0 } },
	{ "riscv: execute only", &paging_riscv, 0x20000409, 0,
	    { 0x80001000, PTE_PAGE, 12, PTE_EXECUTE } },
	{ "arm: 4 KB, writable", &paging_arm, 0x8020044e, 0,
	    { 0x80200000, PTE_PAGE, 12, RWX } },
	{ "arm: 4 KB, read-only, no-execute", &paging_arm, 0x802000cf, 0,
	    { 0x80200000, PTE_PAGE, 12, R } },
	{ "arm: 64 KB", &paging_arm, 0x80210401, 0,
	    { 0x80210000, PTE_PAGE, 16, RWX } },
	{ "arm: nothing", &paging_arm, 0x80200000, 0, { 0, PTE_NONE, 0, 0 } },
	{ "arm V4: tiny pages are not known", &paging_arm_v4, 0x80200003, 0,
	    { 0, PTE_NONE, 0, 0 } },
};

static void
test_pte(void **state)
{
	const struct pte_row *row = *state;
	struct pte got = row->paging->pg_decode(row->entry, row->level);

	assert_int_equal(got.pte_kind, row->want.pte_kind);
	if (got.pte_kind == PTE_NONE)
		return;
	assert_true(got.pte_pa == row->want.pte_pa);
	if (got.pte_kind == PTE_PAGE) {
		assert_int_equal(got.pte_shift, row->want.pte_shift);
		assert_int_equal(got.pte_prot, row->want.pte_prot);
	}
}

static const struct index_row {
	const char *name;
	const struct paging *paging;
	uint64_t va;
	unsigned int level;
	uint64_t want;
} index_rows[] = {
	{ "amd64: index into the root", &paging_amd64,
	    UINT64_C(0xffffffff80c09ade), 3, 511 },
	{ "amd64: index into the last level", &paging_amd64,
	    UINT64_C(0xffffffff80c09ade), 0, 9 },
	{ "i386: index into the root", &paging_i386, 0xc0c01000, 1, 771 },
	{ "i386 PAE: index into the root", &paging_i386_pae, 0xc0c01000, 2, 3 },
	{ "arm64, 16 KB: index into the last level", &paging_arm64_16k,
	    UINT64_C(0xffff000002008000), 0, 2 },
};

static void
test_index(void **state)
{
	const struct index_row *row = *state;

	assert_int_equal(paging_index(row->paging, row->level, row->va),
	    row->want);
}

static const struct reserved_row {
	const char *name;
	uint64_t entry;
	unsigned int level;
	uint64_t want; /* the bits that must be 0, of a CPU with 40 */
} reserved_rows[] = {
	{ "amd64: nothing reserved in 4 KB", UINT64_C(0xfff000fffffff0ff), 0,
	    0 },
	{ "amd64: frame bits that the CPU lacks", UINT64_C(0x000ff10000001001),
	    0, UINT64_C(0x000ff10000000000) },
	{ "amd64: 2 MB, PAT is not reserved", 0x2010e3, 1, 0 },
	{ "amd64: 2 MB, low bits of the frame", 0x3fe0e3, 1, 0x1fe000 },
	{ "amd64: low bits of a table's frame are not", 0x3ff063, 1, 0 },
	{ "amd64: 1 GB, low bits of the frame", 0x402000e3, 2, 0x200000 },
	{ "amd64: PS in the root", 0x10e3, 3, 0x80 },
};

static void
test_reserved(void **state)
{
	const struct reserved_row *row = *state;

	assert_true(amd64_pte_reserved(row->entry, row->level, 40) ==
	    row->want);
}

static void
test_entry(void **state)
{
	static const uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	assert_true(paging_entry(&paging_amd64, ORDER_LITTLE, bytes) ==
	    UINT64_C(0x0807060504030201));
	assert_int_equal(paging_entry(&paging_arm, ORDER_BIG, bytes),
	    0x01020304);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	ADD_ROWS(tests, n, pte_rows, test_pte);
	ADD_ROWS(tests, n, index_rows, test_index);
	ADD_ROWS(tests, n, reserved_rows, test_reserved);
	tests[n++] = row_test("entries in either byte order", test_entry, NULL);
	return (RUN_TESTS(tests, n));
}
