/*
 * The folder that crash dumps are saved in: see crashdir.h.
 */
#include "cli/crashdir.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/number.h"

#define BOUNDS_MODE 0644

/* All that savecore(8) and we have ever called the files of a dump. */
static const struct crashname names[] = {
	{ "info", "" },
	{ "key", "" },
	{ "vmcore", "" },
	{ "vmcore", ".gz" },
	{ "vmcore", ".zst" },
	{ "vmcore_encrypted", "" },
	{ "vmcore_encrypted", ".gz" },
	{ "textdump.tar", "" },
	{ "textdump.tar", ".gz" },
};
#define NNAMES (sizeof(names) / sizeof(names[0]))

const char *
crashname_put(struct crashname name, uint32_t number, char buf[CRASHNAME_LEN])
{
	(void)snprintf(buf, CRASHNAME_LEN, "%s.%" PRIu32 "%s", name.cn_stem,
	    number, name.cn_suffix);
	return (buf);
}

static const char *
last_name(struct crashname name, char buf[CRASHNAME_LEN])
{
	(void)snprintf(buf, CRASHNAME_LEN, "%s.last%s", name.cn_stem,
	    name.cn_suffix);
	return (buf);
}

static int
complain(const struct crashdir *cd, const char *name, int status)
{
	warn("%s/%s", cd->cd_path, name);
	return (status);
}

int
crashdir_open(struct crashdir *cd, const char *path)
{
	*cd = (struct crashdir){ .cd_path = path };
	cd->cd_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cd->cd_fd < 0) {
		warn("%s", path);
		return (EX_CANTCREAT);
	}
	if (flock(cd->cd_fd, LOCK_EX | LOCK_NB) == 0)
		return (EX_OK);
	if (errno == EWOULDBLOCK)
		warnx("%s: somebody else is saving a dump there", path);
	else
		warn("%s", path);
	return (EX_TEMPFAIL);
}

void
crashdir_close(struct crashdir *cd)
{
	if (cd->cd_fd >= 0)
		(void)close(cd->cd_fd);
	cd->cd_fd = -1;
}

/* ---- files on their way ---- */

