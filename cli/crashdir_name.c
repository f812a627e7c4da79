/*
 * Give a file a name that nothing has: see crashdir_int.h.
 */
#define _GNU_SOURCE 1 /* renameat2 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/crashdir_int.h"

/* A file system that knows no links, or may not make this one. */
static bool
is_linkless(int error)
{
	return (error == EPERM || error == EMLINK ||
	    crashdir_is_unsupported(error));
}

#ifdef RENAME_NOREPLACE
static int
rename_unless_there(int fd, const char *from, const char *to)
{
	return (renameat2(fd, from, fd, to, RENAME_NOREPLACE));
}
#elif defined(RENAME_EXCL)
static int
rename_unless_there(int fd, const char *from, const char *to)
{
	return (renameatx_np(fd, from, fd, to, RENAME_EXCL));
}
#else
static int
rename_unless_there(int fd, const char *from, const char *to)
{
	(void)fd;
	(void)from;
	(void)to;
	errno = ENOSYS;
	return (-1);
}
#endif

/* Another run may take the name between the two steps. */
static int
look_and_rename(int fd, const char *from, const char *to)
{
	if (faccessat(fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return (-1);
	}
	return (errno == ENOENT ? renameat(fd, from, fd, to) : -1);
}

/* rename(2) would replace what another run has put there since we looked. */
int
crashdir_name_new(const struct crashdir *cd, const char *from, const char *to)
{
	int fd = cd->cd_fd;

	if (linkat(fd, from, fd, to, 0) == 0) {
		(void)unlinkat(fd, from, 0);
		return (0);
	}
	if (!is_linkless(errno))
		return (-1);
	if (rename_unless_there(fd, from, to) == 0)
		return (0);
	if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		return (-1);
	return (look_and_rename(fd, from, to));
}
