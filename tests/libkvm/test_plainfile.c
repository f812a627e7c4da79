/* Names out of a dump: only plain files are opened. */
#include "libkvm/plainfile.h"

#include <sys/stat.h>

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/support/temp.h"
#include "tests/support/unit.h"

static char dir[] = "/tmp/vmcore-test.XXXXXX";
static char fifo[64], link_to_fifo[64], loop[64], plain[TEMP_PATH_LEN];

static const struct row {
	const char *name;
	const char *path;
	bool opens;
} rows[] = {
	{ "a plain file", plain, true },
	{ "refuses: nothing", "/nonexistent/file", false },
	{ "refuses: a folder", dir, false },
	{ "refuses: a device", "/dev/zero", false },
	{ "refuses: a FIFO", fifo, false },
	{ "refuses: a link to a FIFO", link_to_fifo, false },
	{ "refuses: a link to itself", loop, false },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	int fd = plainfile_open(row->path);

	assert_int_equal(fd >= 0, row->opens);
	if (fd >= 0)
		(void)close(fd);
}

int
main(void)
{
	struct CMUnitTest tests[NROWS(rows)];
	size_t n = 0;
	int status;

	temp_named("plain", 5, plain);
	if (mkdtemp(dir) == NULL)
		return (1);
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	(void)snprintf(link_to_fifo, sizeof(link_to_fifo), "%s/link", dir);
	(void)snprintf(loop, sizeof(loop), "%s/loop", dir);
	if (mkfifo(fifo, 0600) != 0 || symlink(fifo, link_to_fifo) != 0 ||
	    symlink(loop, loop) != 0)
		return (1);
	ADD_ROWS(tests, n, rows, test_row);
	status = RUN_TESTS(tests, n);
	(void)unlink(plain);
	(void)unlink(fifo);
	(void)unlink(link_to_fifo);
	(void)unlink(loop);
	(void)rmdir(dir);
	return (status);
}
