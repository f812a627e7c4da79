/*
 * Compressed files: how much is unpacked, and where to; what is no file.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/libkvm/packed.h"
#include "tests/support/child.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

/* ---- what is wanted ---- */

static bool
want_nothing(struct span start)
{
	return (start.len == 0);
}

static bool
want_data(struct span start)
{
	return (memcmp(start.base, packed_data, start.len) == 0);
}

static const struct how_row {
	const char *name;
	struct unpack_how how;
	void (*change)(struct packed *out);
	size_t min_len, max_len;
	const char *why;
} how_rows[] = {
	{ "the start is wanted", { .uh_wanted = want_data }, NULL, DATA_LEN,
	    DATA_LEN, NULL },
	{ "the start is not wanted", { .uh_wanted = want_nothing }, NULL, 4608,
	    CHUNK_LEN, NULL },
	{ "no more than is wanted", { .uh_len_max = 5000 }, NULL, 5000,
	    CHUNK_LEN, NULL },
	{ "whole: it is", { .uh_whole = true }, NULL, DATA_LEN, DATA_LEN,
	    NULL },
	{ "refuses: whole, but damaged", { .uh_whole = true }, damage_middle, 0,
	    0, "is damaged" },
	{ "refuses: whole, but cut", { .uh_whole = true }, cut_end, 0, 0,
	    "is cut short" },
};

static void
test_how(void **state)
{
	const struct how_row *row = *state;
	void (*const packs[])(struct packed *) = { pack_gzip, pack_zstd };
	static struct packed packed;

	for (size_t i = 0; i < NROWS(packs); i++) {
		struct unpacked out;
		char why[256];
		int error;

		pack_anew(&packed, packs[i], row->change);
		error = unpack_as(&packed, &row->how, &out, why);
		assert_why(why, row->why);
		assert_int_equal(error, row->why != NULL ? EINVAL : 0);
		if (error != 0)
			continue;
		assert_in_range(length_of(out.upk_fd, &out.upk_damage),
		    row->min_len, row->max_len);
		(void)close(out.upk_fd);
	}
}

/* A dump is mostly zeros; they take no space, wherever they are. */
static void
test_holes(void **state)
{
	enum { LEN = 16 * 1048576, AT = 5000001 };
	uint8_t *bytes = calloc(1, LEN);
	uint8_t *got = malloc(LEN);
	static struct packed packed;
	struct damage damage;
	struct stat st;
	char why[256];
	int fd;

	(void)state;
	assert_non_null(bytes);
	assert_non_null(got);
	memcpy(bytes + AT, packed_data, 10000);
	packed.len = 0;
	add_zstd(&packed, bytes, LEN);
	fd = unpack(&packed, &damage, why);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, LEN);
	assert_in_range(st.st_blocks, 1, LEN / 512 / 4);
	assert_int_equal(pread(fd, got, LEN, 0), LEN);
	assert_memory_equal(got, bytes, LEN);
	(void)close(fd);
	free(got);
	free(bytes);
}

/* ---- where it unpacks to ---- */

static size_t
count_files(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return (n - 2);
}

static void
unpack_in(const void *arg)
{
	const char *dir = arg;
	static struct packed packed;
	const struct unpack_how how = { .uh_whole = true };
	char path[TEMP_PATH_LEN];
	struct unpacked out;
	char why[256];
	int error;

	pack_gzip(&packed);
	temp_named(packed.bytes, packed.len, path);
	assert_int_equal(setenv("TMPDIR", dir, 1), 0);
	error = unpack_open(path, &how, &out, why, sizeof(why));
	(void)unlink(path);
	if (error != 0) {
		assert_int_equal(error, EIO);
		assert_non_null(strstr(why, "TMPDIR"));
		_exit(2);
	}
	assert_int_equal(length_of(out.upk_fd, &out.upk_damage), DATA_LEN);
}

static void
test_tmpdir(void **state)
{
	char dir[] = "/tmp/vmcore-test.XXXXXX";
	char none[sizeof(dir) + 8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(none, sizeof(none), "%s/none", dir);
	assert_int_equal(run_child(unpack_in, dir), CHILD_OK);
	assert_int_equal(count_files(dir), 0);
	assert_int_equal(run_child(unpack_in, none), 2);
	assert_int_equal(run_child(unpack_in, ""), CHILD_OK);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_tmpdir_too_long(void **state)
{
	static char dir[2000];

	(void)state;
	memset(dir, 'd', sizeof(dir) - 1);
	assert_int_equal(run_child(unpack_in, dir), 2);
}

/* ---- what is no file ---- */

static void
open_special(const void *path)
{
	const struct unpack_how how = { .uh_whole = true };
	struct unpacked out;
	char why[256];

	assert_int_not_equal(unpack_open(path, &how, &out, why, sizeof(why)),
	    0);
	(void)alarm(0);
	_exit(strstr(why, "not a regular file") != NULL	   ? 2 :
		strstr(why, "No such file or dir") != NULL ? 3 :
							     4);
}

/* Nobody writes to the FIFO: waiting for that would be for ever. */
static void
test_special(void **state)
{
	char dir[] = "/tmp/vmcore-test.XXXXXX";
	char fifo[sizeof(dir) + 8];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(run_child(open_special, fifo), 3);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(run_child(open_special, fifo), 2);
	assert_int_equal(run_child(open_special, dir), 2);
	assert_int_equal(run_child(open_special, "/dev/null"), 2);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	struct CMUnitTest tests[64];
	size_t n = 0;

	make_data();
	ADD_ROWS(tests, n, how_rows, test_how);
	tests[n++] = row_test("zeros become holes", test_holes, NULL);
	tests[n++] =
	    row_test("TMPDIR: left empty, missing, unset", test_tmpdir, NULL);
	tests[n++] = row_test("TMPDIR: too long", test_tmpdir_too_long, NULL);
	tests[n++] = row_test("FIFO, directory, device, nothing: refused",
	    test_special, NULL);
	return (RUN_TESTS(tests, n));
}
