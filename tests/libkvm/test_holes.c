/* How much of a file is there. */
#include "libkvm/holes.h"

#include <string.h>
#include <unistd.h>

#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define MIB ((off_t)1 << 20)

/* Files of len bytes, with data bytes at data_off. */
static const struct hole_row {
	const char *name;
	off_t len;
	uint64_t len_max;
	off_t data_off;
	size_t data_len;
	bool hollow;
} hole_rows[] = {
	{ "empty", 0, HOLES_LEN_MAX, 0, 0, false },
	{ "no hole", 65536, HOLES_LEN_MAX, 0, 65536, false },
	{ "a short file may be a hole", 64 * MIB, HOLES_LEN_MAX, 0, 0, false },
	{ "a longer one may not", 64 * MIB + 1, HOLES_LEN_MAX, 0, 0, true },
	{ "nor one of many files", 65537, 65536, 0, 0, true },
	{ "64 GiB with data at the start", 65536 * MIB, HOLES_LEN_MAX, 0, 65536,
	    true },
	{ "64 GiB with data at the end", 65536 * MIB, HOLES_LEN_MAX,
	    65535 * MIB, 65536, true },
	{ "one byte in 16 is there", 80 * MIB, HOLES_LEN_MAX, 32 * MIB, 5 << 20,
	    false },
	{ "and less", 80 * MIB, HOLES_LEN_MAX, 32 * MIB, 4 << 20, true },
};

static void
test_hole(void **state)
{
	const struct hole_row *row = *state;
	char *data = malloc(row->data_len + 1);
	int fd = temp_file("", 0);

	assert_non_null(data);
	memset(data, 'x', row->data_len);
	assert_int_equal(ftruncate(fd, row->len), 0);
	assert_true(pwrite(fd, data, row->data_len, row->data_off) ==
	    (ssize_t)row->data_len);
	free(data);
	assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
	assert_true(holes_data_len(fd) >= row->data_len);
	assert_true(holes_data_len(fd) <= (uint64_t)row->len);
	if (row->hollow && holes_data_len(fd) == (uint64_t)row->len) {
		close(fd);
		skip(); /* the file system does not tell */
	}
	assert_int_equal(holes_is_hollow(fd, row->len_max), row->hollow);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	close(fd);
}

/* What is no plain file has no length. */
static void
test_pipe(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(holes_data_len(fds[0]), 0);
	assert_false(holes_is_hollow(fds[0], 0));
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	struct CMUnitTest tests[1 + NROWS(hole_rows)] = {
		cmocka_unit_test(test_pipe),
	};
	size_t n = 1;

	ADD_ROWS(tests, n, hole_rows, test_hole);
	return (RUN_TESTS(tests, n));
}
