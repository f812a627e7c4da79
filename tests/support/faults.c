/*
 * Disks that fail, and disks that change: preloaded into a command.
 *
 *	FAULT_EIO=OFFSET[,OFFSET...]	reads of these bytes fail
 *	FAULT_FILE=PATH			of this file only
 *	FAULT_PATCH=OFFSET:N:PATH	after the Nth read of this byte, write
 *					the file PATH.new over the start of PATH,
 *					which is made if there is none
 *	FAULT_CUT=OFFSET:N:LENGTH	after that read, cut FAULT_FILE to LENGTH
 *	FAULT_RENAME=NAME		renaming to NAME fails
 *	FAULT_SWAP=NAME			before renaming to NAME, an empty file
 *					takes the place of what is renamed
 *	FAULT_TAKE=NAME			before renaming to NAME, or FAULT_RENAME's
 *					failure, the file NAME.new is renamed to it
 *	FAULT_NO_LINKS=N		hard links are not supported; if N is 2,
 *					RENAME_NOREPLACE is not, either
 *	FAULT_SQUASH=UID		root's files belong to this user, as over NFS
 *	FAULT_FLOCK=ERRNO		flock(2) fails so
 *	FAULT_READ_MAX=BYTES		reads of more than so many in all abort
 *	FAULT_SEEK_MAX=N		so do more than N seeks
 *	FAULT_LINK_MAX=N		so do more than N symbolic links
 *
 * The last three bound the work that a command does, whatever time it takes.
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
typedef ssize_t read_t(int, void *, size_t);
typedef off_t lseek_t(int, off_t, int);
typedef int flock_t(int, int);
typedef int fstat64_t(int, struct stat64 *);
typedef int fstatat64_t(int, const char *, struct stat64 *, int);
typedef int renameat_t(int, const char *, int, const char *);
typedef int linkat_t(int, const char *, int, const char *, int);
typedef int renameat2_t(int, const char *, int, const char *, unsigned int);
typedef int symlinkat_t(const char *, int, const char *);

VISIBLE pread_t pread, pread64;
VISIBLE read_t read;
VISIBLE lseek_t lseek, lseek64;
VISIBLE renameat_t renameat;
VISIBLE int flock(int, int);
VISIBLE fstat64_t fstat64;
VISIBLE fstatat64_t fstatat64;
VISIBLE symlinkat_t symlinkat;
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

/* Add n to what was done; no more of it than the variable has is allowed. */
static void
spend(const char *variable, long long *done, long long n)
{
	const char *max = getenv(variable);

	*done += n;
	if (max != NULL && *done > strtoll(max, NULL, 10))
		abort();
}

static void
overwrite(const char *path)
{
	char from[4096], buf[4096];
	int in, out;
	ssize_t n;

	(void)snprintf(from, sizeof(from), "%s.new", path);
	in = open(from, O_RDONLY);
	out = open(path, O_WRONLY | O_CREAT, 0600);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			abort();
	(void)close(in);
	(void)close(out);
}

/* Is this the read that a variable names, OFFSET:N:WHAT?  Returns WHAT. */
static const char *
is_time(const char *variable, long *seen, off_t off, size_t len)
{
	const char *how = getenv(variable);
	const char *count, *what;

	if (how == NULL || !covers(off, len, how) ||
	    (count = strchr(how, ':')) == NULL ||
	    (what = strchr(count + 1, ':')) == NULL ||
	    ++*seen != strtol(count + 1, NULL, 10))
		return (NULL);
	return (what + 1);
}

static void
change(off_t off, size_t len)
{
	static long patched, cut;
	const char *path = is_time("FAULT_PATCH", &patched, off, len);
	const char *to = is_time("FAULT_CUT", &cut, off, len);

	if (path != NULL)
		overwrite(path);
	if (to != NULL && truncate(getenv("FAULT_FILE"), atoll(to)) != 0)
		abort();
}

static long long nread; /* bytes, of the file that is watched */

