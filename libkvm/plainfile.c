/*
 * Looking at a file before it is opened, and again after: see plainfile.h.
 */
#include "libkvm/plainfile.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Only what is no such file is absent; errno is ENOENT then. */
static int
check(int result, const struct stat *st)
{
	if (result == 0 && S_ISREG(st->st_mode))
		return (0);
	if (result == 0 || errno == ENOTDIR || errno == ELOOP ||
	    errno == ENAMETOOLONG)
		errno = ENOENT;
	return (-1);
}

int
plainfile_look(const char *path, struct stat *st)
{
	return (check(stat(path, st), st));
}

int
plainfile_open(const char *path)
{
	struct stat st;
	int fd;

	if (plainfile_look(path, &st) != 0)
		return (-1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	/* It may have been replaced meanwhile. */
	if (fd >= 0 && check(fstat(fd, &st), &st) != 0) {
		int error = errno;

		(void)close(fd);
		errno = error;
		return (-1);
	}
	return (fd);
}
