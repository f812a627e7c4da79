/* The row of each machine, against FreeBSD's and the ELF specification's. */
#include "format/arch.h"

#include <string.h>

#include "tests/support/unit.h"

static const struct arch_row {
	const char *name;
	const char *machine; /* `uname -p` there */
	enum dump_arch arch;
	unsigned int elf_machine, ptr_len;
	bool big_endian;
} arch_rows[] = {
	{ "amd64", "amd64", ARCH_AMD64, 62, 8, false },
	{ "arm", "armv7", ARCH_ARM, 40, 4, true },
	{ "arm64", "aarch64", ARCH_ARM64, 183, 8, false },
	{ "i386", "i386", ARCH_I386, 3, 4, false },
	{ "riscv64", "riscv64", ARCH_RISCV, 243, 8, false },
};

static void
test_facts(void **state)
{
	const struct arch_row *row = *state;
	const struct arch_facts *af = arch_facts(row->arch);
	enum dump_arch found;

	assert_string_equal(dump_arch_name(row->arch), row->name);
	assert_string_equal(af->af_name, row->name);
	assert_string_equal(af->af_machine, row->machine);
	assert_int_equal(af->af_elf_machine, row->elf_machine);
	assert_int_equal(af->af_ptr_len, row->ptr_len);
	assert_int_equal(af->af_big_endian, row->big_endian);
	assert_int_equal(af->af_page_size, 4096);
	assert_true(arch_of_elf(row->elf_machine, &found));
	assert_int_equal(found, row->arch);
}

/* A row is missing here if one is added there. */
static void
test_all(void **state)
{
	enum dump_arch found = ARCH_COUNT;

	(void)state;
	assert_int_equal(NROWS(arch_rows), ARCH_COUNT);
	assert_false(arch_of_elf(0, &found));
	assert_false(arch_of_elf(20, &found)); /* PowerPC */
	assert_false(arch_of_elf(62 + 65536, &found));
	assert_int_equal(found, ARCH_COUNT);
}

int
main(void)
{
	struct CMUnitTest tests[8];
	size_t n = 0;

	ADD_ROWS(tests, n, arch_rows, test_facts);
	tests[n++] = row_test("all machines, and no other", test_all, NULL);
	return (RUN_TESTS(tests, n));
}