ssize_t
read(int fd, void *buf, size_t len)
{
	ssize_t n = ((read_t *)dlsym(RTLD_NEXT, "read"))(fd, buf, len);

	if (n > 0 && is_watched(fd))
		spend("FAULT_READ_MAX", &nread, n);
	return (n);
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
	if (n > 0 && is_watched(fd)) {
		spend("FAULT_READ_MAX", &nread, n);
		change(off, (size_t)n);
	}
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

static off_t
seek(const char *name, int fd, off_t off, int whence)
{
	static long long nseeks;

	if (is_watched(fd))
		spend("FAULT_SEEK_MAX", &nseeks, 1);
	return (((lseek_t *)dlsym(RTLD_NEXT, name))(fd, off, whence));
}

off_t
lseek(int fd, off_t off, int whence)
{
	return (seek("lseek", fd, off, whence));
}

off_t
lseek64(int fd, off_t off, int whence)
{
	return (seek("lseek64", fd, off, whence));
}

/* Two that exist at the same time are two files. */
static void
swap(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, ".swap", O_WRONLY | O_CREAT, 0600);
	renameat_t *next = (renameat_t *)dlsym(RTLD_NEXT, "renameat");

	if (fd < 0 || next(dir_fd, ".swap", dir_fd, name) != 0)
		abort();
	(void)close(fd);
}

/* Does a new file get the name that the variable has? */
static int
is_named(const char *variable, const char *from, const char *to)
{
	const char *name = getenv(variable);

	return (name != NULL && strcmp(to, name) == 0 && from[1] == 's' &&
	    strncmp(from, ".saving.old", 11) != 0);
}

static void
take(int dir_fd, const char *name)
{
	renameat_t *next = (renameat_t *)dlsym(RTLD_NEXT, "renameat");
	char from[64];

	(void)snprintf(from, sizeof(from), "%s.new", name);
	if (next(dir_fd, from, dir_fd, name) != 0 && errno != ENOENT)
		abort();
}

/* What happens before a file gets a name.  Non-zero: it gets none. */
static int
before_naming(int fd, const char *from, const char *to)
{
	if (is_named("FAULT_TAKE", from, to))
		take(fd, to);
	if (is_named("FAULT_RENAME", from, to)) {
		errno = EPERM;
		return (-1);
	}
	if (is_named("FAULT_SWAP", from, to))
		swap(fd, from);
	return (0);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	if (before_naming(from_fd, from, to) != 0)
		return (-1);
	return (((renameat_t *)dlsym(RTLD_NEXT, "renameat"))(from_fd, from,
	    to_fd, to));
}

int
linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	if (before_naming(from_fd, from, to) != 0)
		return (-1);
	if (getenv("FAULT_NO_LINKS") != NULL) {
		errno = EPERM;
		return (-1);
	}
	return (((linkat_t *)dlsym(RTLD_NEXT, "linkat"))(from_fd, from, to_fd,
	    to, flags));
}

int
renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags)
{
	const char *lacks = getenv("FAULT_NO_LINKS");

	if (before_naming(from_fd, from, to) != 0)
		return (-1);
	if (lacks != NULL && strcmp(lacks, "2") == 0) {
		errno = EINVAL;
		return (-1);
	}
	return (((renameat2_t *)dlsym(RTLD_NEXT, "renameat2"))(from_fd, from,
	    to_fd, to, flags));
}

int
flock(int fd, int operation)
{
	const char *error = getenv("FAULT_FLOCK");

	if (error == NULL)
		return (((flock_t *)dlsym(RTLD_NEXT, "flock"))(fd, operation));
	errno = (int)strtol(error, NULL, 10);
	return (-1);
}

static int
squash(int result, struct stat64 *st)
{
	const char *uid = getenv("FAULT_SQUASH");

	if (result == 0 && uid != NULL && st->st_uid == 0)
		st->st_uid = (uid_t)strtoul(uid, NULL, 10);
	return (result);
}

int
fstat64(int fd, struct stat64 *st)
{
	fstat64_t *next = (fstat64_t *)dlsym(RTLD_NEXT, "fstat64");

	return (squash(next(fd, st), st));
}

int
fstatat64(int fd, const char *path, struct stat64 *st, int flags)
{
	fstatat64_t *next = (fstatat64_t *)dlsym(RTLD_NEXT, "fstatat64");

	return (squash(next(fd, path, st, flags), st));
}

int
symlinkat(const char *target, int fd, const char *name)
{
	static long long nlinks;

	spend("FAULT_LINK_MAX", &nlinks, 1);
	return (((symlinkat_t *)dlsym(RTLD_NEXT, "symlinkat"))(target, fd,
	    name));
}
