/* The file of a module: its symbols and its sections, and where these are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kdebug/modfile.h"
#include "tests/kdebug/frames.h"
#include "tests/kdebug/linker.h"
#include "tests/kdebug/modulefile.h"

static const struct place_row {
	const char *name;
	uint64_t off;	    /* of the pc, from the module's base */
	const char *symbol; /* NULL: none */
	uint64_t symbol_off;
} place_rows[] = {
	{ "the first function", 0, "zfs_init", 0 },
	{ "its last byte", 0xf, "zfs_init", 0xf },
	{ "after it", 0x10, NULL, 0 },
	{ "a label inside of it does not count", 0x9, "zfs_init", 9 },
	{ "data is no function", 0x40, NULL, 0 },
	{ "the second section of code, before its symbol", 0x60, NULL, 0 },
	{ "a symbol without a size", 0x64, "zfs_late", 0 },
	{ "a mapping symbol does not count", 0x6a, "zfs_late", 6 },
	{ "a compiler's label does not count", 0x6d, "zfs_late", 9 },
};

static void
test_place(void **state)
{
	const struct place_row *row = *state;
	struct kdebug_frame frame;
	struct kernel k;

	module_make_dir();
	module_write(module_path("zfs.ko"), ELFCLASS64);
	linker_setup(&k);
	fake_set_exec(k.k_kd, module_path("kernel"));
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + row->off);
	assert_string_equal(frame.kf_module, "zfs.ko");
	if (row->symbol == NULL) {
		assert_null(frame.kf_symbol);
	} else {
		assert_string_equal(frame.kf_symbol, row->symbol);
		assert_int_equal(frame.kf_offset, row->symbol_off);
	}
	kernel_fini(&k);
	module_remove_dir();
}

/* The same by name. */
static const struct find_row {
	const char *name; /* of the test; the symbol's follows ": " */
	uint64_t off;	  /* from the module's base; UINT64_MAX: none */
} find_rows[] = {
	{ "find: zfs_init", 0 },
	{ "find: zfs_data", 0x40 },
	{ "find: zfs_label", 8 },
	{ "find: zfs_late", 0x64 },
	{ "find: zfs_bss", 0xa8 },
	{ "find: pcpu_entry_zfs", UINT64_MAX },
	{ "find: zfs", UINT64_MAX },
};

static void
test_find(void **state)
{
	const struct find_row *row = *state;
	const struct modfile_place place = { BASE(1), MODULE_LEN, 8,
		ORDER_LITTLE, EM_X86_64, SHT_X86_64_UNWIND };
	const char *name = row->name + strlen("find: ");
	struct kvm_symbol sym;
	struct modfile *mf;
	const char *why;

	module_make_dir();
	module_write(module_path("zfs.ko"), ELFCLASS64);
	mf = modfile_open(module_path("zfs.ko"), &place, &why);
	assert_non_null(mf);
	assert_int_equal(modfile_symbol_find(mf, name, &sym),
	    row->off != UINT64_MAX);
	if (row->off != UINT64_MAX)
		assert_true(sym.ksy_va == BASE(1) + row->off);
	modfile_close(mf);
	module_remove_dir();
}

/* The loaded sections: a name that is too long costs only its own section. */
static void
test_sections(void **state)
{
	static const struct modfile_place place = { BASE(1), MODULE_LEN, 8,
		ORDER_LITTLE, EM_X86_64, SHT_X86_64_UNWIND };
	static const char *const names[] = { ".text", ".eh_frame", ".data",
		".text.late", ".init_array", ".bss", NAME_255 };
	const char *name, *why;
	struct modfile *mf;
	size_t ndx = 0;
	kvaddr_t va;

	(void)state;
	module_make_dir();
	module_write(module_path("zfs.ko"), ELFCLASS64);
	mf = modfile_open(module_path("zfs.ko"), &place, &why);
	assert_non_null(mf);
	for (size_t i = 0; i < NROWS(names); i++) {
		assert_true(modfile_next_section(mf, &ndx, &name, &va));
		assert_string_equal(name, names[i]);
	}
	assert_true(va == BASE(1) + 0x1a0);
	assert_false(modfile_next_section(mf, &ndx, &name, &va));
	modfile_close(mf);
	module_remove_dir();
}

static int
free_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return (fd);
}

/* No descriptor is held, and the file is opened again unless it was replaced. */
static void
test_reopen(void **state)
{
	static const struct modfile_place place = { BASE(1), MODULE_LEN, 8,
		ORDER_LITTLE, EM_X86_64, SHT_X86_64_UNWIND };
	int fd = free_descriptor();
	char other[sizeof(module_dir) + 16];
	struct modfile *mf;
	const char *why;

	(void)state;
	module_make_dir();
	module_write(module_path("zfs.ko"), ELFCLASS64);
	mf = modfile_open(module_path("zfs.ko"), &place, &why);
	assert_non_null(mf);
	assert_int_equal(free_descriptor(), fd);
	assert_int_equal(modfile_reopen(mf), fd);
	close(fd);
	snprintf(other, sizeof(other), "%s/other", module_dir);
	module_write(other, ELFCLASS64);
	assert_int_equal(rename(other, module_path("zfs.ko")), 0);
	assert_int_equal(modfile_reopen(mf), -1);
	assert_int_equal(errno, ESTALE);
	assert_int_equal(free_descriptor(), fd);
	modfile_close(mf);
	module_remove_dir();
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(place_rows) + NROWS(find_rows) + 2] = {
		cmocka_unit_test(test_reopen),
		cmocka_unit_test(test_sections),
	};
	size_t n = 2;

	ADD_ROWS(tests, n, place_rows, test_place);
	ADD_ROWS(tests, n, find_rows, test_find);
	return (RUN_TESTS(tests, n));
}
