/* The kernel's ELF file: which are taken, its symbols, its constants. */
#include "libkvm/exec.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/bytes.h"
#include "tests/support/kernfile.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define FILE_MAX 65536
#define DATA	 UINT64_C(0xffffffff80200000)
#define BSS	 UINT64_C(0xffffffff80300000)

static const uint8_t data_bytes
    [256] = { [0] = 0x11, [16] = 0x22, 0x33, 0x44, 0x55, [255] = 0x66 };

enum { NOTYPE, OBJECT, FUNC, SECTION, FILENAME };

static const struct kernfile_symbol symbols[] = {
	{ "$x", DATA, 0, KERNFILE_DATA, NOTYPE, true },
	{ "", DATA, 0, KERNFILE_DATA, SECTION, true },
	{ "source.c", 0, 0, KERNFILE_ABS, FILENAME, true },
	{ "first", DATA + 16, 16, KERNFILE_DATA, FUNC, false },
	{ "first_alias", DATA + 16, 16, KERNFILE_DATA, FUNC, true },
	{ "inside", DATA + 24, 0, KERNFILE_DATA, NOTYPE, true },
	{ "second", DATA + 64, 32, KERNFILE_DATA, OBJECT, false },
	{ "same", DATA + 100, 4, KERNFILE_DATA, OBJECT, true },
	{ "same", DATA + 104, 4, KERNFILE_DATA, OBJECT, true },
	{ "both", DATA + 108, 4, KERNFILE_DATA, OBJECT, true },
	{ "both", DATA + 112, 4, KERNFILE_DATA, OBJECT, false },
	{ "last_unsized", DATA + 200, 0, KERNFILE_DATA, FUNC, false },
	{ "in_bss", BSS + 8, 8, KERNFILE_BSS, OBJECT, false },
	{ "end", BSS + 0x1000, 0, KERNFILE_BSS, NOTYPE, false },
	{ "absolute", 0x1234, 0, KERNFILE_ABS, NOTYPE, false },
	{ "undefined", DATA, 0, KERNFILE_UNDEF, NOTYPE, false },
	{ "outer", DATA + 120, 60, KERNFILE_DATA, FUNC, false },
	{ "nested", DATA + 130, 10, KERNFILE_DATA, FUNC, false },
	{ "nested_label", DATA + 132, 0, KERNFILE_DATA, NOTYPE, true },
	{ "entry", DATA + 150, 0, KERNFILE_DATA, FUNC, false },
	{ "entry_label", DATA + 152, 0, KERNFILE_DATA, NOTYPE, false },
	{ "label_at_start", DATA + 120, 0, KERNFILE_DATA, NOTYPE, false },
	{ "unsized_at_start", DATA + 120, 0, KERNFILE_DATA, FUNC, false },
	{ ".LBB4_15", DATA + 208, 0, KERNFILE_DATA, NOTYPE, true },
	{ "bare_label", DATA + 216, 0, KERNFILE_DATA, NOTYPE, true },
};

static const struct kernfile good = {
	.arch = ARCH_AMD64,
	.data_va = DATA,
	.data = data_bytes,
	.data_len = sizeof(data_bytes),
	.bss_va = BSS,
	.bss_len = 0x1000,
	.symbols = symbols,
	.nsymbols = NROWS(symbols),
};

static struct exec *
open_bytes(const uint8_t *bytes, size_t len, char why[256])
{
	char path[TEMP_PATH_LEN];
	struct exec *ex;

	why[0] = '\0';
	temp_named(bytes, len, path);
	ex = exec_open(path, why, 256);
	if (ex != NULL)
		assert_string_equal(exec_path(ex), path);
	(void)unlink(path);
	return (ex);
}

static struct exec *
open_kernel(const struct kernfile *kf)
{
	static uint8_t buf[FILE_MAX];
	size_t len = kernfile_write(kf, buf, sizeof(buf));
	char why[256];
	struct exec *ex = open_bytes(buf, len, why);

	if (ex == NULL)
		fail_msg("%s", why);
	return (ex);
}

/* ---- which files are taken ---- */

static const struct machine_row {
	const char *name;
	enum dump_arch arch;
	enum byte_order order;
	unsigned int ptr_len;
} machine_rows[] = {
	{ "amd64", ARCH_AMD64, ORDER_LITTLE, 8 },
	{ "arm", ARCH_ARM, ORDER_LITTLE, 4 },
	{ "arm, big-endian", ARCH_ARM, ORDER_BIG, 4 },
	{ "arm64", ARCH_ARM64, ORDER_LITTLE, 8 },
	{ "i386", ARCH_I386, ORDER_LITTLE, 4 },
	{ "riscv64", ARCH_RISCV, ORDER_LITTLE, 8 },
};

