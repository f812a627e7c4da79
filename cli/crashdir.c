/*
 * The folder that crash dumps are saved in: see crashdir.h.
 */
#include "cli/crashdir.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/crashdir_int.h"
#include "cli/number.h"

#define BOUNDS_MODE 0644
#define LINE_LEN    64

/*
 * All that savecore(8) and we have ever called the files of a dump, as they
 * were saved or as somebody has compressed them since.
 */
static const char *const stems[] = { "info", "key", "vmcore",
	"vmcore_encrypted", "textdump.tar", "livecore" };
static const char *const packings[] = { "", ".gz", ".zst", ".xz", ".bz2",
	".lz4" };
#define NPACKINGS (sizeof(packings) / sizeof(packings[0]))
#define NNAMES	  (sizeof(stems) / sizeof(stems[0]) * NPACKINGS)

/* info.N is the first one. */
static struct crashname
name_at(size_t i)
{
	return ((struct crashname){ stems[i / NPACKINGS],
	    packings[i % NPACKINGS] });
}

static const char *
last_name(struct crashname name, char buf[CRASHNAME_LEN])
{
	(void)snprintf(buf, CRASHNAME_LEN, "%s.last%s", name.cn_stem,
	    name.cn_suffix);
	return (buf);
}

/* ---- files on their way ---- */

#define STRAY_DIGITS "9"
#define STRAY_TRIES  100

