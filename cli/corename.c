/*
 * Taking a dump's path apart: see corename.h.
 */
#include "cli/corename.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "libkvm/unpack.h"

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

struct corename
corename_split(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	size_t end = unpacked_len(name);
	size_t start = end;
	bool numbered;

	while (start > 0 && name[start - 1] != '.')
		start--;
	numbered = start > 0;
	if (!numbered)
		start = end;
	return ((struct corename){ .con_dir = path,
	    .con_dir_len = (int)(name - path),
	    .con_stem = name,
	    .con_stem_len = (int)(numbered ? start - 1 : end),
	    .con_which = name + start,
	    .con_which_len = (int)(end - start),
	    .con_suffix = name + end });
}
