/*
 * The places in which the kernel of a dump is looked for: see find_kernel.h.
 */
#include "cli/find_kernel.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libkvm/unpack.h"

#ifndef PATH_MAX
#define PATH_MAX 1024
#endif

/* The parts of a path: "dir/", "vmcore.0", and the number in it, "0". */
struct core_name {
	const char *con_dir;
	int con_dir_len;
	const char *con_number;
	int con_number_len; /* 0: it has none */
};

/* A folder is none: /boot has one of that name, which has the kernels. */
static bool
may_be_kernel(const char *path)
{
	struct stat st;

	return (access(path, R_OK) == 0 && stat(path, &st) == 0 &&
	    !S_ISDIR(st.st_mode));
}

/* How long name is without the suffix of a compressed file. */
static size_t
unpacked_len(const char *name)
{
	size_t len = strlen(name);
	const char *suffix;

	for (size_t i = 0; (suffix = unpack_suffix(i)) != NULL; i++) {
		size_t n = strlen(suffix);

		if (len > n && strcmp(name + len - n, suffix) == 0)
			return (len - n);
	}
	return (len);
}

static struct core_name
split(const char *core)
{
	const char *slash = strrchr(core, '/');
	const char *name = slash != NULL ? slash + 1 : core;
	size_t end = unpacked_len(name);
	size_t start = end;

	while (start > 0 && name[start - 1] >= '0' && name[start - 1] <= '9')
		start--;
	if (start == 0 || name[start - 1] != '.')
		start = end;
	return ((struct core_name){ .con_dir = core,
	    .con_dir_len = (int)(name - core),
	    .con_number = name + start,
	    .con_number_len = (int)(end - start) });
}

/*
 * "kernel" with a number, which may be "", in the folder: as it is or packed.
 */
static char *
try(const struct core_name *cn, const char *dot, int number_len)
{
	const char *suffix = "";

	for (size_t i = 0; suffix != NULL; suffix = unpack_suffix(i++)) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%.*skernel%s%.*s%s",
		    cn->con_dir_len, cn->con_dir, dot, number_len,
		    cn->con_number, suffix);

		if (n > 0 && (size_t)n < sizeof(path) && may_be_kernel(path))
			return (strdup(path));
	}
	return (NULL);
}

static char *
find_beside(const char *core)
{
	struct core_name cn = split(core);
	char *path = NULL;

	if (cn.con_number_len > 0)
		path = try(&cn, ".", cn.con_number_len);
	return (path != NULL ? path : try(&cn, "", 0));
}

char *
find_kernel(const char *core)
{
	char *path = find_beside(core);
	char *real = path == NULL ? realpath(core, NULL) : NULL;

	if (real != NULL)
		path = find_beside(real);
	free(real);
#ifdef __FreeBSD__
	if (path == NULL)
		path = strdup("/boot/kernel/kernel");
#endif
	return (path);
}
