/*
 * The names of files that are not a dump or a kernel: see refuse.h.
 */
#include "libkvm/refuse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/elfcore.h"
#include "format/foreign.h"
#include "format/minidump.h"

/* The file's bytes at off, fewer at its end.  false: errno says why not. */
static bool
read_span(int fd, uint64_t off, size_t len, uint8_t *buf, struct span *out)
{
	ssize_t n = pread(fd, buf, len, (off_t)off);

	*out = (struct span){ .base = buf, .len = n < 0 ? 0 : (size_t)n };
	return (n >= 0);
}

/* Is the key of the encrypted dump beside it?  Its name is shorter. */
static bool
has_key(const char *path, const char *name, const char *number)
{
	size_t len = strlen(path) + 1;
	char *key = malloc(len);
	bool has;

	if (key == NULL)
		return (false);
	(void)snprintf(key, len, "%.*skey.%.*s", (int)(name - path), path,
	    (int)strspn(number, "0123456789"), number);
	has = access(key, F_OK) == 0;
	free(key);
	return (has);
}

/* An encrypted dump looks like nothing, so that only its name tells. */
static const char *
refuse_encrypted(const char *path)
{
	static const char prefix[] = "vmcore_encrypted";
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *number;

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return (NULL);
	number = name + strlen(prefix);
	if (number[0] == '.' && has_key(path, name, number + 1))
		return (
		    "an encrypted dump: decryptcore(8) makes a vmcore.N of it, with the key.N beside it and your private key");
	return (
	    "an encrypted dump: decryptcore(8) makes a vmcore.N of it, with its key.N, which is not beside it, and your private key");
}

const char *
refuse_core(int fd, uint64_t len, const char *path)
{
	uint8_t buf[FOREIGN_HEAD_LEN];
	uint64_t end_off = len > sizeof(buf) ? len - sizeof(buf) : 0;
	const char *name;
	struct span span;

	if (!read_span(fd, 0, sizeof(buf), buf, &span))
		return (strerror(errno));
	name = foreign_name(span);
	if (name == NULL && !read_span(fd, end_off, sizeof(buf), buf, &span))
		return (strerror(errno));
	if (name == NULL)
		name = foreign_name_by_end(span);
	return (name != NULL ? name : refuse_encrypted(path));
}

const char *
refuse_kernel(int fd)
{
	uint8_t buf[FOREIGN_HEAD_LEN];
	const char *name;
	struct span start;

	if (!read_span(fd, 0, sizeof(buf), buf, &start))
		return (strerror(errno));
	name = foreign_name(start);
	if (minidump_is(start))
		return (
		    "not an ELF file, but a minidump: name the kernel in its place");
	return (name != NULL ? name : "not an ELF file");
}
