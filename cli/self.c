/*
 * The path of this program's own file: from the proc file system if there is
 * one, otherwise from argv[0], looked up as the shell does.
 */
#include "cli/self.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *self_argv0 = "vmcore";

void
self_init(const char *argv0)
{
	if (argv0 != NULL && argv0[0] != '\0')
		self_argv0 = argv0;
}

/* The program name in a directory of $PATH: dir_len bytes, none for ".". */
static char *
in_directory(const char *dir, size_t dir_len, const char *name)
{
	char path[PATH_MAX];
	int n;

	if (dir_len == 0) {
		dir = ".";
		dir_len = 1;
	}
	if (dir_len >= sizeof(path))
		return (NULL);
	n = snprintf(path, sizeof(path), "%.*s/%s", (int)dir_len, dir, name);
	if (n < 0 || (size_t)n >= sizeof(path) || access(path, X_OK) != 0)
		return (NULL);
	return (realpath(path, NULL));
}

static char *
in_path(const char *name)
{
	const char *dir = getenv("PATH");

	while (dir != NULL) {
		const char *colon = strchr(dir, ':');
		size_t len =
		    colon == NULL ? strlen(dir) : (size_t)(colon - dir);
		char *path = in_directory(dir, len, name);

		if (path != NULL)
			return (path);
		dir = colon == NULL ? NULL : colon + 1;
	}
	return (NULL);
}

char *
self_path(void)
{
	static const char *const links[] = {
		"/proc/self/exe",     /* Linux, NetBSD */
		"/proc/curproc/file", /* FreeBSD, where it is mounted */
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		char *path = realpath(links[i], NULL);

		if (path != NULL)
			return (path);
	}
	if (strchr(self_argv0, '/') != NULL)
		return (realpath(self_argv0, NULL));
	return (in_path(self_argv0));
}