int
newfile_create(const struct crashdir *cd, const char *temp, unsigned int mode,
    struct newfile *nf)
{
	*nf = NEWFILE_NONE;
	/* A folder that others may write could have anything of that name. */
	(void)unlinkat(cd->cd_fd, temp, 0);
	nf->nf_fd = openat(cd->cd_fd, temp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (nf->nf_fd < 0)
		return (complain(cd, temp, EX_CANTCREAT));
	nf->nf_temp = temp;
	return (EX_OK);
}

int
newfile_sync(const struct crashdir *cd, const struct newfile *nf)
{
	if (nf->nf_temp != NULL && fsync(nf->nf_fd) != 0)
		return (complain(cd, nf->nf_temp, EX_IOERR));
	return (EX_OK);
}

int
newfile_name(const struct crashdir *cd, struct newfile *nf, const char *name)
{
	if (nf->nf_temp == NULL)
		return (EX_OK);
	if (renameat(cd->cd_fd, nf->nf_temp, cd->cd_fd, name) != 0)
		return (complain(cd, name, EX_CANTCREAT));
	(void)close(nf->nf_fd);
	*nf = NEWFILE_NONE;
	return (EX_OK);
}

void
newfile_abandon(const struct crashdir *cd, struct newfile *nf)
{
	if (nf->nf_temp == NULL)
		return;
	(void)close(nf->nf_fd);
	(void)unlinkat(cd->cd_fd, nf->nf_temp, 0);
	*nf = NEWFILE_NONE;
}

/* ---- bounds and minfree ---- */

/*
 * The number on the first line of a file; false if there is no such file, or
 * no number in it.
 */
static bool
read_number(const struct crashdir *cd, const char *name, uint64_t *out)
{
	int fd = openat(cd->cd_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char line[32];
	ssize_t n;

	if (fd < 0)
		return (false);
	n = read(fd, line, sizeof(line) - 1);
	(void)close(fd);
	if (n <= 0)
		return (false);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return (number_parse(line, out));
}

static int
write_bounds(const struct crashdir *cd, uint32_t number)
{
	struct newfile nf = NEWFILE_NONE;
	int status = newfile_create(cd, ".saving.bounds", BOUNDS_MODE, &nf);

	if (status == EX_OK && dprintf(nf.nf_fd, "%" PRIu32 "\n", number) < 0)
		status = complain(cd, nf.nf_temp, EX_IOERR);
	if (status == EX_OK)
		status = newfile_sync(cd, &nf);
	if (status == EX_OK)
		status = newfile_name(cd, &nf, "bounds");
	newfile_abandon(cd, &nf);
	return (status);
}

static bool
is_used(const struct crashdir *cd, uint32_t number)
{
	char name[CRASHNAME_LEN];

	for (size_t i = 0; i < NNAMES; i++)
		if (faccessat(cd->cd_fd, crashname_put(names[i], number, name),
			F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return (true);
	return (false);
}

int
crashdir_take_number(const struct crashdir *cd, uint32_t max, uint32_t *number)
{
	uint64_t bounds;
	uint32_t n;

	if (!read_number(cd, "bounds", &bounds) || bounds >= UINT32_MAX)
		bounds = 0;
	n = (uint32_t)bounds;
	if (max != 0 && n >= max)
		n = 0;
	while (max == 0 && is_used(cd, n))
		n++;
	*number = n;
	return (write_bounds(cd, n + 1));
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
	if (read_number(cd, "minfree", &minfree) &&
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

/* ---- the last dump ---- */

static bool
is_kept(const struct crashname *name, const struct crashname *kept,
    unsigned int nkept)
{
	for (unsigned int i = 0; i < nkept; i++)
		if (strcmp(name->cn_stem, kept[i].cn_stem) == 0 &&
		    strcmp(name->cn_suffix, kept[i].cn_suffix) == 0)
			return (true);
	return (false);
}

static void
remove_old(const struct crashdir *cd, uint32_t number,
    const struct crashname *kept, unsigned int nkept)
{
	char name[CRASHNAME_LEN];
	struct stat st;

	for (size_t i = 0; i < NNAMES; i++) {
		if (is_kept(&names[i], kept, nkept))
			continue;
		(void)unlinkat(cd->cd_fd, crashname_put(names[i], number, name),
		    0);
		/* Somebody's file of that name is none of our business. */
		if (fstatat(cd->cd_fd, last_name(names[i], name), &st,
			AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			(void)unlinkat(cd->cd_fd, name, 0);
	}
}

static int
link_last(const struct crashdir *cd, uint32_t number, struct crashname name)
{
	static const char temp[] = ".saving.last";
	char target[CRASHNAME_LEN], last[CRASHNAME_LEN];

	(void)crashname_put(name, number, target);
	(void)last_name(name, last);
	(void)unlinkat(cd->cd_fd, temp, 0);
	if (symlinkat(target, cd->cd_fd, temp) != 0 ||
	    renameat(cd->cd_fd, temp, cd->cd_fd, last) != 0) {
		(void)complain(cd, last, EX_CANTCREAT);
		(void)unlinkat(cd->cd_fd, temp, 0);
		return (EX_CANTCREAT);
	}
	return (EX_OK);
}

int
crashdir_settle(const struct crashdir *cd, uint32_t number,
    const struct crashname *kept, unsigned int nkept)
{
	int status = EX_OK;

	remove_old(cd, number, kept, nkept);
	for (unsigned int i = 0; i < nkept && status == EX_OK; i++)
		status = link_last(cd, number, kept[i]);
	if (status == EX_OK && fsync(cd->cd_fd) != 0) {
		warn("%s", cd->cd_path);
		status = EX_IOERR;
	}
	return (status);
}
