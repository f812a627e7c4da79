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

#include "cli/corename.h"
#include "libkvm/unpack.h"

#ifndef PATH_MAX
#define PATH_MAX 1024
#endif

/* A folder is none: /boot has one of that name, which has the kernels. */
static bool
may_be_kernel(const char *path)
{
	struct stat st;

	return (access(path, R_OK) == 0 && stat(path, &st) == 0 &&
	    !S_ISDIR(st.st_mode));
}

/* vmcore.0 has a number, vmcore.last has none. */
static bool
has_number(const struct corename *cn)
{
	for (int i = 0; i < cn->con_which_len; i++)
		if (cn->con_which[i] < '0' || cn->con_which[i] > '9')
			return (false);
	return (cn->con_which_len > 0);
}

/*
 * "kernel" with a number, which may be "", in the folder: as it is or packed.
 */
static char *
try(const struct corename *cn, const char *dot, int number_len)
{
	const char *suffix = "";

	for (size_t i = 0; suffix != NULL; suffix = unpack_suffix(i++)) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%.*skernel%s%.*s%s",
		    cn->con_dir_len, cn->con_dir, dot, number_len,
		    cn->con_which, suffix);

		if (n > 0 && (size_t)n < sizeof(path) && may_be_kernel(path))
			return (strdup(path));
	}
	return (NULL);
}

static char *
find_beside(const char *core)
{
	struct corename cn = corename_split(core);
	char *path = NULL;

	if (has_number(&cn))
		path = try(&cn, ".", cn.con_which_len);
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
