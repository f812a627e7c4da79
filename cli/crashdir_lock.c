/*
 * The lock of a crash folder: one vmcore save at a time is at work there.
 *
 * Strangers can lock whatever they can open, a folder for one, and would keep
 * us out for ever.  So the lock is a file that is made for it, and that strangers
 * cannot open.  In a folder with the sticky bit, as /tmp has it, a stranger can
 * make a file of that name first.  Such a file is removed, and where that is not
 * allowed, no lock is taken.  In any other folder, whoever can make a file can
 * remove ours, too: the file is a colleague's, and keeps us out.  All who may write
 * to such a folder can open it: only then can they tell a lock that is held from
 * one that a crash has left.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/crashdir.h"
#include "cli/crashdir_int.h"

#define LOCK_NAME  ".saving.lock"
#define LOCK_MODE  0600
#define LOCK_TRIES 3 /* a stranger may be quick to make it again */

/*
 * In a folder with the sticky bit, it is one that strangers cannot open.  A hard link
 * may lead to any file of ours, also to one that they can.
 */
static bool
is_lock(const struct crashdir *cd, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || (cd->cd_folder.st_mode & S_ISVTX) == 0)
		return (S_ISREG(st->st_mode));
	return (st->st_nlink == 1 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    !crashdir_is_strangers(cd, st));
}

/* Is there a file of that name? */
static bool
look_at_lock(const struct crashdir *cd, struct stat *st)
{
	return (fstatat(cd->cd_fd, LOCK_NAME, st, AT_SYMLINK_NOFOLLOW) == 0);
}

static void
warn_stranger(const struct crashdir *cd, const struct stat *st,
    const char *outcome)
{
	warnx("warning: %s/%s of user %ju is no lock to be trusted: %s",
	    cd->cd_path, LOCK_NAME, (uintmax_t)st->st_uid, outcome);
}

/* false: there is a stranger's file, and it stays. */
static bool
remove_strangers(const struct crashdir *cd)
{
	struct stat st;

	if (!look_at_lock(cd, &st) || is_lock(cd, &st))
		return (true);
	if (unlinkat(cd->cd_fd, LOCK_NAME, 0) == 0)
		warn_stranger(cd, &st, "it was removed");
	else if (errno != ENOENT) {
		warn_stranger(cd, &st,
		    "nothing keeps another vmcore save out of there");
		return (false);
	}
	return (true);
}

static void
drop_lock(struct crashdir *cd)
{
	if (cd->cd_lock_fd >= 0)
		(void)close(cd->cd_lock_fd);
	cd->cd_lock_fd = -1;
}

/* NFS without a lock daemon, and some file systems of FUSE. */
static bool
knows_no_locks(int error)
{
	return (error == ENOLCK || crashdir_is_unsupported(error));
}

static int
lock_failed(struct crashdir *cd, const struct stat *st)
{
	if (knows_no_locks(errno)) {
		warnx(
		    "warning: %s/%s: %s: nothing keeps another vmcore save out of there",
		    cd->cd_path, LOCK_NAME, strerror(errno));
		crashdir_unlock(cd);
		return (EX_OK);
	}
	if (errno != EWOULDBLOCK)
		return (crashdir_complain(cd, LOCK_NAME, EX_TEMPFAIL));
	warnx(
	    "%s: another vmcore save is at work there (%s of user %ju is locked)",
	    cd->cd_path, LOCK_NAME, (uintmax_t)st->st_uid);
	return (EX_TEMPFAIL);
}

/* The file is older than the rule above, or is not of the folder's group. */
static int
open_failed(const struct crashdir *cd)
{
	struct stat st;

	if (errno != EACCES || !look_at_lock(cd, &st))
		return (crashdir_complain(cd, LOCK_NAME, EX_CANTCREAT));
	warnx(
	    "%s: another vmcore save of user %ju may be at work there: if none is, remove %s/%s",
	    cd->cd_path, (uintmax_t)st.st_uid, cd->cd_path, LOCK_NAME);
	return (EX_TEMPFAIL);
}

/* Let all open it who may write to the folder. */
static void
share_lock(const struct crashdir *cd, int fd)
{
	mode_t folder = cd->cd_folder.st_mode, more = 0;

	if ((folder & S_ISVTX) == 0 && (folder & S_IWGRP) != 0)
		more |= S_IRGRP | S_IWGRP;
	if ((folder & S_ISVTX) == 0 && (folder & S_IWOTH) != 0)
		more |= S_IROTH | S_IWOTH;
	if (more != 0 && fchown(fd, (uid_t)-1, cd->cd_folder.st_gid) == 0)
		(void)fchmod(fd, LOCK_MODE | more);
}

/* Sets *made: it is new, and ours whatever the file system says of it. */
static int
open_lock(const struct crashdir *cd, bool *made)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(cd->cd_fd, LOCK_NAME, flags);

	*made = fd < 0 && errno == ENOENT;
	if (!*made)
		return (fd);
	fd = openat(cd->cd_fd, LOCK_NAME, flags | O_CREAT | O_EXCL, LOCK_MODE);
	if (fd >= 0)
		share_lock(cd, fd);
	return (fd);
}

/* EX_OK with *again: the file was made, removed or replaced meanwhile. */
static int
try_lock(struct crashdir *cd, bool *again)
{
	struct stat st, named;
	bool made;

	cd->cd_lock_fd = open_lock(cd, &made);
	*again = cd->cd_lock_fd < 0 && made && errno == EEXIST;
	if (*again)
		return (EX_OK);
	if (cd->cd_lock_fd < 0 || fstat(cd->cd_lock_fd, &st) != 0)
		return (open_failed(cd));
	if (made)
		cd->cd_uid = st.st_uid;
	if (!made && !is_lock(cd, &st))
		*again = true;
	else if (flock(cd->cd_lock_fd, LOCK_EX | LOCK_NB) != 0)
		return (lock_failed(cd, &st));
	else
		*again =
		    !look_at_lock(cd, &named) || !is_same_file(&named, &st);
	return (EX_OK);
}

int
crashdir_lock(struct crashdir *cd)
{
	bool again = true;
	int status = EX_OK;

	if (crashdir_is_source(cd, LOCK_NAME))
		return (crashdir_complain(cd, LOCK_NAME, EX_CANTCREAT));
	for (unsigned int i = 0; again && i < LOCK_TRIES; i++) {
		if (!remove_strangers(cd))
			return (EX_OK);
		status = try_lock(cd, &again);
		if (status != EX_OK || again)
			drop_lock(cd);
	}
	if (again)
		warnx("warning: %s/%s: cannot be locked by us alone",
		    cd->cd_path, LOCK_NAME);
	return (status);
}

void
crashdir_unlock(struct crashdir *cd)
{
	if (cd->cd_lock_fd >= 0)
		(void)unlinkat(cd->cd_fd, LOCK_NAME, 0);
	drop_lock(cd);
}
