/*
 * The command, and a name for what it writes: see rawcommand.h.
 */
#include "cli/rawcommand.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/quote.h"
#include "format/imagekind.h"

/*
 * A name must not be taken for an option, nor for a protocol (qemu-img) or a
 * host (tar), which a ':' ends.
 */
static void
put_path(FILE *out, const char *path)
{
	if (path[0] == '-' || path[strcspn(path, ":/")] == ':')
		fputs("./", out);
	quote_put(out, path);
}

/*
 * "disk.gz.raw", or "disk.gz.1.raw" and so on: the first that does not exist.
 * The caller frees it.
 */
static char *
find_free(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	size_t size = strlen(base) + sizeof(".4294967295.raw");
	char *name = malloc(size);
	struct stat st;

	if (name == NULL)
		return (NULL);
	(void)snprintf(name, size, "%s.raw", base);
	for (unsigned i = 1; lstat(name, &st) == 0; i++)
		(void)snprintf(name, size, "%s.%u.raw", base, i);
	return (name);
}

char *
rawcommand(const struct imagekind *kind, const char *path)
{
	char *command = NULL, *to = find_free(path);
	size_t len;
	FILE *out = to != NULL ? open_memstream(&command, &len) : NULL;

	if (out != NULL) {
		fputs(kind->ik_todo, out);
		put_path(out, path);
		if (kind->ik_to != NULL) {
			fputs(kind->ik_to, out);
			put_path(out, to);
		}
		if (fclose(out) != 0) {
			free(command);
			command = NULL;
		}
	}
	free(to);
	return (command);
}
