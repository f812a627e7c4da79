#define _XOPEN_SOURCE 700 /* nftw(3) */

#include "tests/fuzz/folder.h"
#include "tests/fuzz/need.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static int folder_fd;
static int locked_fd = -1;
static int home; /* the folder that we are in */

static void
remove_folder(void)
{
	(void)rmdir(folder);
}

void
folder_create(void)
{
	(void)snprintf(folder, sizeof(folder), "%s/vmcore-fuzz.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	need(mkdtemp(folder) != NULL, folder);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(folder_fd >= 0, folder);
	home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(home >= 0, "open");
	need(setenv("TMPDIR", folder, 1) == 0, "setenv");
	need(atexit(remove_folder) == 0, "atexit");
}

const char *
folder_path(void)
{
	return (folder);
}

static void
put_file(const char *name, const char *text)
{
	int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

/* As if another program had it open, and had locked it. */
static void
put_locked(const char *name)
{
	put_file(name, "");
	if (locked_fd >= 0)
		(void)close(locked_fd);
	locked_fd = openat(folder_fd, name,
	    O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (locked_fd >= 0)
		(void)flock(locked_fd, LOCK_EX | LOCK_NB);
}

/* A link leads to another name in the folder, or to a file of ours. */
static void
put_link(const char *name, const char *target,
    const char *(*path)(const char *word))
{
	if (strchr(target, '/') == NULL && strstr(target, "..") == NULL)
		(void)!symlinkat(path(target), folder_fd, name);
}

void
folder_put(char *line, const char *(*path)(const char *word))
{
	size_t len = strcspn(line, "=>/|#");
	char kind = line[len];
	const char *rest = line + len + 1;

	line[len] = '\0';
	if (len == 0 || strcmp(line, ".") == 0 || strcmp(line, "..") == 0)
		return;
	if (kind == '=')
		put_file(line, rest);
	else if (kind == '>')
		put_link(line, rest, path);
	else if (kind == '/')
		(void)mkdirat(folder_fd, line, 0700);
	else if (kind == '|')
		(void)mkfifoat(folder_fd, line, 0600);
	else if (kind == '#')
		put_locked(line);
}

void
folder_enter(void)
{
	need(fchdir(folder_fd) == 0, folder);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return (ftw->level == 0 ? 0 : remove(path));
}

void
folder_leave(void)
{
	need(fchdir(home) == 0, "fchdir");
	if (locked_fd >= 0)
		(void)close(locked_fd);
	locked_fd = -1;
	need(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0, folder);
}
