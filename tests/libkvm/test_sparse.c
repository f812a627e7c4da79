/*
 * Zeros become holes, whatever the offsets, and every byte is where it was put.
 */
#include "libkvm/sparse.h"
#include "tests/support/temp.h"
#include "tests/support/unit.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BLOCK	 4096
#define FILE_LEN (64 * BLOCK)

struct row {
	const char *name;
	size_t start, end; /* of the bytes that are not zero */
	size_t step;	   /* bytes a call */
	int nblocks;	   /* that cannot be holes */
};

static const struct row rows[] = {
	{ "no byte", 0, 0, FILE_LEN, 0 },
	{ "one byte", 5000, 5001, FILE_LEN, 1 },
	{ "bytes on both sides of a block's bound", 8191, 8193, FILE_LEN, 2 },
	{ "whole blocks", 4096, 12288, FILE_LEN, 2 },
	{ "calls that end inside of blocks", 30000, 40000, 1000, 3 },
	{ "calls of a block and a byte", 30000, 40000, 4097, 3 },
	{ "calls of a byte", 4095, 4097, 1, 2 },
	{ "no zero", 0, FILE_LEN, 10000, 64 },
};

static void
test_row(void **state)
{
	static uint8_t want[FILE_LEN], got[FILE_LEN];
	const struct row *row = *state;
	int fd = temp_file(NULL, 0);
	uint64_t written = 0;
	struct stat st;

	memset(want, 0, sizeof(want));
	memset(want + row->start, 0xa5, row->end - row->start);
	for (size_t off = 0; off < FILE_LEN; off += row->step) {
		size_t left = FILE_LEN - off;

		assert_true(sparse_write(fd, off, want + off,
		    row->step < left ? row->step : left, &written));
	}
	assert_in_range(written, row->end - row->start, row->nblocks * BLOCK);
	assert_int_equal(ftruncate(fd, FILE_LEN), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(got));
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(fstat(fd, &st), 0);
	/* Some file systems count blocks of their own for the file. */
	assert_true(st.st_blocks * 512 <= (row->nblocks + 2) * BLOCK);
	close(fd);
}

static void
test_fails(void **state)
{
	static const char text[] = "cannot be written";
	int fd = open("/dev/null", O_RDONLY);

	(void)state;
	errno = 0;
	assert_false(sparse_write(fd, 0, text, sizeof(text), NULL));
	assert_int_equal(errno, EBADF);
	close(fd);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows) + 1] = {
		cmocka_unit_test(test_fails),
	};
	size_t n = 1;

	ADD_ROWS(tests, n, rows, test_row);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
