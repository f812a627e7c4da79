/* Loaded modules: their list, and their names beside the kernel's. */
#include <stdio.h>

#include "tests/kdebug/frames.h"
#include "tests/kdebug/linker.h"

static void
nothing(struct kernel *k)
{
	(void)k;
}

static void
circle(struct kernel *k)
{
	fake_word(k->k_kd, LF(1) + LF_NEXT, LF(0));
}

static void
link_out(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_NEXT, 0x1234);
}

static void
no_kernel_file(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "linker_kernel_file");
}

static void
no_list(struct kernel *k)
{
	fake_unsymbol(k->k_kd, "linker_files");
}

static void
name_missing(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_FILENAME, 0x1234);
}

static void
huge_len(struct kernel *k)
{
	fake_word(k->k_kd, LF(0) + LF_ADDRESS + 8, UINT64_MAX);
}

static void
other_offset(struct kernel *k)
{
	fake_const(k->k_kd, "kld_off_address", 0xc0);
	fake_word(k->k_kd, KERNEL_LF + 0xc0, 0);
	fake_u32(k->k_kd, LF(0) + 0xb8, 9);
	fake_word(k->k_kd, LF(0) + 0xc0, 0x5000);
	fake_word(k->k_kd, LF(0) + 0xc8, 0x60);
}

static const struct list_row {
	const char *name;
	void (*change)(struct kernel *);
	size_t n;
	const char *first; /* "name base len refs id" */
	const char *note;
} list_rows[] = {
	{ "two modules", nothing, 2, "zfs.ko 0xffffffff82100000 0x1000 3 7",
	    NULL },
	{ "in a circle", circle, 2, "zfs.ko 0xffffffff82100000 0x1000 3 7",
	    "has no end" },
	{ "a link leads out", link_out, 1,
	    "zfs.ko 0xffffffff82100000 0x1000 3 7", "broken at 0x1234" },
	{ "the kernel is not known", no_kernel_file, 3,
	    "kernel 0xffffffff80200000 0x2000000 3 7", NULL },
	{ "no list", no_list, 0, NULL, "no symbol linker_files" },
	{ "a name is missing", name_missing, 2,
	    " 0xffffffff82100000 0x1000 3 7", NULL },
	{ "a length past all bounds", huge_len, 2,
	    "zfs.ko 0xffffffff82100000 0 3 7", NULL },
	{ "the kernel exports the offset", other_offset, 2,
	    "zfs.ko 0x5000 0x60 3 9", NULL },
};

static void
test_list(void **state)
{
	const struct list_row *row = *state;
	const struct kdebug_module *mods;
	struct kernel k;
	char first[128];

	linker_setup(&k);
	row->change(&k);
	assert_int_equal(kdebug_modules(kernel_open(&k), &mods), row->n);
	if (row->first != NULL) {
		snprintf(first, sizeof(first), "%s %#jx %#jx %d %d",
		    mods[0].km_name, (uintmax_t)mods[0].km_base,
		    (uintmax_t)mods[0].km_len, mods[0].km_refs, mods[0].km_id);
		assert_string_equal(first, row->first);
	}
	if (row->note != NULL)
		assert_true(has_note(k.k_kdb, row->note));
	kernel_fini(&k);
}

/* The kernel is in the list, and is told apart. */
static void
test_kernel(void **state)
{
	const struct kdebug_module *km;
	struct kernel k;

	(void)state;
	linker_setup(&k);
	km = kdebug_kernel_module(kernel_open(&k));
	assert_non_null(km);
	assert_string_equal(km->km_name, "kernel");
	assert_int_equal(km->km_len, 0x2000000);
	kernel_fini(&k);
	linker_setup(&k);
	no_kernel_file(&k);
	assert_null(kdebug_kernel_module(kernel_open(&k)));
	kernel_fini(&k);
}

/* No module can give the kernel's functions other names. */
static void
test_over_kernel(void **state)
{
	struct kdebug_frame frame;
	struct kernel k;

	(void)state;
	linker_setup(&k);
	fake_symbol(k.k_kd, "panic", BASE(1) + 0x100, 0x80);
	kernel_open(&k);
	frame = frame_at(&k, BASE(1) + 0x108);
	assert_string_equal(frame.kf_symbol, "panic");
	assert_null(frame.kf_module);
	kernel_fini(&k);
}

/* A symbol that the kernel's file calls data is no function. */
static void
test_kernel_data(void **state)
{
	struct kdebug_frame frame;
	struct kernel k;

	(void)state;
	linker_setup(&k);
	fake_object(k.k_kd, "proc0", 0xffffffff81700000, 0x500);
	kernel_open(&k);
	frame = frame_at(&k, 0xffffffff81700008);
	assert_null(frame.kf_symbol);
	kernel_fini(&k);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(list_rows) + 3] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_over_kernel),
		cmocka_unit_test(test_kernel_data),
	};
	size_t n = 3;

	ADD_ROWS(tests, n, list_rows, test_list);
	return (RUN_TESTS(tests, n));
}