static void
test_machine(void **state)
{
	const struct machine_row *row = *state;
	static const struct kernfile_symbol one = { "one", 0x80001010, 4,
		KERNFILE_DATA, OBJECT, false };
	struct kernfile kf = { .arch = row->arch,
		.order = row->order,
		.data_va = 0x80001000,
		.data = data_bytes,
		.data_len = sizeof(data_bytes),
		.symbols = &one,
		.nsymbols = 1 };
	struct exec *ex = open_kernel(&kf);
	struct kvm_symbol sym;

	assert_int_equal(exec_arch(ex), row->arch);
	assert_int_equal(exec_order(ex), row->order);
	assert_int_equal(arch_facts(exec_arch(ex))->af_ptr_len, row->ptr_len);
	/* It has no program headers. */
	assert_int_equal(exec_base(ex), 0);
	assert_true(exec_symbol_find(ex, "one", &sym));
	assert_int_equal(sym.ksy_va, 0x80001010);
	assert_int_equal(sym.ksy_len, 4);
	assert_string_equal(exec_error(ex), "");
	exec_close(ex);
}

static const struct bad_row {
	const char *name;
	uint16_t machine, type;
	enum dump_arch arch;
	size_t off; /* of a byte that is changed */
	int byte;
	size_t len; /* of the file */
	const char *why;
} bad_rows[] = {
	{ "refuses: another magic", 0, 0, ARCH_AMD64, 0, 'x', FILE_MAX,
	    "not an ELF file" },
	{ "refuses: an empty file", 0, 0, ARCH_AMD64, 0, 0, 0, "ELF" },
	{ "refuses: half a header", 0, 0, ARCH_AMD64, 20, 1, 40, "ELF" },
	{ "refuses: an object file", 0, 1, ARCH_AMD64, 7, 9, FILE_MAX,
	    "not an executable" },
	{ "refuses: a core", 0, 4, ARCH_AMD64, 7, 9, FILE_MAX,
	    "but an ELF core: name the kernel" },
	{ "refuses: an unknown machine", 21, 0, ARCH_AMD64, 7, 9, FILE_MAX,
	    "ELF machine 21" },
	{ "refuses: i386 with 64 bits", 3, 0, ARCH_AMD64, 7, 9, FILE_MAX,
	    "ELF machine 3" },
	{ "refuses: amd64 with 32 bits (x32)", 62, 0, ARCH_I386, 7, 9, FILE_MAX,
	    "ELF machine 62" },
};

static void
test_bad(void **state)
{
	const struct bad_row *row = *state;
	static uint8_t buf[FILE_MAX];
	struct kernfile kf = good;
	char why[256];
	size_t len;

	kf.arch = row->arch;
	kf.machine = row->machine;
	kf.type = row->type;
	len = kernfile_write(&kf, buf, sizeof(buf));
	buf[row->off] = (uint8_t)row->byte;
	if (len > row->len)
		len = row->len;
	assert_null(open_bytes(buf, len, why));
	if (strstr(why, row->why) == NULL)
		fail_msg("refused, but because of: %s", why);
}

/* ---- as many sections as section 0 says ---- */

static const struct sections_row {
	const char *name;
	enum dump_arch arch;
	enum byte_order order;
	unsigned char off_at, off_len; /* of the file: e_shoff */
	unsigned char number_at;       /* e_shnum */
	unsigned char size_at;	       /* of section 0: sh_size */
	unsigned char segments_at;     /* e_phnum */
} sections_rows[] = {
	{ "sections: 64 bits", ARCH_AMD64, ORDER_LITTLE, 40, 8, 60, 32, 56 },
	{ "sections: 32 bits", ARCH_I386, ORDER_LITTLE, 32, 4, 48, 20, 44 },
	{ "sections: big-endian", ARCH_ARM, ORDER_BIG, 32, 4, 48, 20, 44 },
};

static void
test_segments(void **state)
{
	const struct sections_row *row = *state;
	static uint8_t buf[FILE_MAX];
	struct kernfile kf = good;
	char why[256];
	size_t len;

	kf.arch = row->arch;
	kf.order = row->order;
	len = kernfile_write(&kf, buf, sizeof(buf));
	buf[row->segments_at] = buf[row->segments_at + 1] = 0xff;
	assert_null(open_bytes(buf, len, why));
	assert_string_equal(why, "more than 65534 segments");
}

