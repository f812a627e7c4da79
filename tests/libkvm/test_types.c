/*
 * The kernel's structures out of its debug information.
 * usage: test_types DIR, with kernels that meson.build makes in it
 */
#include "libkvm/types.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"

static const char *dir;

#define UNTOUCHED 0xabcdef

/* The offset and length of one member; UNTOUCHED in both: not found. */
static struct kvm_member
look(const char *kernel, const char *type, const char *name)
{
	struct kvm_member mb = {
		.kmb_type = type,
		.kmb_name = name,
		.kmb_off = UNTOUCHED,
		.kmb_len = UNTOUCHED,
	};
	char path[4096], why[256];
	struct types *ty;
	struct exec *ex;

	snprintf(path, sizeof(path), "%s/%s", dir, kernel);
	ex = exec_open(path, why, sizeof(why));
	if (ex == NULL)
		fail_msg("%s: %s", path, why);
	ty = types_open(ex);
	if (ty != NULL) {
		size_t nfound = types_find(ty, &mb, 1);

		assert_int_equal(nfound, mb.kmb_off != UNTOUCHED);
	}
	types_close(ty);
	exec_close(ex);
	return (mb);
}

static const struct file_row {
	const char *name;
	bool found;
} file_rows[] = {
	{ "dwarf2", true },
	{ "dwarf4", true },
	{ "dwarf5", true },
	{ "compressed", true },
	{ "split/kernel", true },
	{ "split/nophdrs", true },
	{ "split/foreign", false }, /* the debug file is another's */
	{ "none", false },
};

static void
test_file(void **state)
{
	const struct file_row *row = *state;
	struct kvm_member mb = look(row->name, "thread", "td_wmesg");

	if (row->found) {
		assert_int_equal(mb.kmb_off, 96);
		assert_int_equal(mb.kmb_len, 8);
	} else
		assert_int_equal(mb.kmb_off, UNTOUCHED);
}

static const struct member_row {
	const char *name; /* TYPE, or TYPE.MEMBER */
	uint32_t off, len;
} member_rows[] = {
	{ "thread.td_next", 0, 8 },
	{ "thread.td_tid", 8, 4 },
	{ "thread.td_long", 16, 8 },
	{ "thread.td_second", 18, 2 },
	{ "thread.td_sa.code", 24, 4 },
	{ "thread.td_sa.args", 32, 64 },
	{ "thread.td_state", 104, 4 },
	{ "thread.td_name", 108, 20 },
	{ "thread.td_late", 136, 8 },
	{ "thread.td_table", 144, 24 },
	{ "thread.td_open", 168, 0 },
	{ "late.la_last", 12, 4 },
	{ "late", 0, 16 },
	{ "thread.td_state.TDS_INACTIVE", 0, 0 },
	{ "thread.td_state.TDS_RUNNING", 1, 0 },
	{ "thread.td_state.TDS_NONE", UNTOUCHED, UNTOUCHED },
	{ "thread.td_bit", UNTOUCHED, UNTOUCHED },
	{ "thread.td_none", UNTOUCHED, UNTOUCHED },
	{ "thread.td_sa.none", UNTOUCHED, UNTOUCHED },
	{ "thread.td_late.la_last", UNTOUCHED, UNTOUCHED },
	{ "thread.td_tid.x", UNTOUCHED, UNTOUCHED },
	{ "nothing.at_all", UNTOUCHED, UNTOUCHED },
};

static void
test_member(void **state)
{
	const struct member_row *row = *state;
	char type[64];
	char *dot;
	struct kvm_member mb;

	snprintf(type, sizeof(type), "%s", row->name);
	dot = strchr(type, '.');
	if (dot != NULL)
		*dot++ = '\0';
	mb = look("dwarf5", type, dot);
	assert_int_equal(mb.kmb_off, row->off);
	assert_int_equal(mb.kmb_len, row->len);
}

/* Types that run in circles end a search; what they do not hide is found. */
static const struct member_row loop_rows[] = {
	{ "td_typedef", 16, 0 },
	{ "td_array", 24, 0 },
	{ "td_none", UNTOUCHED, UNTOUCHED },
};

static void
test_loop(void **state)
{
	const struct member_row *row = *state;
	struct kvm_member mb = look("loops", "thread", row->name);

	assert_int_equal(mb.kmb_len, row->len);
	/* Through how many of the unnamed members it was found is open. */
	assert_true((mb.kmb_off == UNTOUCHED) == (row->off == UNTOUCHED));
}

/* Many at once, of which some are found. */
static void
test_list(void **state)
{
	struct kvm_member list[] = {
		{ .kmb_type = "late", .kmb_name = "la_last" },
		{ .kmb_type = "thread", .kmb_name = "td_none" },
		{ .kmb_type = "thread", .kmb_name = "td_tid" },
		{ .kmb_type = "nothing", .kmb_name = "at_all" },
	};
	char path[4096], why[256];
	struct types *ty;
	struct exec *ex;

	(void)state;
	snprintf(path, sizeof(path), "%s/dwarf5", dir);
	ex = exec_open(path, why, sizeof(why));
	assert_non_null(ex);
	ty = types_open(ex);
	assert_non_null(ty);
	assert_int_equal(types_find(ty, list, NROWS(list)), 2);
	assert_int_equal(list[0].kmb_off, 12);
	assert_int_equal(list[1].kmb_len, 0);
	assert_int_equal(list[2].kmb_off, 8);
	assert_int_equal(list[3].kmb_len, 0);
	types_close(ty);
	exec_close(ex);
}

int
main(int argc, char **argv)
{
	struct CMUnitTest tests[NROWS(file_rows) + NROWS(member_rows) +
	    NROWS(loop_rows) + 1] = {
		cmocka_unit_test(test_list),
	};
	size_t n = 1;

	if (argc != 2)
		return (64);
	dir = argv[1];
	ADD_ROWS(tests, n, file_rows, test_file);
	ADD_ROWS(tests, n, member_rows, test_member);
	ADD_ROWS(tests, n, loop_rows, test_loop);
	return (RUN_TESTS(tests, n));
}