static int
create(const struct crashdir *cd, const char *name, unsigned int mode)
{
	return (openat(cd->cd_fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
}

/* Strangers cannot have put files there under all names that the time may give. */
static int
create_elsewhere(const struct crashdir *cd, const char *temp, unsigned int mode,
    struct newfile *nf)
{
	int fd = -1;

	for (int i = 0; i < STRAY_TRIES && fd < 0; i++) {
		struct timespec now = { 0 };

		(void)clock_gettime(CLOCK_REALTIME, &now);
		(void)snprintf(nf->nf_temp, sizeof(nf->nf_temp),
		    "%s.%0" STRAY_DIGITS "ld", temp, now.tv_nsec);
		fd = create(cd, nf->nf_temp, mode);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return (fd);
}

/* Is it the name of such a file? */
static bool
is_stray(const char *name)
{
	char digits[sizeof("123456789")];
	int len = 0;

	return (sscanf(name, ".saving.%*[a-z].%" STRAY_DIGITS "[0-9]%n", digits,
		    &len) == 1 &&
	    len > 0 && name[len] == '\0' &&
	    strlen(digits) == sizeof(digits) - 1);
}

int
newfile_create(const struct crashdir *cd, const char *temp, unsigned int mode,
    struct newfile *nf)
{
	*nf = NEWFILE_NONE;
	if (crashdir_is_source(cd, temp))
		return (crashdir_complain(cd, temp, EX_CANTCREAT));
	/* A folder that others may write could have anything of that name. */
	(void)unlinkat(cd->cd_fd, temp, 0);
	(void)snprintf(nf->nf_temp, sizeof(nf->nf_temp), "%s", temp);
	nf->nf_fd = create(cd, temp, mode);
	if (nf->nf_fd < 0 && errno == EEXIST)
		nf->nf_fd = create_elsewhere(cd, temp, mode, nf);
	if (nf->nf_fd >= 0)
		return (EX_OK);
	*nf = NEWFILE_NONE;
	return (crashdir_complain(cd, temp, EX_CANTCREAT));
}

int
newfile_sync(const struct crashdir *cd, const struct newfile *nf)
{
	if (nf->nf_temp[0] != '\0' && fsync(nf->nf_fd) != 0)
		return (crashdir_complain(cd, nf->nf_temp, EX_IOERR));
	return (EX_OK);
}

static int
name_is_taken(const struct crashdir *cd, const char *name)
{
	warnx("%s/%s: another has taken the name meanwhile", cd->cd_path, name);
	return (EX_TEMPFAIL);
}

/* Does the file that we have written have that name? */
static bool
has_name(const struct crashdir *cd, const struct newfile *nf, const char *name)
{
	struct stat written, named;

	return (fstat(nf->nf_fd, &written) == 0 &&
	    fstatat(cd->cd_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_same_file(&written, &named));
}

static int
check_named(const struct crashdir *cd, const struct newfile *nf,
    const char *name)
{
	if (has_name(cd, nf, name))
		return (EX_OK);
	warnx("%s/%s: another file took the place of the one that was written",
	    cd->cd_path, name);
	return (EX_TEMPFAIL);
}

/* Give it its name, in place of any other file's if replaces is true. */
static int
name_newfile(const struct crashdir *cd, struct newfile *nf, const char *name,
    bool replaces)
{
	int result, status;

	if (crashdir_is_source(cd, name))
		return (crashdir_complain(cd, name, EX_CANTCREAT));
	result = replaces ? renameat(cd->cd_fd, nf->nf_temp, cd->cd_fd, name) :
			    crashdir_name_new(cd, nf->nf_temp, name);
	if (result != 0)
		return (errno == EEXIST ?
			name_is_taken(cd, name) :
			crashdir_complain(cd, name, EX_CANTCREAT));
	nf->nf_temp[0] = '\0';
	status = check_named(cd, nf, name);
	if (status != EX_OK && !replaces)
		(void)unlinkat(cd->cd_fd, name, 0);
	return (status);
}

void
newfile_abandon(const struct crashdir *cd, struct newfile *nf)
{
	if (nf->nf_fd >= 0)
		(void)close(nf->nf_fd);
	if (nf->nf_temp[0] != '\0')
		(void)unlinkat(cd->cd_fd, nf->nf_temp, 0);
	*nf = NEWFILE_NONE;
}

/* Get names to the disk; some file systems need not, or cannot. */
static bool
sync_folder(const struct crashdir *cd)
{
	return (fsync(cd->cd_fd) == 0 || errno == EINVAL || errno == ENOTSUP);
}

/* ---- older dumps ---- */

/*
 * Files of an older dump are set aside under these names, info.N first, until
 * the new ones have theirs, info.N last.  So if the machine fails meanwhile,
 * an info.N beside files that were set aside is the new dump's, which is whole;
 * without one, the older dump gets its names back.
 */
#define ASIDE ".saving.old."

static const char *
aside_name(struct crashname name, uint32_t number, char buf[CRASHNAME_LEN])
{
	(void)snprintf(buf, CRASHNAME_LEN, ASIDE "%s.%" PRIu32 "%s",
	    name.cn_stem, number, name.cn_suffix);
	return (buf);
}

/* Is none of a dump's files, set aside or not, the one that is read? */
static int
check_source(const struct crashdir *cd, uint32_t number)
{
	char name[CRASHNAME_LEN];

	for (size_t i = 0; i < NNAMES; i++)
		if (crashdir_is_source(cd,
			crashname_put(name_at(i), number, name)) ||
		    crashdir_is_source(cd,
			aside_name(name_at(i), number, name)))
			return (crashdir_complain(cd, name, EX_CANTCREAT));
	return (EX_OK);
}

/* ---- bounds and minfree ---- */

/* The first line of a file, without blanks at its end.  false: none. */
static bool
read_line(const struct crashdir *cd, const char *name, char line[LINE_LEN])
{
	/* A link in a folder that others may write could lead anywhere. */
	int fd = openat(cd->cd_fd, name,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return (false);
	n = fd < 0 ? -1 : read(fd, line, LINE_LEN - 1);
	/* FreeBSD has EMLINK for it. */
	if (n < 0 && (errno == ELOOP || errno == EMLINK))
		warnx("warning: %s/%s is a link, which is not followed",
		    cd->cd_path, name);
	else if (n < 0)
		warn("warning: %s/%s", cd->cd_path, name);
	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return (false);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	n = (ssize_t)strlen(line);
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		line[--n] = '\0';
	return (true);
}

/* Is there a file of that name that a stranger has made? */
static bool
is_strangers_name(const struct crashdir *cd, const char *name)
{
	struct stat st;

	return (fstatat(cd->cd_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    crashdir_is_strangers(cd, &st));
}

/*
 * The number on the first line of a file; false if there is no such file, or,
 * after a warning, no number in it, or one that a stranger has written.
 */
static bool
read_number(const struct crashdir *cd, const char *name, const char *what,
    uint64_t *out)
{
	char line[LINE_LEN];

	if (is_strangers_name(cd, name)) {
		warnx(
		    "warning: %s/%s is not trusted: its owner is neither you, root nor the owner of %s",
		    cd->cd_path, name, cd->cd_path);
		return (false);
	}
	if (!read_line(cd, name, line))
		return (false);
	if (number_parse(line, out))
		return (true);
	warnx("warning: %s/%s: not a number of %s: \"%s\"", cd->cd_path, name,
	    what, line);
	return (false);
}

static int
write_bounds(const struct crashdir *cd, uint32_t number)
{
	struct newfile nf = NEWFILE_NONE;
	int status;

	if (!crashdir_may_replace(cd, "bounds"))
		return (EX_OK);
	status = newfile_create(cd, ".saving.bounds", BOUNDS_MODE, &nf);
	if (status == EX_OK && dprintf(nf.nf_fd, "%" PRIu32 "\n", number) < 0)
		status = crashdir_complain(cd, nf.nf_temp, EX_IOERR);
	if (status == EX_OK)
		status = newfile_sync(cd, &nf);
	if (status == EX_OK)
		status = name_newfile(cd, &nf, "bounds", true);
	newfile_abandon(cd, &nf);
	return (status);
}

static bool
is_used(const struct crashdir *cd, uint32_t number)
{
	char name[CRASHNAME_LEN];

	for (size_t i = 0; i < NNAMES; i++)
		if (faccessat(cd->cd_fd,
			crashname_put(name_at(i), number, name), F_OK,
			AT_SYMLINK_NOFOLLOW) == 0)
			return (true);
	return (false);
}

/* The status of info.N as it is now; zeros if there is no such file. */
static struct stat
look_at_info(const struct crashdir *cd, uint32_t number)
{
	char name[CRASHNAME_LEN];
	struct stat st;

	if (fstatat(cd->cd_fd, crashname_put(name_at(0), number, name), &st,
		AT_SYMLINK_NOFOLLOW) != 0)
		memset(&st, 0, sizeof(st));
	return (st);
}

/* Does a dump of this number stay, for its files or because it is just saved? */
static bool
has_to_stay(const struct crashdir *cd, uint32_t number)
{
	char name[CRASHNAME_LEN];

	for (unsigned int i = 0; i < cd->cd_nsaved; i++)
		if (cd->cd_saved[i] == number)
			return (true);
	for (size_t i = 0; i < NNAMES; i++)
		if (!crashdir_may_replace(cd,
			crashname_put(name_at(i), number, name)) ||
		    is_strangers_name(cd, aside_name(name_at(i), number, name)))
			return (true);
	return (false);
}

/* The first number from n on that is free. */
static uint32_t
free_number(const struct crashdir *cd, uint32_t n)
{
	while (is_used(cd, n))
		n++;
	return (n);
}

/* The number for -m that comes first, going round from start on. */
static uint32_t
next_number(const struct crashdir *cd, uint32_t start, uint32_t max)
{
	for (uint32_t i = 0; i < max; i++) {
		uint32_t n = i < max - start ? start + i : i - (max - start);

		if (!has_to_stay(cd, n))
			return (n);
	}
	return (max);
}

/* The number for -m that is free, or else that of the oldest dump. */
static uint32_t
oldest_number(const struct crashdir *cd, uint32_t max)
{
	uint32_t oldest = max;

	for (uint32_t n = 0; n < max; n++) {
		if (has_to_stay(cd, n))
			continue;
		if (!is_used(cd, n))
			return (n);
		if (oldest == max ||
		    look_at_info(cd, n).st_mtime <
			look_at_info(cd, oldest).st_mtime)
			oldest = n;
	}
	return (oldest);
}

/* A dump is not lost because all that -m could replace has to stay. */
static uint32_t
number_above(const struct crashdir *cd, uint32_t max)
{
	warnx("warning: %s: no number below %" PRIu32
	      " may be used: the dump gets one above",
	    cd->cd_path, max);
	return (free_number(cd, max));
}

/* false: bounds tells no number. */
static bool
read_bounds(const struct crashdir *cd, uint32_t *number)
{
	uint64_t bounds;

	if (!read_number(cd, "bounds", "dumps", &bounds) ||
	    bounds >= UINT32_MAX)
		return (false);
	*number = (uint32_t)bounds;
	return (true);
}

static uint32_t
number_for_max(const struct crashdir *cd, uint32_t max)
{
	uint32_t n;

	/* If bounds stays as it is, the same dump would be replaced each time. */
	if (!read_bounds(cd, &n) || !crashdir_may_replace(cd, "bounds"))
		n = oldest_number(cd, max);
	else
		n = next_number(cd, n < max ? n : 0, max);
	return (n < max ? n : number_above(cd, max));
}

static uint32_t
number_without_max(const struct crashdir *cd)
{
	uint32_t n;

	return (free_number(cd, read_bounds(cd, &n) ? n : 0));
}

int
crashdir_take_number(struct crashdir *cd, uint32_t max, uint32_t *number)
{
	uint32_t n =
	    max == 0 ? number_without_max(cd) : number_for_max(cd, max);
	int status;

	*number = n;
	cd->cd_info = look_at_info(cd, n);
	status = max == 0 ? EX_OK : check_source(cd, n);
	return (status == EX_OK ? write_bounds(cd, n + 1) : status);
}

int
crashdir_check_room(const struct crashdir *cd, uint64_t len)
{
	uint64_t room, minfree, reserved = 0;
	char need[NUMBER_HUMAN_LEN], have[NUMBER_HUMAN_LEN];
	struct statvfs fs;

	if (fstatvfs(cd->cd_fd, &fs) != 0) {
		warn("%s", cd->cd_path);
		return (EX_IOERR);
	}
	if (__builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize,
		&room))
		room = UINT64_MAX;
	if (read_number(cd, "minfree", "kilobytes", &minfree) &&
	    __builtin_mul_overflow(minfree, UINT64_C(1024), &reserved))
		reserved = UINT64_MAX;
	room = room > reserved ? room - reserved : 0;
	if (len <= room)
		return (EX_OK);
	warnx("%s: no room for a dump of %s: %s free%s", cd->cd_path,
	    number_human(len, need), number_human(room, have),
	    reserved != 0 ? " above minfree" : "");
	return (EX_CANTCREAT);
}

/* ---- names ---- */

/* false: errno tells why, EISDIR for somebody's folder. */
static bool
set_one_aside(const struct crashdir *cd, uint32_t number, bool replaces,
    size_t i)
{
	char name[CRASHNAME_LEN], aside[CRASHNAME_LEN];
	struct stat st;

	(void)crashname_put(name_at(i), number, name);
	(void)aside_name(name_at(i), number, aside);
	if (fstatat(cd->cd_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return (errno == ENOENT);
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return (false);
	}
	if (!replaces) {
		errno = EEXIST;
		return (false);
	}
	/* A file that could not be recovered is kept. */
	return (crashdir_name_new(cd, name, aside) == 0);
}

/*
 * Give the first n names back, info.N last, and not at all if another one cannot
 * be: what is aside beside an info.N counts as replaced.  Files of a run that was
 * cut off may have the names since; they are replaced if replaces is true.
 */
static void
put_back(const struct crashdir *cd, uint32_t number, size_t n, bool replaces)
{
	char name[CRASHNAME_LEN], aside[CRASHNAME_LEN];
	int result;

	while (n-- > 0) {
		(void)aside_name(name_at(n), number, aside);
		(void)crashname_put(name_at(n), number, name);
		result = replaces ?
		    renameat(cd->cd_fd, aside, cd->cd_fd, name) :
		    crashdir_name_new(cd, aside, name);
		if (result == 0 || errno == ENOENT)
			continue;
		warn("warning: %s/%s cannot be made %s again", cd->cd_path,
		    aside, name);
		return;
	}
}

static void
remove_aside(const struct crashdir *cd, uint32_t number)
{
	char aside[CRASHNAME_LEN];

	for (size_t i = 0; i < NNAMES; i++)
		(void)unlinkat(cd->cd_fd, aside_name(name_at(i), number, aside),
		    0);
}

/* Is text the name of a file that was set aside?  *number: its dump's. */
static bool
is_aside(const char *text, uint32_t *number)
{
	char aside[CRASHNAME_LEN];

	for (size_t i = 0; i < NNAMES; i++) {
		size_t len = strlen(ASIDE) + strlen(name_at(i).cn_stem) + 1;

		if (strlen(text) < len)
			continue;
		*number = (uint32_t)strtoul(text + len, NULL, 10);
		if (strcmp(text, aside_name(name_at(i), *number, aside)) == 0)
			return (true);
	}
	return (false);
}

/* In a folder that others may write, anybody could have put files there. */
static bool
all_are_ours(const struct crashdir *cd, uint32_t number)
{
	char aside[CRASHNAME_LEN];
	struct stat st;

	for (size_t i = 0; i < NNAMES; i++)
		if (fstatat(cd->cd_fd, aside_name(name_at(i), number, aside),
			&st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !crashdir_is_ours(cd, &st))
			return (false);
	return (true);
}

/* Undo or end what a run that was cut off has left half done of a dump. */
static int
recover_dump(const struct crashdir *cd, uint32_t number)
{
	char info[CRASHNAME_LEN];

	if (check_source(cd, number) != EX_OK)
		return (EX_CANTCREAT);
	(void)crashname_put(name_at(0), number, info);
	if (!all_are_ours(cd, number))
		warnx("warning: %s/" ASIDE
		      "*: left there, for they are somebody else's",
		    cd->cd_path);
	else if (faccessat(cd->cd_fd, info, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		remove_aside(cd, number);
	else
		put_back(cd, number, NNAMES, true);
	return (EX_OK);
}

/* Without a lock, another run may be writing it. */
static void
remove_stray(const struct crashdir *cd, const char *name)
{
	struct stat st;

	if (cd->cd_lock_fd >= 0 && !crashdir_is_source(cd, name) &&
	    fstatat(cd->cd_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && crashdir_is_ours(cd, &st))
		(void)unlinkat(cd->cd_fd, name, 0);
}

/* Remove the unfinished files that runs left which were cut off. */
static int
recover_all(const struct crashdir *cd)
{
	int fd = openat(cd->cd_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int status = EX_OK;
	uint32_t number;

	if (dir == NULL) {
		status = crashdir_complain(cd, ".", EX_CANTCREAT);
		if (fd >= 0)
			(void)close(fd);
		return (status);
	}
	while (status == EX_OK && (entry = readdir(dir)) != NULL)
		if (is_aside(entry->d_name, &number))
			status = recover_dump(cd, number);
		else if (is_stray(entry->d_name))
			remove_stray(cd, entry->d_name);
	(void)closedir(dir);
	(void)sync_folder(cd);
	return (status);
}

/*
 * Has another run saved a dump under this number since we took it?  Some file
 * systems give a file another inode number now and then.
 */
static bool
is_saved_since(const struct crashdir *cd, uint32_t number)
{
	const struct stat *before = &cd->cd_info;
	struct stat now = look_at_info(cd, number);

	return (now.st_mode != 0 && !is_same_file(&now, before) &&
	    (now.st_mtime != before->st_mtime ||
		now.st_size != before->st_size));
}

/* Files of an older dump with this number, the text about it first. */
static int
set_aside(const struct crashdir *cd, uint32_t number, bool replaces)
{
	char name[CRASHNAME_LEN];
	int status;

	if (replaces && is_saved_since(cd, number))
		return (name_is_taken(cd,
		    crashname_put(name_at(0), number, name)));
	for (size_t i = 0; i < NNAMES; i++) {
		if (set_one_aside(cd, number, replaces, i))
			continue;
		(void)crashname_put(name_at(i), number, name);
		status = errno == EEXIST && !replaces ?
		    name_is_taken(cd, name) :
		    crashdir_complain(cd, name, EX_CANTCREAT);
		put_back(cd, number, i, false);
		return (status);
	}
	return (EX_OK);
}

int
crashdir_open(struct crashdir *cd, const char *path, int source_fd)
{
	int status;

	*cd = CRASHDIR_NONE;
	cd->cd_path = path;
	cd->cd_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cd->cd_fd < 0) {
		warn("%s", path);
		return (errno == EIO ? EX_IOERR : EX_CANTCREAT);
	}
	cd->cd_uid = geteuid();
	if (fstat(source_fd, &cd->cd_source) != 0 ||
	    fstat(cd->cd_fd, &cd->cd_folder) != 0)
		return (crashdir_complain(cd, ".", EX_IOERR));
	status = crashdir_lock(cd);
	return (status == EX_OK ? recover_all(cd) : status);
}

/* A file of that name is ours as long as no other took its place. */
static void
unname(const struct crashdir *cd, const struct newfile *nf, const char *name)
{
	if (has_name(cd, nf, name))
		(void)unlinkat(cd->cd_fd, name, 0);
}

static int
name_all(const struct crashdir *cd, uint32_t number, struct newfile *files,
    const struct crashname *to, unsigned int nfiles)
{
	char name[CRASHNAME_LEN];
	int status = EX_OK;
	unsigned int i, n = 0;

	while (n < nfiles && status == EX_OK) {
		(void)crashname_put(to[n], number, name);
		status = name_newfile(cd, &files[n], name, false);
		n += status == EX_OK;
	}
	if (status == EX_OK && !sync_folder(cd))
		status = crashdir_complain(cd, ".", EX_IOERR);
	for (i = 0; i < nfiles && status == EX_OK; i++)
		status = check_named(cd, &files[i],
		    crashname_put(to[i], number, name));
	if (status == EX_OK)
		return (EX_OK);
	while (n-- > 0)
		unname(cd, &files[n], crashname_put(to[n], number, name));
	return (status);
}

/* ---- the last dump ---- */

/* Somebody's file of such a name is none of our business. */
static void
unlink_last(const struct crashdir *cd)
{
	char name[CRASHNAME_LEN];
	struct stat st;

	for (size_t i = 0; i < NNAMES; i++)
		if (fstatat(cd->cd_fd, last_name(name_at(i), name), &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			(void)unlinkat(cd->cd_fd, name, 0);
}

static void
link_one(const struct crashdir *cd, struct crashname name)
{
	char target[CRASHNAME_LEN], last[CRASHNAME_LEN];

	(void)crashname_put(name, cd->cd_saved[cd->cd_nsaved - 1], target);
	(void)last_name(name, last);
	if (symlinkat(target, cd->cd_fd, last) != 0)
		warn("warning: %s/%s cannot be made a link to %s", cd->cd_path,
		    last, target);
}

/* Only of the last dump of many: links that come and go cost more than a dump. */
static void
link_last(const struct crashdir *cd)
{
	for (unsigned int i = 0; i < cd->cd_nnames; i++)
		link_one(cd, cd->cd_names[i]);
	if (cd->cd_nnames > 0)
		(void)sync_folder(cd);
}

/* Remember that this dump is the last one. */
static void
note_last(struct crashdir *cd, uint32_t number, const struct crashname *names,
    unsigned int nnames)
{
	if (cd->cd_nsaved == 0)
		unlink_last(cd);
	cd->cd_saved[cd->cd_nsaved++] = number;
	cd->cd_nnames = nnames;
	memcpy(cd->cd_names, names, nnames * sizeof(*names));
}

int
crashdir_publish(struct crashdir *cd, uint32_t number, bool replaces,
    struct newfile *files, const struct crashname *to, unsigned int nfiles)
{
	int status = set_aside(cd, number, replaces);

	if (status != EX_OK)
		return (status);
	status = name_all(cd, number, files, to, nfiles);
	if (status != EX_OK) {
		put_back(cd, number, NNAMES, false);
		return (status);
	}
	/* The dump is saved: whatever fails now must not save it once more. */
	if (replaces)
		remove_aside(cd, number);
	note_last(cd, number, to, nfiles);
	return (EX_OK);
}

void
crashdir_close(struct crashdir *cd)
{
	link_last(cd);
	crashdir_unlock(cd);
	if (cd->cd_fd >= 0)
		(void)close(cd->cd_fd);
	cd->cd_fd = -1;
}