static void
test_sections(void **state)
{
	const struct sections_row *row = *state;
	static uint8_t buf[FILE_MAX];
	struct kernfile kf = good;
	uint8_t *size = buf + row->size_at;
	char why[256];
	size_t len;

	kf.arch = row->arch;
	kf.order = row->order;
	len = kernfile_write(&kf, buf, sizeof(buf));
	size += row->off_len == 8 ? dec64(row->order, buf + row->off_at) :
				    dec32(row->order, buf + row->off_at);
	buf[row->number_at] = buf[row->number_at + 1] = 0;
	for (uint32_t n = 65536; n <= 65537; n++) {
		struct exec *ex;

		if (row->off_len == 8)
			enc64(row->order, size, n);
		else
			enc32(row->order, size, n);
		ex = open_bytes(buf, len, why);
		exec_close(ex);
		assert_int_equal(strcmp(why, "more than 65536 sections") == 0,
		    n > 65536);
	}
}

static void
test_no_symtab(void **state)
{
	struct kernfile kf = good;
	struct kvm_symbol sym;
	struct exec *ex;

	(void)state;
	kf.no_symtab = true;
	ex = open_kernel(&kf);
	assert_false(exec_load_symbols(ex));
	assert_string_equal(exec_error(ex), "no symbol table");
	assert_false(exec_load_symbols(ex));
	assert_false(exec_symbol_find(ex, "first", &sym));
	assert_false(exec_symbol_at(ex, DATA + 16, &sym));
	exec_close(ex);
	exec_close(NULL);
}

/* The symbols that are left in a stripped file. */
static void
test_stripped(void **state)
{
	struct kernfile kf = good;
	struct kvm_symbol sym;
	struct exec *ex;

	(void)state;
	kf.stripped = true;
	ex = open_kernel(&kf);
	assert_true(exec_load_symbols(ex));
	assert_true(exec_symbol_find(ex, "second", &sym));
	assert_true(sym.ksy_va == DATA + 64);
	assert_true(exec_symbol_at(ex, DATA + 70, &sym));
	assert_string_equal(sym.ksy_name, "second");
	exec_close(ex);
}

/* Which symbols are in a section of instructions. */
static void
test_code(void **state)
{
	struct kernfile kf = good;
	struct kvm_symbol sym;
	struct exec *ex;

	(void)state;
	kf.data_is_code = true;
	ex = open_kernel(&kf);
	assert_true(exec_symbol_at(ex, DATA + 16, &sym));
	assert_true(sym.ksy_code);
	assert_true(exec_symbol_find(ex, "in_bss", &sym));
	assert_false(sym.ksy_code);
	exec_close(ex);
}

/* ---- symbols ---- */

static const struct find_row {
	const char *name; /* of the test; the symbol's follows ": " */
	uint64_t va, len; /* 0, 0: there is none */
} find_rows[] = {
	{ "find: first", DATA + 16, 16 },
	{ "find: first_alias", DATA + 16, 16 },
	{ "find: inside", DATA + 24, 0 },
	{ "find: in_bss", BSS + 8, 8 },
	{ "find: end", BSS + 0x1000, 0 },
	{ "find: absolute", 0x1234, 0 },
	{ "find: same", DATA + 100, 4 }, /* the first of two local ones */
	{ "find: both", DATA + 112, 4 }, /* the global one */
	{ "find: undefined", 0, 0 },
	{ "find: $x", 0, 0 },
	{ "find: .LBB4_15", 0, 0 },
	{ "find: source.c", 0, 0 },
	{ "find: firs", 0, 0 },
	{ "find: ", 0, 0 },
};

static void
test_find(void **state)
{
	const struct find_row *row = *state;
	const char *name = row->name + strlen("find: ");
	struct kvm_symbol sym = { .ksy_va = 77 };
	struct exec *ex = open_kernel(&good);

	if (row->va == 0) {
		assert_false(exec_symbol_find(ex, name, &sym));
		assert_int_equal(sym.ksy_va, 77);
	} else {
		assert_true(exec_symbol_find(ex, name, &sym));
		assert_string_equal(sym.ksy_name, name);
		assert_true(sym.ksy_va == row->va);
		assert_int_equal(sym.ksy_len, row->len);
	}
	exec_close(ex);
}

