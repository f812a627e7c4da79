/* The CPUs that ACPI tables list; tables made by hand in a small memory. */
#include <string.h>

#include "format/bytes.h"
#include "kernel/amd64/acpi.h"
#include "tests/support/hex.h"
#include "tests/support/unit.h"

#define MEMORY_LEN 0x4000
#define RSDP_PA	   0x1000
#define RSDT_PA	   0x1800
#define XSDT_PA	   0x2000
#define MADT_PA	   0x3f80 /* up to the end of memory */

/* The end of memory. */
static uint8_t memory[MEMORY_LEN];

static bool
read_memory(void *dst, uint64_t pa, size_t len)
{
	if (pa > MEMORY_LEN || len > MEMORY_LEN - pa)
		return (false);
	memcpy(dst, &memory[pa], len);
	return (true);
}

/* Tables with three CPUs: 0 and 7, and 5 which is not enabled. */
static const char rsdp_text[] = "'RSD PTR ' @15 02 00180000 24000000 "
				"@24 0020000000000000";
static const char rsdt_text[] = "'RSDT' 2c000000 @36 00100000 803f0000";
static const char xsdt_text[] = "'XSDT' 34000000 @36 0018000000000000 "
				"803f000000000000";
static const char madt_text[] = "'APIC' 44000000 @44 00080000 01000000 "
				"00080105 00000000 00080207 01000000";

static void
fix_sum(uint8_t *table, size_t len, size_t sum_off)
{
	uint8_t sum = 0;

	table[sum_off] = 0;
	for (size_t i = 0; i < len; i++)
		sum += table[i];
	table[sum_off] = (uint8_t)-sum;
}

static void
fix_table(uint64_t pa)
{
	uint32_t len = le32dec(&memory[pa + 4]);

	if (len >= 10 && len <= MEMORY_LEN - pa)
		fix_sum(&memory[pa], len, 9);
}

static void
make_tables(void)
{
	hex_decode("", memory, MEMORY_LEN);
	hex_patch(rsdp_text, &memory[RSDP_PA], 36);
	hex_patch(rsdt_text, &memory[RSDT_PA], 0x100);
	hex_patch(xsdt_text, &memory[XSDT_PA], 0x100);
	hex_patch(madt_text, &memory[MADT_PA], MEMORY_LEN - MADT_PA);
}

static void
fix_sums(void)
{
	fix_sum(&memory[RSDP_PA], 20, 8);
	fix_sum(&memory[RSDP_PA], 36, 32);
	fix_table(RSDT_PA);
	fix_table(XSDT_PA);
	fix_table(MADT_PA);
}

/* A change of the tables, and the CPUs that are then found. */
enum { SUMS_RIGHT, SUMS_OLD };
static const struct row {
	const char *name;
	uint64_t pa;
	const char *change;
	int sums;
	size_t ncpus;
	uint32_t cpus[4];
} rows[] = {
	{ "two CPUs", MADT_PA, "", SUMS_RIGHT, 2, { 0, 7 } },
	{ "by the old root", RSDP_PA, "@15 00", SUMS_RIGHT, 2, { 0, 7 } },
	{ "by the old root, the new one is damaged", XSDT_PA, "@40 01",
	    SUMS_OLD, 2, { 0, 7 } },
	{ "x2APIC entries", MADT_PA,
	    "@4 4c @44 09100000 2c010000 01000000 00000000 "
	    "0910000003000000 01000000 00000000",
	    SUMS_RIGHT, 2, { 300, 3 } },
	{ "an x2APIC entry that is not enabled", MADT_PA,
	    "@4 4c @44 09100000 2c010000 00000000 00000000 "
	    "0910000003000000 01000000 00000000",
	    SUMS_RIGHT, 1, { 3 } },
	{ "a CPU in entries of both kinds", MADT_PA,
	    "@4 54 @52 09100000 00000000 01000000 00000000 "
	    "0910000003000000 01000000 00000000",
	    SUMS_RIGHT, 2, { 0, 3 } },
	{ "other entries between", MADT_PA, "@52 0208ffff 01000000", SUMS_RIGHT,
	    2, { 0, 7 } },
	{ "an entry of another length", MADT_PA, "@44 0009", SUMS_RIGHT, 0,
	    { 0 } },
	{ "an entry of no length ends them", MADT_PA, "@52 0000", SUMS_RIGHT, 1,
	    { 0 } },
	{ "an entry that leaves the table ends them", MADT_PA, "@4 43",
	    SUMS_RIGHT, 1, { 0 } },
	{ "an x2APIC entry that leaves the table", MADT_PA,
	    "@4 4b @60 09100000 05000000 01000000", SUMS_RIGHT, 1, { 0 } },
	{ "a table without entries", MADT_PA, "@4 2c", SUMS_RIGHT, 0, { 0 } },
	{ "a table shorter than its header", MADT_PA, "@4 08", SUMS_RIGHT, 0,
	    { 0 } },
	{ "a table that ends past memory", MADT_PA, "@4 00100000", SUMS_RIGHT,
	    0, { 0 } },
	{ "a table without end", MADT_PA, "@4 ffffffff", SUMS_RIGHT, 0, { 0 } },
	{ "a damaged table", MADT_PA, "@63 06", SUMS_OLD, 0, { 0 } },
	{ "another table", MADT_PA, "'APID'", SUMS_RIGHT, 0, { 0 } },
	{ "a root without end", XSDT_PA, "@4 ffffffff", SUMS_RIGHT, 2,
	    { 0, 7 } },
	{ "a root of nothing", XSDT_PA, "@4 24", SUMS_RIGHT, 0, { 0 } },
	{ "a root that leads nowhere", XSDT_PA, "@44 ffffffffffffffff",
	    SUMS_RIGHT, 0, { 0 } },
	{ "a damaged pointer to the root", RSDP_PA, "@9 01", SUMS_OLD, 0,
	    { 0 } },
	{ "a pointer to the root with another name", RSDP_PA, "'RSD PTR_'",
	    SUMS_RIGHT, 0, { 0 } },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	uint32_t ids[4];
	size_t n;

	make_tables();
	if (row->sums == SUMS_OLD)
		fix_sums();
	hex_patch(row->change, &memory[row->pa], MEMORY_LEN - row->pa);
	if (row->sums == SUMS_RIGHT)
		fix_sums();
	n = acpi_find_cpus(read_memory, RSDP_PA, ids, NROWS(ids));
	assert_int_equal(n, row->ncpus);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ids[i], row->cpus[i]);
}

/* No more than there is room for; no table at all. */
static void
test_room(void **state)
{
	uint32_t ids[2] = { 99, 99 };

	(void)state;
	make_tables();
	fix_sums();
	assert_int_equal(acpi_find_cpus(read_memory, RSDP_PA, ids, 1), 1);
	assert_int_equal(ids[1], 99);
	assert_int_equal(acpi_find_cpus(read_memory, 0, ids, 1), 0);
	assert_int_equal(acpi_find_cpus(read_memory, UINT64_MAX - 8, ids, 1),
	    0);
	assert_int_equal(acpi_find_cpus(read_memory, MEMORY_LEN - 8, ids, 1),
	    0);
}

int
main(void)
{
	struct CMUnitTest tests[32];
	size_t n = 0;

	ADD_ROWS(tests, n, rows, test_row);
	tests[n++] = row_test("room, and no tables", test_room, NULL);
	return (RUN_TESTS(tests, n));
}
