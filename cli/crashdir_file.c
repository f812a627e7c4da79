/*
 * One file of a crash folder: whose it is, whether it is the source of the dumps, and
 * what went wrong with it.
 */
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/crashdir_int.h"

bool
crashdir_is_source(const struct crashdir *cd, const char *name)
{
	struct stat st;

	return (fstatat(cd->cd_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_same_file(&st, &cd->cd_source));
}

bool
crashdir_is_unsupported(int error)
{
	switch (error) {
	case ENOSYS:
	case ENOTSUP:
#if EOPNOTSUPP != ENOTSUP
	case EOPNOTSUPP:
#endif
		return (true);
	default:
		return (false);
	}
}

bool
crashdir_is_ours(const struct crashdir *cd, const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == cd->cd_uid);
}

/* The owner of the folder can keep us out in any case. */
bool
crashdir_is_strangers(const struct crashdir *cd, const struct stat *st)
{
	return ((cd->cd_folder.st_mode & S_ISVTX) != 0 && st->st_uid != 0 &&
	    st->st_uid != cd->cd_folder.st_uid && !crashdir_is_ours(cd, st));
}

/* Somebody's folder is not replaced by a file. */
bool
crashdir_may_replace(const struct crashdir *cd, const char *name)
{
	struct stat st;

	if (fstatat(cd->cd_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (cd->cd_folder.st_mode & S_ISVTX) == 0 || crashdir_is_ours(cd, &st))
		return (true);
	return (!S_ISDIR(st.st_mode) &&
	    (cd->cd_uid == 0 || cd->cd_uid == cd->cd_folder.st_uid));
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