static const struct at_row {
	const char *name;
	uint64_t va;
	const char *want; /* NULL: no symbol */
} at_rows[] = {
	{ "at: before the first symbol", DATA, NULL },
	{ "at: the start of a function; its global name", DATA + 16, "first" },
	{ "at: inside of it", DATA + 20, "first" },
	{ "at: after a label inside of it", DATA + 25, "first" },
	{ "at: a label where a function starts", DATA + 121, "outer" },
	{ "at: a function inside of a function", DATA + 131, "nested" },
	{ "at: a label inside of both", DATA + 133, "nested" },
	{ "at: after the inner function", DATA + 140, "outer" },
	{ "at: an entry inside of a function", DATA + 151, "entry" },
	{ "at: a label after the entry", DATA + 153, "entry" },
	{ "at: after the outer function", DATA + 180, NULL },
	{ "at: a compiler's label is no symbol", DATA + 209, "last_unsized" },
	{ "at: a label that is in no function", DATA + 217, "bare_label" },
	{ "at: the last byte of an object", DATA + 95, "second" },
	{ "at: one byte past it", DATA + 96, NULL },
	{ "at: a symbol without length goes on to the section's end",
	    DATA + 255, "bare_label" },
	{ "at: but not further", DATA + 256, NULL },
	{ "at: not into the next section", BSS, NULL },
	{ "at: .bss", BSS + 15, "in_bss" },
	{ "at: a symbol at the end of its section", BSS + 0x1000, NULL },
	{ "at: absolute symbols are no places", 0x1234, NULL },
	{ "at: the largest address", UINT64_MAX, NULL },
};

static void
test_at(void **state)
{
	const struct at_row *row = *state;
	struct exec *ex = open_kernel(&good);
	struct kvm_symbol sym;
	bool found = exec_symbol_at(ex, row->va, &sym);

	assert_int_equal(found, row->want != NULL);
	if (found)
		assert_string_equal(sym.ksy_name, row->want);
	exec_close(ex);
}

/*
 * Functions in functions, deeper than they are followed: an outer one is told.
 */
static void
test_deep(void **state)
{
	enum { N = 40, NFOLLOWED = 15, NREACH = 20 };
	static struct kernfile_symbol deep[N];
	static char names[N][16];
	struct kernfile kf = good;
	struct kvm_symbol sym;
	struct exec *ex;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%zu", i);
		deep[i] = (struct kernfile_symbol){ names[i], BSS + i,
			(i < NREACH ? 0x200 : 0x100) - i, KERNFILE_BSS, FUNC,
			false };
	}
	kf.symbols = deep;
	kf.nsymbols = N;
	ex = open_kernel(&kf);
	assert_true(exec_symbol_at(ex, BSS + 0x80, &sym));
	assert_string_equal(sym.ksy_name, names[N - 1]);
	assert_true(exec_symbol_at(ex, BSS + 0x180, &sym));
	assert_string_equal(sym.ksy_name, names[NFOLLOWED - 1]);
	assert_false(exec_symbol_at(ex, BSS + 0x200, &sym));
	exec_close(ex);
}

/* Thousands of names, among them two with the same hash. */
static void
test_many(void **state)
{
	enum { N = 5000 };
	static struct kernfile_symbol many[N];
	static char names[N][16];
	static uint8_t buf[40 * N + 16 * N + FILE_MAX];
	struct kernfile kf = good;
	struct kvm_symbol sym;
	struct exec *ex;
	char why[256];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "symbol%zu",
		    i == 0     ? 38339 :
			i == 1 ? 56639 :
				 i);
		many[i] = (struct kernfile_symbol){ names[i], BSS + i % 0x1000,
			1, KERNFILE_BSS, OBJECT, i % 3 == 0 };
	}
	kf.symbols = many;
	kf.nsymbols = N;
	ex = open_bytes(buf, kernfile_write(&kf, buf, sizeof(buf)), why);
	assert_non_null(ex);
	for (size_t i = 0; i < N; i++) {
		assert_true(exec_symbol_find(ex, names[i], &sym));
		assert_true(sym.ksy_va == BSS + i % 0x1000);
	}
	assert_false(exec_symbol_find(ex, "symbol5000", &sym));
	exec_close(ex);
}

/*
 * Names can overlap in the file, so many long ones need not take many bytes of
 * it.
 */
static void
test_long_names(void **state)
{
	static char longest[512], too_long[513];
	struct kernfile_symbol two[] = {
		{ longest, BSS, 1, KERNFILE_BSS, OBJECT, false },
		{ too_long, BSS + 1, 1, KERNFILE_BSS, OBJECT, false },
	};
	struct kernfile kf = good;
	struct kvm_symbol sym;
	struct exec *ex;

	(void)state;
	memset(longest, 'l', sizeof(longest) - 1);
	memset(too_long, 'l', sizeof(too_long) - 1);
	kf.symbols = two;
	kf.nsymbols = NROWS(two);
	ex = open_kernel(&kf);
	assert_true(exec_symbol_find(ex, longest, &sym));
	assert_false(exec_symbol_find(ex, too_long, &sym));
	exec_close(ex);
}

