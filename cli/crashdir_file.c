/*
 * One file of a crash folder: is it the source of the dumps, and what went wrong
 * with it.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>

#include "cli/crashdir_int.h"

bool
crashdir_is_source(const struct crashdir *cd, const char *name)
{
	struct stat st;

	return (fstatat(cd->cd_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_same_file(&st, &cd->cd_source));
}

int
crashdir_complain(const struct crashdir *cd, const char *name, int status)
{
	int error = errno;

	if (crashdir_is_source(cd, name)) {
		warnx(
		    "%s/%s: the dump is read from it, and it would be replaced: choose another directory",
		    cd->cd_path, name);
		return (EX_CANTCREAT);
	}
	errno = error;
	if (errno == EIO)
		status = EX_IOERR;
	warn("%s/%s", cd->cd_path, name);
	return (status);
}
