/* Names out of a dump: only plain files are opened. */
#include "libkvm/plainfile.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/temp.h"
#include "tests/support/unit.h"

#define NOBODY 65534 /* a user without rights */

static char dir[] = "/tmp/vmcore-test.XXXXXX";
static char fifo[64], link_to_fifo[64], loop[64], plain[TEMP_PATH_LEN];
static char in_plain[TEMP_PATH_LEN + 8], too_long[PATH_MAX + 1];

static const struct row {
	const char *name;
	const char *path;
	int error; /* 0: it opens */
} rows[] = {
	{ "a plain file", plain, 0 },
	{ "refuses: nothing", "/nonexistent/file", ENOENT },
	{ "refuses: a folder", dir, ENOENT },
	{ "refuses: a device", "/dev/zero", ENOENT },
	{ "refuses: a FIFO", fifo, ENOENT },
	{ "refuses: a link to a FIFO", link_to_fifo, ENOENT },
	{ "refuses: a link to itself", loop, ENOENT },
	{ "refuses: a name too long", too_long, ENOENT },
	{ "refuses: a file in a file", in_plain, ENOENT },
	{ "cannot tell: in a folder that is locked", fifo, EACCES },
	{ "cannot tell: no descriptor is free", plain, EMFILE },
};

static void
test_row(void **state)
{
	const struct row *row = *state;
	struct rlimit old, few = { 0, 0 };
	uid_t user = geteuid();
	int fd, error;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few.rlim_max = old.rlim_max;
	if (row->error == EMFILE)
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	if (row->error == EACCES) {
		assert_int_equal(chmod(dir, 0), 0);
		assert_int_equal(user == 0 ? seteuid(NOBODY) : 0, 0);
	}
	fd = plainfile_open(row->path);
	error = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(geteuid() != user ? seteuid(user) : 0, 0);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(fd >= 0, row->error == 0);
	if (fd >= 0)
		(void)close(fd);
	else
		assert_int_equal(error, row->error);
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
	(void)snprintf(in_plain, sizeof(in_plain), "%s/file", plain);
	memset(too_long, 'x', sizeof(too_long) - 1);
	ADD_ROWS(tests, n, rows, test_row);
	status = RUN_TESTS(tests, n);
	(void)unlink(plain);
	(void)unlink(fifo);
	(void)unlink(link_to_fifo);
	(void)unlink(loop);
	(void)rmdir(dir);
	return (status);
}