/* ---- a symbol table that is none ---- */

#define UNREADABLE "the symbol table cannot be read"
#define NO_NAMES   "the names of the symbols cannot be read"

enum { SYMTAB = 2, STRTAB };

/* What is written into a table's section header. */
static const struct table_row {
	const char *name;
	uint32_t type; /* of the first section that is changed */
	size_t at;     /* of a 64-bit field in Elf64_Shdr */
	uint64_t value;
	const char *why;
} table_rows[] = {
	{ "symbols: compressed", SYMTAB, 8, 0x800, UNREADABLE },
	{ "symbols: entries that are too long", SYMTAB, 56, 48, UNREADABLE },
	{ "symbols: entries without a length", SYMTAB, 56, 0, UNREADABLE },
	{ "symbols: outside of the file", SYMTAB, 24, UINT64_C(1) << 40,
	    UNREADABLE },
	{ "symbols: 1,048,576", SYMTAB, 32, 24 << 20, UNREADABLE },
	{ "symbols: one more", SYMTAB, 32, (24 << 20) + 24,
	    "more than a million symbols" },
	{ "names: compressed", STRTAB, 8, 0x800, NO_NAMES },
	{ "names: 32 MiB, most outside of the file", STRTAB, 32, 32 << 20,
	    NO_NAMES },
	{ "names: one byte more", STRTAB, 32, (32 << 20) + 1,
	    "the names of the symbols take more than 32 MiB" },
};

static void
test_table(void **state)
{
	const struct table_row *row = *state;
	static uint8_t buf[FILE_MAX];
	size_t len = kernfile_write(&good, buf, sizeof(buf));
	uint64_t at = dec64(ORDER_LITTLE, buf + 40); /* e_shoff */
	char why[256];
	struct exec *ex;

	while (dec32(ORDER_LITTLE, buf + at + 4) != row->type)
		at += 64;
	enc64(ORDER_LITTLE, buf + at + row->at, row->value);
	assert_non_null(ex = open_bytes(buf, len, why));
	assert_false(exec_load_symbols(ex));
	assert_string_equal(exec_error(ex), row->why);
	assert_false(exec_check_symbols(ex));
	exec_close(ex);
}

/* ---- constants ---- */

static const struct read_row {
	const char *name;
	uint64_t va;
	size_t len;
	bool ok;
} read_rows[] = {
	{ "read: all of a section", DATA, 256, true },
	{ "read: some of it", DATA + 16, 4, true },
	{ "read: its last byte", DATA + 255, 1, true },
	{ "read: nothing at its end", DATA + 256, 0, true },
	{ "read: one byte past it", DATA + 256, 1, false },
	{ "read: one byte too many", DATA, 257, false },
	{ "read: before it", DATA - 1, 1, false },
	{ "read: .bss is not in the file", BSS, 1, false },
	{ "read: the largest address", UINT64_MAX, 1, false },
	{ "read: the largest length", DATA, SIZE_MAX, false },
};

static void
test_read(void **state)
{
	const struct read_row *row = *state;
	struct exec *ex = open_kernel(&good);
	uint8_t buf[256];

	assert_int_equal(exec_read(ex, row->va, buf, row->len), row->ok);
	if (row->ok)
		assert_memory_equal(buf, data_bytes + (row->va - DATA),
		    row->len);
	exec_close(ex);
}

int
main(void)
{
	struct CMUnitTest tests[90];
	size_t n = 0;

	ADD_ROWS(tests, n, machine_rows, test_machine);
	ADD_ROWS(tests, n, bad_rows, test_bad);
	ADD_ROWS(tests, n, find_rows, test_find);
	ADD_ROWS(tests, n, at_rows, test_at);
	ADD_ROWS(tests, n, table_rows, test_table);
	ADD_ROWS(tests, n, read_rows, test_read);
	ADD_ROWS(tests, n, sections_rows, test_sections);
	ADD_ROWS(tests, n, sections_rows, test_segments);
	tests[n++] = row_test("no symbol table", test_no_symtab, NULL);
	tests[n++] = row_test("a stripped file", test_stripped, NULL);
	tests[n++] = row_test("symbols of code", test_code, NULL);
	tests[n++] = row_test("many symbols", test_many, NULL);
	tests[n++] = row_test("functions in functions", test_deep, NULL);
	tests[n++] = row_test("names without an end", test_long_names, NULL);
	return (RUN_TESTS(tests, n));
}
