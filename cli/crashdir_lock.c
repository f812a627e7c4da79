/*
 * The lock of a crash folder: one vmcore save at a time is at work there.
 *
 * Strangers can lock whatever they can open, a folder for one, and would keep
 * us out for ever.  So the lock is a file that is made for it, and that only its
 * owner can open.  In a folder that everybody may write to, a stranger can make a
 * file of that name first.  Such a file is removed, and where that is not allowed,
 * no lock is taken.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/crashdir.h"
#include "cli/crashdir_int.h"

#define LOCK_NAME  ".saving.lock"
#define LOCK_MODE  0600
#define LOCK_TRIES 3 /* a stranger may be quick to make it again */

/* The owner of the folder can keep us out in any case. */
static bool
is_trusted(const struct crashdir *cd, uid_t owner)
{
	struct stat folder;

	return (owner == geteuid() || owner == 0 ||
	    (fstat(cd->cd_fd, &folder) == 0 && owner == folder.st_uid));
}

/* A hard link may lead to any file of ours, also to one that others can open. */
static bool
is_lock(const struct crashdir *cd, const struct stat *st)
{
	return (S_ISREG(st->st_mode) && st->st_nlink == 1 &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    is_trusted(cd, st->st_uid));
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

static int
lock_failed(const struct crashdir *cd)
{
	if (errno != EWOULDBLOCK)
		return (crashdir_complain(cd, LOCK_NAME, EX_TEMPFAIL));
	warnx("%s: another vmcore save is at work there (it has locked %s)",
	    cd->cd_path, LOCK_NAME);
	return (EX_TEMPFAIL);
}

/* EX_OK with *again: the file was removed or replaced meanwhile. */
static int
try_lock(struct crashdir *cd, bool *again)
{
	struct stat st, named;

	*again = false;
	cd->cd_lock_fd = openat(cd->cd_fd, LOCK_NAME,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, LOCK_MODE);
	if (cd->cd_lock_fd < 0 || fstat(cd->cd_lock_fd, &st) != 0)
		return (crashdir_complain(cd, LOCK_NAME, EX_CANTCREAT));
	if (!is_lock(cd, &st))
		*again = true;
	else if (flock(cd->cd_lock_fd, LOCK_EX | LOCK_NB) != 0)
		return (lock_failed(cd));
	else
		*again =
		    !look_at_lock(cd, &named) || !is_same_file(&named, &st);
	return (EX_OK);
}

static void
drop_lock(struct crashdir *cd)
{
	if (cd->cd_lock_fd >= 0)
		(void)close(cd->cd_lock_fd);
	cd->cd_lock_fd = -1;
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
