/*
 * Disks that fail, and disks that change: preloaded into a command.
 *
 *	FAULT_EIO=OFFSET[,OFFSET...]	reads of these bytes fail
 *	FAULT_FILE=PATH			of this file only
 *	FAULT_PATCH=OFFSET:N:PATH	after the Nth read of this byte, write
 *					the file PATH.new over the start of PATH
 *	FAULT_RENAME=NAME		renaming to NAME fails
 */
#undef _FILE_OFFSET_BITS /* pread and pread64 are two names here */
#define _GNU_SOURCE 1
#include <sys/stat.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VISIBLE __attribute__((visibility("default")))

typedef ssize_t pread_t(int, void *, size_t, off_t);
typedef int renameat_t(int, const char *, int, const char *);

VISIBLE pread_t pread, pread64;
VISIBLE renameat_t renameat;
VISIBLE ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
VISIBLE ssize_t __pread64_chk(int, void *, size_t, off_t, size_t);

static int
covers(off_t off, size_t len, const char *text)
{
	long long at = strtoll(text, NULL, 10);

	return (at >= off && at < off + (off_t)len);
}

static int
is_watched(int fd)
{
	const char *path = getenv("FAULT_FILE");
	struct stat a, b;

	return (path == NULL ||
	    (stat(path, &a) == 0 && fstat(fd, &b) == 0 &&
		a.st_dev == b.st_dev && a.st_ino == b.st_ino));
}

static int
is_bad(off_t off, size_t len)
{
	const char *at = getenv("FAULT_EIO");

	while (at != NULL) {
		if (covers(off, len, at))
			return (1);
		at = strchr(at, ',');
		if (at != NULL)
			at++;
	}
	return (0);
}

static void
overwrite(const char *path)
{
	char from[4096], buf[4096];
	int in, out;
	ssize_t n;

	(void)snprintf(from, sizeof(from), "%s.new", path);
	in = open(from, O_RDONLY);
	out = open(path, O_WRONLY);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			abort();
	(void)close(in);
	(void)close(out);
}

static void
patch(off_t off, size_t len)
{
	static long seen;
	const char *how = getenv("FAULT_PATCH");
	const char *count, *path;

	if (how == NULL || !covers(off, len, how) ||
	    (count = strchr(how, ':')) == NULL ||
	    (path = strchr(count + 1, ':')) == NULL)
		return;
	if (++seen == strtol(count + 1, NULL, 10))
		overwrite(path + 1);
}

static ssize_t
read_or_fail(const char *name, int fd, void *buf, size_t len, off_t off)
{
	pread_t *next = (pread_t *)dlsym(RTLD_NEXT, name);
	ssize_t n;

	if (is_watched(fd) && is_bad(off, len)) {
		errno = EIO;
		return (-1);
	}
	n = next(fd, buf, len, off);
	if (n > 0 && is_watched(fd))
		patch(off, (size_t)n);
	return (n);
}

ssize_t
pread(int fd, void *buf, size_t len, off_t off)
{
	return (read_or_fail("pread", fd, buf, len, off));
}

ssize_t
pread64(int fd, void *buf, size_t len, off_t off)
{
	return (read_or_fail("pread64", fd, buf, len, off));
}

/* What FORTIFY makes of the two. */
ssize_t
__pread_chk(int fd, void *buf, size_t len, off_t off, size_t buf_len)
{
	(void)buf_len;
	return (read_or_fail("pread", fd, buf, len, off));
}

ssize_t
__pread64_chk(int fd, void *buf, size_t len, off_t off, size_t buf_len)
{
	(void)buf_len;
	return (read_or_fail("pread64", fd, buf, len, off));
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	const char *bad = getenv("FAULT_RENAME");

	if (bad != NULL && strcmp(to, bad) == 0 && from[1] == 's' &&
	    strncmp(from, ".saving.old", 11) != 0) {
		errno = EPERM;
		return (-1);
	}
	return (((renameat_t *)dlsym(RTLD_NEXT, "renameat"))(from_fd, from,
	    to_fd, to));
}
