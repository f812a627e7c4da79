/*
 * Functions that crashdir*.c share.  A file calls only functions of the files that
 * stand above its own here.
 */
#ifndef CLI_CRASHDIR_INT_H
#define CLI_CRASHDIR_INT_H

#include <sys/stat.h>

#include <stdbool.h>

#include "cli/crashdir.h"

/* ---- crashdir_file.c ---- */

static inline bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return (a->st_dev == b->st_dev && a->st_ino == b->st_ino);
}

/* Is the file of that name the one that dumps are read from? */
bool crashdir_is_source(const struct crashdir *cd, const char *name);

/* Is it the error of a call that the file system does not have? */
bool crashdir_is_unsupported(int error);

/* Does it belong to this user? */
bool crashdir_is_ours(const struct crashdir *cd, const struct stat *st);

/*
 * Has one who is not trusted put it there?  In a folder without the sticky bit, who
 * may write is trusted: he could remove our files, too.
 */
bool crashdir_is_strangers(const struct crashdir *cd, const struct stat *st);

/* May this user replace what has that name, if anything? */
bool crashdir_may_replace(const struct crashdir *cd, const char *name);

/*
 * Say what errno tells of the file of that name.  Returns the exit status, which is
 * status unless the disk failed or the dump is read from that file.
 */
int crashdir_complain(const struct crashdir *cd, const char *name, int status);

/* ---- crashdir_name.c ---- */

/*
 * Give the file named from the name to.  Returns 0, or -1 with errno: EEXIST if
 * something has the name, which is not touched.
 */
int crashdir_name_new(const struct crashdir *cd, const char *from,
    const char *to);

/* ---- crashdir_lock.c ---- */

/*
 * Keep others out until crashdir_unlock().  Returns an exit status: EX_TEMPFAIL if
 * another is at work there.  With EX_OK there may be no lock, after a warning.
 */
int crashdir_lock(struct crashdir *cd);
void crashdir_unlock(struct crashdir *cd);

#endif
